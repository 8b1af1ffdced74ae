/**
 * Writes some ticks while writing may fail: `node faulted-child.ts DIR`. Prints JSON lines: what is durable after each
 * tick, and at the end the store's status; or why it was not opened.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, StoreOpenError } from '../../../src/engine/store/index.ts';
import type { OpenedStore } from '../../../src/engine/store/store.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const TICKS = 24;
/** A tick that cannot be written is given up after this time, ms. */
const RETRY_FOR = 60;

let opened: OpenedStore;
try {
  opened = await openStore({ data: process.argv[2]!, worker: { retryFor: RETRY_FOR } });
} catch (error) {
  if (!(error instanceof StoreOpenError)) throw error;
  say({ refused: error.code });
  process.exit(0);
}
const { store, epoch } = opened;
const base = T0 + epoch * 1_000_000;
const id = `run-${epoch}`;
const node = new Teller('node/n1');
const scope = new Teller(`run/${id}`);
for (let n = 1; n <= TICKS; n++) {
  const time = base + n;
  if (n === 2) store.putRun(run(id, { state: 'running', start_time: base, end_time: 0 }));
  const own = n < TICKS / 2 ? [scope.at(time, { ticks: n })] : [];
  store.append(tick(time, node.at(time, { ticks: n, [`c${n % 7}`]: n }), ...own));
  if (n === TICKS / 2) store.putProfile(profile(run(id, { start_time: base, end_time: time })));
  // What fails is told by the status, and the next tick comes all the same.
  if (store.status().error === null) await store.flush().catch(() => undefined);
  else await sleep(30);
  say({ durable: Math.max(0, store.status().durable_until - base), epoch });
}
await store.flush().catch(() => undefined);
say({ durable: Math.max(0, store.status().durable_until - base), epoch });
say({ status: store.status() });
await store.close();
