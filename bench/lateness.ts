/**
 * How late the engine's clock ticks while thousands of clients and readers, good and bad ones, are at it.
 *
 *     npm run bench -- lateness [--seconds N]
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { comeAndGo, deaf, drips, listenToClock, programs, readers } from './support/crowd.ts';
import { startEngine } from './support/engine.ts';
import { printResult, printTable, verdict } from './support/report.ts';

const BUDGET_MS = 50;
const { values: flags } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const seconds = Number(flags.seconds);
if (!(seconds > 0)) throw new Error('--seconds takes a number');

const engine = await startEngine([]);
try {
  const { nodes } = (await engine.get('/api/v1/nodes')) as { nodes: { scope: string }[] };
  const scope = nodes[0]!.scope;
  const rows: string[][] = [];
  const result: Record<string, number> = {};
  let ok = true;

  /** Listens to the clock while something goes on. */
  const measure = async (what: string, key: string, work: () => Promise<string>): Promise<void> => {
    const clock = await listenToClock(engine, scope);
    const told = await work();
    clock.close();
    const sorted = clock.lateness.toSorted((a, b) => a - b);
    const worst = sorted.at(-1) ?? Number.NaN;
    const p90 = sorted[Math.floor(0.9 * sorted.length)] ?? Number.NaN;
    ok &&= worst <= BUDGET_MS && clock.lost === 0;
    result[`${key}_worst_ms`] = worst;
    result[`${key}_lost`] = clock.lost;
    rows.push([what, `${sorted.length}`, p90.toFixed(1), worst.toFixed(1), `${clock.lost}`, told]);
  };
  const hold = () => sleep(seconds * 1000).then(() => '');

  await measure('nothing', 'idle', hold);
  await measure('4,000 programs connect and count', 'programs', async () => {
    const crowd = await programs(engine, 4000, 'many');
    for (let second = 0; second < seconds; second++) {
      crowd.add();
      await sleep(1000);
    }
    crowd.close();
    return '';
  });
  await measure('1,000 programs a second come and go', 'connects', async () => {
    const began = performance.now();
    const count = await comeAndGo(engine, 1000, seconds, 'brief');
    return `${Math.round(count / ((performance.now() - began) / 1000))} a second`;
  });
  await measure('300 readers, kept alive, twice a second', 'readers', async () => {
    const crowd = readers(engine, 300, 500);
    await hold();
    crowd.close();
    return `${crowd.answers.reduce((sum, n) => sum + n, 0)} answers, ${crowd.failures.length} failures`;
  });
  await measure('100 readers that never read, 200 senders of a byte a second', 'bad', async () => {
    const crowds = [deaf(engine, 100), drips(engine, 200)];
    await hold();
    for (const crowd of crowds) crowd.close();
    return '';
  });
  printTable(['load', 'ticks', 'p90 late ms', 'worst ms', 'lost', ''], rows);
  console.log(`\nat most ${BUDGET_MS} ms late, no tick lost: ${verdict(ok)}`);
  printResult({ bench: 'lateness', ...result });
} finally {
  await engine.stop();
}
