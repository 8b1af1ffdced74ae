/** GET /healthz: for watchdogs and load balancers. Public, so that it says which part fails and nothing else. */

import type { HealthProblem } from '../health.ts';
import type { EngineContext } from '../context.ts';
import type { App } from './app.ts';

const WORDS: Readonly<Record<HealthProblem, string>> = {
  store: 'store: history is not written',
  ticks: 'ticks: samples are taken late',
};

export function registerHealth(app: App, engine: EngineContext): void {
  app.get('/healthz', { config: { public: true } }, async (_request, reply) => {
    const problems = engine.health();
    reply.type('text/plain; charset=utf-8');
    if (problems.length === 0) return reply.send('ok\n');
    return reply.code(503).send(problems.map((problem) => `${WORDS[problem]}\n`).join(''));
  });
}
