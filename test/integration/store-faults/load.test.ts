/** Much at once: long questions while much arrives, retention while somebody reads, very many series. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { encodeFrame } from '../../../src/shared/frame.ts';
import type { SeriesDef } from '../../../src/shared/model/series.ts';
import { removeOld } from '../../../src/engine/store/retention.ts';
import { SqliteReader } from '../../../src/engine/store/sqlite-reader.ts';
import type { ScopeTick } from '../../../src/engine/store/store.ts';
import { makeSmallStore, NODE_TICKS, openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { def, T0, tick } from '../../unit/engine/store/support.ts';
import { either, figure } from './form.ts';

const PERIOD = 100;
/** The promise is 50 ms on an idle machine, which the bench prints. */
const LATE = 1000;

/** A scope whose series all change each tick. */
class Busy {
  readonly scope: string;
  readonly #defs: readonly SeriesDef[];
  readonly #values: Float64Array<ArrayBuffer>;
  #sequence = 0;

  constructor(scope: string, series: number, names = 'c') {
    this.scope = scope;
    this.#defs = Array.from({ length: series }, (_, i) => def('counter', i, `${names}{n="${i}"}`));
    this.#values = new Float64Array(series);
  }

  at(time: number): ScopeTick {
    const first = this.#sequence === 0;
    for (let i = 0; i < this.#values.length; i++) this.#values[i]! += i % 7;
    const columns = {
      counterCount: this.#values.length,
      gaugeCount: 0,
      counters: this.#values,
      gauges: new Float64Array(0),
    };
    const header = { stream: 0, time, interval: first ? 0 : PERIOD, sequence: this.#sequence++, gap: false };
    return { scope: this.scope, added: first ? this.#defs : [], frame: encodeFrame(header, columns, null) };
  }
}

test('no tick is lost while long questions are asked and much arrives', { timeout: 600_000 }, async () => {
  const data = join(temporaryFolder(), 'data');
  const { store } = await openStore({ data, worker: { queueLimit: { ticks: 200, bytes: 1 << 28 } } });
  const scopes = Array.from({ length: 20 }, (_, i) => new Busy(`node/n${i}`, 200));
  const series = 20 * 200;
  const seconds = either(12, 60);
  const asking = new AbortController();
  let answers = 0;
  const begin = Date.now();
  const ask = async (): Promise<void> => {
    for (let n = 0; !asking.signal.aborted; n++) {
      const scope = `node/n${n % 20}`;
      const result = await store.query({ scope, series: [], from: 0, to: Date.now(), maxPoints: 2000 });
      if (result && result.times.length > 0) answers++;
      await store.frames(scope, 0, Date.now(), 1000);
    }
  };
  const questions = Promise.all([ask(), ask()]);
  let [ticks, late] = [0, 0];
  for (let at = begin; at < begin + 1000 * seconds; at += PERIOD) {
    await sleep(Math.max(0, at - Date.now()));
    late = Math.max(late, Date.now() - at);
    expect(store.append(tick(Date.now(), ...scopes.map((scope) => scope.at(Date.now()))))).toBe(true);
    ticks++;
  }
  asking.abort();
  await questions;
  await store.flush();
  expect(store.status()).toMatchObject({ dropped: 0, queued: 0, error: null });
  expect(answers).toBeGreaterThan(0);
  expect(late).toBeLessThan(LATE);
  const rate = Math.round((series * ticks) / seconds);
  figure(
    `${answers} long questions while ${rate} samples/s arrived: all of ${ticks} ticks taken, at most ${late} ms late`,
  );
  await store.close();
});

test('what is read while old samples are removed is right, or no longer there', { timeout: 600_000 }, () => {
  let [removed, asked] = [0, 0];
  for (let round = 0; round < either(10, 200); round++) {
    const data = join(temporaryFolder(), 'data');
    makeSmallStore(data);
    const { db, store } = openInside(data);
    const damaged: string[] = [];
    const reader = new SqliteReader(db, ({ reason }) => damaged.push(reason));
    const limits = { raw: 1000, minute: 1000, hour: 1e15, size: 'off' } as const;
    const removal = removeOld(db, T0 + 1000 * (60 + round * 20), limits, () => false);
    const query = { scope: 'node/n1', series: ['ticks'], from: T0, to: T0 + 1e6, maxPoints: 20_000 };
    for (let going = true; going;) {
      const question = reader.query(query);
      // The two take turns, at random.
      let columns: ReturnType<typeof question.next> = question.next();
      for (; !columns.done; columns = question.next()) if (Math.random() < 0.5) removal.next();
      const step = removal.next();
      going = !step.done;
      if (step.done) removed += step.value ?? 0;
      asked++;
      const { times, last } = columns.value ?? { times: [], last: [] };
      times.forEach((time, i) => {
        const value = last[i]!;
        // The tick of that second, or the last one of its minute or hour.
        if (!Number.isNaN(value)) expect(value).toBeGreaterThanOrEqual(Math.max(0, (time - T0) / 1000 - 1));
        if (!Number.isNaN(value)) expect(value).toBeLessThanOrEqual(NODE_TICKS);
      });
    }
    expect(damaged).toEqual([]);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    store.close();
  }
  expect(removed).toBeGreaterThan(0);
  figure(`${asked} questions while ${removed} blocks were removed: all right`);
});

test('many series stand in the index, and are found again', { timeout: 3_600_000 }, async () => {
  const data = join(temporaryFolder(), 'data');
  const total = either(50_000, 2_000_000);
  const each = 500;
  const first = await openStore({ data, worker: { queueLimit: { ticks: 100, bytes: 1 << 28 } } });
  const time = Date.now();
  const start = performance.now();
  for (let n = 0; n < total / each; n += 20) {
    // The ranks of many runs have the same names.
    const scopes = Array.from(
      { length: 20 },
      (_, i) => new Busy(`rank/r${Math.floor((n + i) / 100)}/${(n + i) % 100}`, each),
    );
    while (!first.store.append(tick(time + n, ...scopes.map((scope) => scope.at(time + n))))) await first.store.flush();
  }
  await first.store.flush();
  const written = Math.round(performance.now() - start);
  await first.store.close();
  const again = performance.now();
  const { store } = await openStore({ data });
  const opened = Math.round(performance.now() - again);
  const last = total / each - 1;
  const scope = `rank/r${Math.floor(last / 100)}/${last % 100}`;
  const snapshot = await store.snapshot(scope, time + 1e9);
  expect(snapshot!.series).toHaveLength(each);
  expect(snapshot!.series.at(-1)!.name).toBe(`c{n="${each - 1}"}`);
  await store.close();
  figure(`${total} series: written in ${written} ms, opened again in ${opened} ms`);
});
