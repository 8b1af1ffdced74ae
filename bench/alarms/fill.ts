/** A store with days of samples, once per second, as an engine would have written them. */

import { History } from '../../src/engine/history.ts';
import { Scope } from '../../src/engine/live/scope.ts';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import type { Store } from '../../src/engine/store/store.ts';
import { ON_DISK } from '../../src/engine/store/keep.ts';

export const SCOPE = 'node/bench';
const metric = (i: number): string => `bench_load{cpu="${i}"}`;

/** Ends at `until`. Half of the series are gauges that wander, the others (`bench_work_total`) counters. */
export async function fillStore(data: string, days: number, series: number, until: number): Promise<void> {
  const queueLimit = { ticks: 2000, bytes: 64 * 1024 * 1024 };
  const { store } = await openWorkerStore({ dataDir: data, retention: ON_DISK, queueLimit });
  const scope = new Scope(SCOPE, 'node');
  for (let i = 0; i < series; i++) scope.register(metric(i), '', 'gauge');
  for (let i = 0; i < series; i++) scope.register(`bench_work_total{cpu="${i}"}`, '', 'counter');
  const taking = taker(store);
  const history = new History(taking.store);
  const from = until - days * 86_400_000;
  const values = new Float64Array(4);
  for (let time = from, sequence = 0; time <= until; time += 1000, sequence++) {
    for (let i = 0; i < series; i++) {
      // Around 50, above 90 some times a day.
      const value = 50 + 30 * Math.sin(time / (4e6 + 1e5 * i)) + 15 * Math.sin(time / (9e4 + 1e3 * i)) + (sequence % 7);
      values.set([value, value, 1, value]);
      scope.putGauge(i, values);
      scope.putCounter(i, 3 * sequence + Math.floor(sequence / (i + 2)));
    }
    history.append({ time, interval: sequence === 0 ? 0 : 1000, sequence, gap: sequence === 0 }, [scope]);
    scope.clear();
    if (sequence % 1000 === 999) await store.flush();
  }
  await store.flush();
  await store.close();
  if (taking.refused() > 0) throw new Error(`${taking.refused()} ticks were not taken`);
}

/** Counts what the store did not take. */
function taker(store: Store): { store: Store; refused: () => number } {
  let refused = 0;
  const taking = new Proxy(store, {
    get(of, key) {
      if (key === 'append') return (tick: Parameters<Store['append']>[0]) => of.append(tick) || (refused++, false);
      const value: unknown = Reflect.get(of, key);
      return typeof value === 'function' ? (value as () => unknown).bind(of) : value;
    },
  });
  return { store: taking, refused: () => refused };
}
