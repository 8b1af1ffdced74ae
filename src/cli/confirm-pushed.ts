/** Whether an engine has taken what was pushed: the push protocol has no answers, so the engine is asked over HTTP. */

import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineClient } from '../client/http.ts';
import { PushError, type Pusher } from '../client/pusher.ts';
import { parseMetric } from '../shared/model/metric.ts';
import type { Series } from '../shared/model/described-series.ts';

/** How long the engine may take until it shows what was pushed, in ms. */
const SHOWN_WITHIN = 3000;
const AGAIN_AFTER = 20;

/** A socket that does not speak HTTP either ends the connection or waits for more: 1 s, and it is taken for one. */
function speaksHttp(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ socketPath, path: '/healthz', agent: false, timeout: 1000 }, (answer) => {
      // 503: it answers, and says that something is wrong with it.
      resolve(answer.statusCode === 200 || answer.statusCode === 503);
      answer.resume();
    });
    probe.once('timeout', () => probe.destroy());
    probe.once('error', () => resolve(false));
    // Also when it is destroyed while nothing had come.
    probe.once('close', () => resolve(false));
    probe.end();
  });
}

async function missing(engine: EngineClient, jobid: string, wanted: ReadonlyMap<string, string>, kind: Series['kind']) {
  const { runs } = await engine.runs({ state: 'live', limit: 10_000 });
  const run = runs.find((one) => one.jobid === jobid);
  const series = run ? (await engine.series(run.scope)).series : [];
  const kinds = new Map(series.map((one) => [one.key, one.kind]));
  for (const [key, name] of wanted) {
    const actual = kinds.get(key);
    if (actual !== undefined && actual !== kind) {
      throw new PushError(
        `${name} is a ${actual} in this job; nothing was ${kind === 'gauge' ? 'set' : 'counted'} for it`,
      );
    }
  }
  return [...wanted].flatMap(([key, name]) => (kinds.has(key) ? [] : [name]));
}

/**
 * Resolves when each name is a series of the job's live run, of this kind, or when the socket speaks the push protocol
 * only. Throws {@link PushError} when the engine has not taken a name. Call it while the pusher is connected.
 */
export async function confirmPushed(
  pusher: Pusher,
  path: string,
  jobid: string,
  names: ReadonlySet<string>,
  kind: Series['kind'],
): Promise<void> {
  // By name alone: an old proxy would take the question for a broken client.
  if (/(^|\/)metric-proxy-\d+\.socket$/.test(path) || !(await speaksHttp(path))) return;
  const wanted = new Map([...names].map((name) => [parseMetric(name).key, name]));
  const engine = new EngineClient({ socket: path });
  const until = performance.now() + SHOWN_WITHIN;
  for (;;) {
    // The reason why it can no longer be found is told by close().
    if (pusher.failure !== null) return;
    const left = await Promise.race([missing(engine, jobid, wanted, kind), delay(SHOWN_WITHIN, null, { ref: false })]);
    if (left?.length === 0) return;
    if (performance.now() >= until) {
      throw new PushError(
        `the engine has not taken ${left?.join(', ') ?? 'the values'}: it does not show up in the job; \`vigie status\` says what was not taken, and why`,
      );
    }
    await delay(AGAIN_AFTER);
  }
}
