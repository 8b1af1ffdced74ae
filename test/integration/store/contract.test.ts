/** One contract, two stores. */

import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALARM_EVENTS } from '../../../src/engine/store/alarm-records.ts';
import { openStore } from '../../../src/engine/store/index.ts';
import type { OpenedStore, Store } from '../../../src/engine/store/store.ts';
import type { AuditEntry } from '../../../src/shared/api/audit.ts';
import { decodeFrame, encodeFrame, FrameState } from '../../../src/shared/frame.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { def, gauge, profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const all = { series: [], from: T0, to: T0 + 3_600_000, maxPoints: 1000 };

describe.each(['memory', 'sqlite'] as const)('%s store', (kind) => {
  let opened: OpenedStore;
  let store: Store;

  beforeEach(async () => {
    const data = kind === 'memory' ? null : join(temporaryFolder(), 'data');
    // Faster than any sampler: the queue must hold a whole test.
    opened = await openStore({ data, worker: { queueLimit: { ticks: 10_000, bytes: 1 << 26 } } });
    ({ store } = opened);
  });
  afterEach(() => store.close());

  test('tells who it is', () => {
    expect(opened).toMatchObject({ epoch: 1, interrupted: [], tables: [], warnings: [] });
    expect(opened.engineId).toMatch(/^[0-9a-f]{32}$/);
    expect(store.status()).toEqual({ kind, durable_until: 0, queued: 0, dropped: 0, error: null });
  });

  test('answers null for what it does not have', async () => {
    expect(await store.run('x')).toBeNull();
    expect(await store.profile('x')).toBeNull();
    expect(await store.latestProfile('x')).toBeNull();
    expect(await store.snapshot('node/x', T0)).toBeNull();
    expect(await store.query({ ...all, scope: 'node/x' })).toBeNull();
    expect(await store.frames('node/x', 0, T0, 10)).toEqual({ frames: [], truncated: false });
    expect(await store.runs({ limit: 10 })).toEqual({ runs: [], next: null });
  });

  test('a question sees every write before it, and what was not changed keeps its value', async () => {
    const a = new Teller('node/a');
    store.append(tick(T0, a.at(T0, { 'c{b="1",a="2"}': 5, g: gauge(1) })));
    store.append(tick(T0 + 1000, a.at(T0 + 1000, { 'c{b="1",a="2"}': 15 })));
    store.append(tick(T0 + 2000, a.at(T0 + 2000, { late: 1, g: [1, 9, 4, 20] })));
    const result = await store.query({ ...all, scope: 'node/a' });
    expect(result).toMatchObject({ scope: 'node/a', step: 0, times: [T0, T0 + 1000, T0 + 2000] });
    expect(result!.series).toEqual([
      {
        ...{ key: 'c{a="2",b="1"}', name: 'c{b="1",a="2"}', kind: 'counter', last: [5, 15, 15] },
        ...{ min: [null, 10, 0], avg: [null, 10, 0], max: [null, 10, 0] },
      },
      {
        ...{ key: 'late', name: 'late', kind: 'counter', last: [null, null, 1] },
        ...{ min: [null, null, null], avg: [null, null, null], max: [null, null, null] },
      },
      { key: 'g', name: 'g', kind: 'gauge', min: [1, 1, 5], avg: [1, 1, 5], max: [1, 1, 5], last: [1, 1, 5] },
    ]);
    const one = await store.query({ ...all, scope: 'node/a', series: ['g', 'none'] });
    expect(one!.series.map(({ key }) => key)).toEqual(['g']);
  });

  test('states of tables are taken with the ticks, and are none of their samples', async () => {
    const a = new Teller('node/a');
    const state = { nonce: 'a'.repeat(32), scope: 'node/a', state: new Uint8Array([1, 2, 3]) };
    expect(store.append({ ...tick(T0, a.at(T0, { c: 5 })), tables: [state] })).toBe(true);
    const gone = { nonce: 'a'.repeat(32), scope: null, state: null };
    expect(store.append({ time: T0 + 1000, scopes: [], tables: [gone] })).toBe(true);
    await store.flush();
    expect((await store.snapshot('node/a', T0 + 1000))!.columns.counters).toEqual(new Float64Array([5]));
    expect(store.status()).toMatchObject({ queued: 0, dropped: 0, error: null });
  });

  test('keeps the newest 10,000 changes, in the order they were added, an entry once', async () => {
    const entry = (n: number): AuditEntry => ({
      id: `e${n}`,
      // A clock that was set back changes nothing of the order.
      time: n % 2 === 0 ? T0 + n : T0 - n,
      last: T0 + n,
      count: 1,
      who: { by: 'token', name: 'a "name"' },
      what: 'POST /x',
      summary: `n=${n}`,
      outcome: 'done',
      status: 200,
    });
    expect(await store.audit({ limit: 10 })).toEqual({ entries: [], next: null });
    for (let n = 0; n < 10_050; n++) store.putAudit(entry(n));
    const again = { ...entry(10_040), count: 7, last: T0 + 20_000 };
    store.putAudit(again);
    const first = await store.audit({ limit: 1000 });
    expect(first.entries.map(({ id }) => id).slice(0, 3)).toEqual(['e10049', 'e10048', 'e10047']);
    expect(first.entries[9]).toEqual(again);

    // What comes while somebody pages moves nothing.
    store.putAudit(entry(10_050));
    const read = [...first.entries];
    let { next } = first;
    while (next !== null) {
      const page = await store.audit({ limit: 1000, cursor: next });
      read.push(...page.entries);
      ({ next } = page);
    }
    expect(read.map(({ id }) => id)).toEqual(Array.from({ length: 9999 }, (_, i) => `e${10_049 - i}`));
    expect((await store.audit({ limit: 1 })).entries).toEqual([entry(10_050)]);
  });

  test('a scope may begin with more series than a call has room for', async () => {
    const count = 200_000;
    const added = Array.from({ length: count }, (_, index) => def('counter', index, `c${index}`));
    const columns = {
      counterCount: count,
      gaugeCount: 0,
      counters: new Float64Array(count),
      gauges: new Float64Array(0),
    };
    columns.counters.set([7], count - 1);
    const header = { stream: 0, time: T0, interval: 0, sequence: 0, gap: false };
    expect(store.append(tick(T0, { scope: 'node/a', added, frame: encodeFrame(header, columns, null) }))).toBe(true);
    const result = await store.query({ ...all, scope: 'node/a', series: ['c0', `c${count - 1}`] });
    expect(result!.series).toMatchObject([{ last: [0] }, { last: [7] }]);
    expect(store.status()).toMatchObject({ dropped: 0, error: null });
  });

  test('the range uses the sample before it, and only samples inside it', async () => {
    const a = new Teller('node/a');
    for (let i = 0; i < 200; i++) store.append(tick(T0 + i * 1000, a.at(T0 + i * 1000, { c: i * i })));
    const span = { scope: 'node/a', series: [], from: T0 + 100_000, to: T0 + 102_500, maxPoints: 10 };
    expect(await store.query(span)).toMatchObject({
      times: [100, 101, 102].map((i) => T0 + i * 1000),
      series: [{ avg: [199, 201, 203], last: [10_000, 10_201, 10_404] }],
    });
    const wide = await store.query({ ...span, from: T0, to: T0 + 199_000, maxPoints: 20 });
    expect(wide!.step).toBe(10_000);
    expect(wide!.series[0]!.last).toEqual(Array.from({ length: 20 }, (_, i) => (10 * i + 9) ** 2));
    expect(wide!.series[0]!.max[19]).toBe(199 ** 2 - 198 ** 2);
    expect(await store.query({ ...span, from: T0 + 500_000, to: T0 + 600_000 })).toMatchObject({ times: [], step: 0 });
    expect(await store.query({ ...span, from: T0 + 9000, to: T0 })).toMatchObject({ times: [] });
    expect(await store.query({ ...span, from: T0, to: 1e15, maxPoints: 20 })).not.toBeNull();
  });

  test('long spans come whole', async () => {
    const a = new Teller('node/a');
    for (let i = 0; i < 2500; i++) store.append(tick(T0 + i * 1000, a.at(T0 + i * 1000, { c: 3 * i })));
    const raw = (await store.query({ ...all, scope: 'node/a', from: T0 + 1000, maxPoints: 2499 }))!;
    expect(raw.times).toEqual(Array.from({ length: 2499 }, (_, i) => T0 + (i + 1) * 1000));
    expect(raw.series[0]!.avg.every((rate) => rate === 3)).toBe(true);
    const wide = (await store.query({ ...all, scope: 'node/a', from: T0 + 1000, maxPoints: 100 }))!;
    expect(wide.step).toBe(60_000);
    const filled = wide.series[0]!.avg.filter((rate) => rate !== null);
    expect(filled).toEqual(Array.from({ length: 42 }, () => 3));
    const { frames, truncated } = await store.frames('node/a', 0, T0 + 3_600_000, 5000);
    expect(frames.map((bytes) => decodeFrame(bytes).sequence)).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    expect(truncated).toBe(false);
  });

  test('series are chosen by labels and by family; functions add columns; the step may be named', async () => {
    const a = new Teller('node/a');
    for (let i = 0; i < 120; i++) {
      const values = { 'cpu{mode="user"}': 10 * i, 'cpu{mode="idle"}': 5 * i, 'load{of="1m"}': gauge(i) };
      store.append(tick(T0 + i * 1000, a.at(T0 + i * 1000, values)));
    }
    const query = { ...all, scope: 'node/a', to: T0 + 119_999, step: 60_000 };
    const keys = async (more: object) => (await store.query({ ...query, ...more }))!.series.map(({ key }) => key);
    expect(await keys({ select: ['cpu{mode=~"u.*|x"}'] })).toEqual(['cpu{mode="user"}']);
    expect(await keys({ select: ['{mode!="user"}'], family: [] })).toEqual(['cpu{mode="idle"}', 'load{of="1m"}']);
    expect(await keys({ family: ['cpu'], series: ['load{of="1m"}'] })).toEqual([
      ...['load{of="1m"}', 'cpu{mode="user"}', 'cpu{mode="idle"}'],
    ]);
    const functions = ['increase', 'rate', 'sum', 'count'] as const;
    const result = (await store.query({ ...query, functions: [...functions] }))!;
    expect(result.times).toEqual([T0, T0 + 60_000]);
    expect(result.series[0]).toMatchObject({ increase: [590, 600], rate: [10, 10] });
    expect(result.series[0]).not.toHaveProperty('sum');
    expect(result.series[2]).toMatchObject({ count: [60, 60], sum: [1770, 5370] });
  });

  test('one series of many scopes as one', async () => {
    const nodes = Array.from({ length: 40 }, (_, n) => new Teller(`node/n${n}`));
    const job = new Teller('run/x');
    for (let i = 0; i < 180; i++) {
      const time = T0 + i * 1000;
      const scopes = nodes.map((node, n) => node.at(time, { bytes: n * i, [`only${n}`]: i, g: gauge(n) }));
      if (i < 60) scopes.push(job.at(time, { bytes: 1000 * i }));
      store.append(tick(time, ...scopes));
    }
    const query = { ...all, to: T0 + 179_999, step: 60_000, operation: 'sum' as const };
    const sum = (39 * 40) / 2;
    const merged = (await store.merge({ ...query, scope: ['node/*'], series: 'bytes' }))!;
    expect(merged).toMatchObject({
      scope: 'merge/sum',
      scopes: 40,
      step: 60_000,
      times: [0, 1, 2].map((i) => T0 + i * 60_000),
    });
    expect(merged.series[0]).toMatchObject({
      key: 'bytes',
      avg: [sum, sum, sum],
      last: [59 * sum, 119 * sum, 179 * sum],
    });
    // What an ended run has counted stays.
    const both = (await store.merge({ ...query, scope: ['node/n1', 'run/x', 'run/none'], series: 'bytes' }))!;
    expect(both).toMatchObject({ scopes: 2, series: [{ last: [59_059, 59_119, 59_179], avg: [1001, 1, 1] }] });
    const one = async (operation: 'avg' | 'min' | 'max') =>
      (await store.merge({ ...query, scope: ['node/*'], series: 'g', operation }))!.series[0]!.avg;
    expect(await one('avg')).toEqual([19.5, 19.5, 19.5]);
    expect(await one('min')).toEqual([0, 0, 0]);
    expect(await one('max')).toEqual([39, 39, 39]);
    expect(await store.merge({ ...query, scope: ['node/*'], series: 'none' })).toBeNull();
  });

  test('families, labels and their values, page by page', async () => {
    const a = new Teller('node/a');
    const values = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`c{n="${n}",of="x"}`, n]));
    store.append(tick(T0, a.at(T0, { ...values, 'd{e="1"}': 1, f: gauge(1) }), new Teller('node/b').at(T0, { z: 1 })));
    const page = { limit: 1000 };
    expect(await store.names({ ...page, what: 'families' })).toEqual({ names: ['c', 'd', 'f', 'z'], next: null });
    expect((await store.names({ ...page, what: 'families', scope: 'node/b' })).names).toEqual(['z']);
    expect((await store.names({ ...page, what: 'labels' })).names).toEqual(['e', 'n', 'of']);
    const select = 'c{n!~"[0-4].*"}';
    const of = { what: 'values', label: 'n' } as const;
    expect((await store.names({ ...page, ...of, select })).names).toHaveLength(55);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const some = await store.names({ ...of, limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...some.names);
      cursor = some.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => `${n}`).sort());
    await expect(store.names({ ...page, what: 'labels', select: 'c{' })).rejects.toThrow();
  });

  test('a question is taken back', async () => {
    const a = new Teller('node/a');
    store.append(tick(T0, a.at(T0, { c: 1 })));
    const query = { ...all, scope: 'node/a' };
    const reason = new Error('gone');
    await expect(store.query(query, AbortSignal.abort(reason))).rejects.toBe(reason);
    const control = new AbortController();
    const asked = store.query(query, control.signal).catch((error: unknown) => error);
    control.abort(reason);
    // It may have been answered already.
    expect([reason, 1]).toContainEqual(await asked.then((got) => (got === reason ? reason : 1)));
    expect((await store.query(query))!.times).toEqual([T0]);
  });

  test('a snapshot has the series and values known at its time', async () => {
    const a = new Teller('run/a');
    for (let i = 0; i < 150; i++) {
      const values = i < 140 ? { c: i, g: [0, i, i, 2 * i] as const } : { c: i, new: 1 };
      store.append(tick(T0 + i * 1000, a.at(T0 + i * 1000, values)));
    }
    expect(await store.snapshot('run/a', T0 - 1)).toBeNull();
    const early = (await store.snapshot('run/a', T0 + 100_999))!;
    expect(early.time).toBe(T0 + 100_000);
    expect(early.series.map((each) => [each.name, each.kind, each.index, each.doc])).toEqual([
      ['c', 'counter', 0, 'about c'],
      ['g', 'gauge', 0, 'about g'],
    ]);
    expect([...early.columns.counters]).toEqual([100]);
    expect([...early.columns.gauges]).toEqual([0, 100, 100, 200]);
    const last = (await store.snapshot('run/a', Number.MAX_SAFE_INTEGER))!;
    expect(last.time).toBe(T0 + 149_000);
    expect(last.series.map(({ name }) => name)).toEqual(['c', 'new', 'g']);
    expect([...last.columns.counters]).toEqual([149, 1]);
  });

  test('frames begin full, follow in order, and the newest are kept', async () => {
    const a = new Teller('node/a');
    for (let i = 0; i < 300; i++)
      store.append(tick(T0 + i * 1000, a.at(T0 + i * 1000, i % 2 ? { odd: i } : { even: i })));
    const { frames, truncated } = await store.frames('node/a', T0 + 99_000, T0 + 149_000, 20);
    expect(truncated).toBe(true);
    const decoded = frames.map(decodeFrame);
    expect(decoded.map(({ time }) => (time - T0) / 1000)).toEqual(Array.from({ length: 20 }, (_, i) => 130 + i));
    expect(decoded[0]).toMatchObject({ full: true, sequence: 130, interval: 1000, stream: 0 });
    const state = new FrameState();
    state.apply(decoded[0]!);
    expect([...state.counters.subarray(0, 2)]).toEqual([130, 129]);
    for (const frame of decoded.slice(1)) state.apply(frame);
    expect([...state.counters.subarray(0, 2)]).toEqual([148, 149]);
    const exact = await store.frames('node/a', T0 + 297_000, T0 + 299_000, 2);
    expect(exact.truncated).toBe(false);
    expect(exact.frames.map((bytes) => decodeFrame(bytes).time - T0)).toEqual([298_000, 299_000]);
    expect(await store.frames('node/a', T0 + 299_000, T0 + 400_000, 5)).toEqual({ frames: [], truncated: false });
  });

  test('random histories come back as they were told', async () => {
    let n = 0;
    const step = fc.record({
      wait: fc.integer({ min: 1, max: 5000 }),
      values: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 99 }), { maxKeys: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 90 }), fc.nat(), async (steps, pick) => {
        const scope = `node/random-${n++}`;
        const teller = new Teller(scope);
        const seen: { time: number; values: Record<string, number> }[] = [];
        let time = T0;
        for (const { wait, values } of steps) {
          time += wait;
          store.append(tick(time, teller.at(time, values)));
          seen.push({ time, values: { ...seen.at(-1)?.values, ...values } });
          if (seen.length % 50 === 0) await store.flush();
        }
        const at = seen[pick % seen.length]!;
        const snapshot = (await store.snapshot(scope, at.time))!;
        expect(
          Object.fromEntries(snapshot.series.map((each) => [each.name, snapshot.columns.counters[each.index]])),
        ).toEqual(at.values);
        const { frames } = await store.frames(scope, at.time - 1, time, 1000);
        expect(frames.map((bytes) => decodeFrame(bytes).time)).toEqual(
          seen.filter((each) => each.time >= at.time).map((each) => each.time),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('after a clock was set back, time still only grows', async () => {
    const a = new Teller('node/a');
    for (const [at, c] of [
      [0, 1],
      [1000, 2],
      [2000, 3],
      [500, 4],
      [1500, 5],
    ] as const) {
      store.append(tick(T0 + at, a.at(T0 + at, { c })));
    }
    const result = (await store.query({ ...all, scope: 'node/a' }))!;
    expect(result.times).toEqual([T0, T0 + 500, T0 + 1500]);
    expect(result.series[0]).toMatchObject({ last: [1, 4, 5], avg: [null, null, 1] });
  });

  test('a tick that is no frame is not taken, and the next ones are', async () => {
    const a = new Teller('node/a');
    store.append(tick(T0, a.at(T0, { c: 1 })));
    store.append(tick(T0 + 1000, { scope: 'node/a', added: [], frame: Uint8Array.of(1, 2, 3) }));
    await store.flush().catch(() => {});
    expect(store.status().dropped).toBe(1);
    expect(store.status().error).not.toBeNull();
    store.append(tick(T0 + 2000, a.at(T0 + 2000, { c: 3 })));
    expect((await store.query({ ...all, scope: 'node/a' }))!.series[0]!.last).toEqual([1, 3]);
    expect(store.status().error).toBeNull();
  });

  test('runs: only ended ones are listed, newest start first', async () => {
    store.putRun(run('live', { state: 'running', end_time: 0 }));
    store.putProfile(profile(run('old', { start_time: T0 - 1000 })));
    store.putProfile(profile(run('new', { start_time: T0 + 1000 })));
    store.putRun(run('cut', { state: 'interrupted' }));
    const ids = async (query: object) => (await store.runs({ limit: 100, ...query })).runs.map(({ id }) => id);
    expect(await ids({})).toEqual(['new', 'cut', 'old']);
    expect(await ids({ state: 'ended' })).toEqual(['new', 'cut', 'old']);
    expect(await ids({ state: 'live' })).toEqual([]);
    expect(await store.run('live')).toEqual(run('live', { state: 'running', end_time: 0 }));
    store.putRun(run('live', { state: 'finished' }));
    expect(await ids({})).toContain('live');
  });

  test('runs: pages meet without overlap, also with equal starts', async () => {
    for (let i = 0; i < 25; i++) store.putRun(run(`r${i}`, { start_time: T0 + Math.floor(i / 10) }));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.runs({ limit: 4, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.runs.map(({ id }) => id));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `r${24 - i}`));
    await expect(store.runs({ limit: 4, cursor: "1_2'; --" })).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('runs: the search is plain text, without case, in four fields', async () => {
    store.putRun(run('1', { jobid: 'Alpha_%', command: 'none', nodelist: 'x', cluster: 'x' }));
    store.putRun(run('2', { jobid: 'b', command: "srun './Été' \u202e", nodelist: 'x', cluster: 'x' }));
    store.putRun(run('3', { jobid: 'c', command: 'none', nodelist: 'NODE[1-4]', cluster: 'x' }));
    store.putRun(run('4', { jobid: 'd', command: 'none', nodelist: 'x', cluster: 'Big', partition: 'hidden' }));
    const find = async (search: string) => (await store.runs({ limit: 9, search })).runs.map(({ id }) => id).sort();
    expect(await find('ALPHA')).toEqual(['1']);
    expect(await find('_%')).toEqual(['1']);
    expect(await find('%')).toEqual(['1']);
    expect(await find("'./été' \u202e")).toEqual(['2']);
    expect(await find('node[')).toEqual(['3']);
    expect(await find('big')).toEqual(['4']);
    expect(await find('hidden')).toEqual([]);
    expect(await find('')).toEqual(['1', '2', '3', '4']);
  });

  test('profiles: by run, and the latest of a job id; not while the run goes on', async () => {
    const first = profile(run('a', { jobid: 'j', start_time: T0 }));
    const second = profile(run('b', { jobid: 'j', start_time: T0 + 9 }));
    store.putProfile(second);
    store.putProfile(first);
    expect(await store.profile('a')).toEqual(first);
    expect(await store.latestProfile('j')).toEqual(second);
    store.putRun(run('b', { jobid: 'j', start_time: T0 + 9, state: 'running' }));
    expect(await store.profile('b')).toBeNull();
    expect(await store.latestProfile('j')).toEqual(first);
    expect((await store.run('b'))!.state).toBe('running');
  });

  test('runs of another engine are listed under its name only, and shadow nobody', async () => {
    const [other, third] = ['b'.repeat(32), 'c'.repeat(32)];
    for (const [id, start] of [
      ['own', 1],
      [`${other}.x`, 9],
      [`${other}.y`, 8],
      [`${third}.x`, 7],
    ] as const) {
      store.putProfile(profile(run(id, { jobid: 'j', start_time: T0 + start })));
    }
    const ids = async (engine?: string, more: object = {}) =>
      (await store.runs({ limit: 10, ...more }, engine)).runs.map(({ id }) => id);
    expect(await ids()).toEqual(['own']);
    expect(await ids(other)).toEqual([`${other}.x`, `${other}.y`]);
    expect(await ids(third)).toEqual([`${third}.x`]);
    expect(await ids('d'.repeat(32))).toEqual([]);
    expect((await store.latestProfile('j'))!.run.id).toBe('own');
    expect((await store.profile(`${other}.y`))!.run.id).toBe(`${other}.y`);
    const { next } = await store.runs({ limit: 1 }, other);
    expect(await ids(other, { cursor: next ?? '' })).toEqual([`${other}.y`]);
  });

  test('what it was given may be changed afterwards', async () => {
    const given = run('a');
    store.putRun(given);
    given.nodes.push('other');
    expect((await store.run('a'))!.nodes).toEqual(['n1']);
  });

  test('after close nothing is taken or answered, and a second close is no error', async () => {
    await store.flush();
    await store.close();
    await store.close();
    expect(store.append(tick(T0))).toBe(false);
    await expect(store.run('a')).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

describe.each(['memory', 'sqlite'] as const)('what alarms keep in the %s store', (kind) => {
  const event = (number: number, rule = 'r', scope = 'node/a', more = {}) => ({
    ...{ number, time: T0 + number, rule, scope },
    body: JSON.stringify({ number, rule, ...more }),
  });
  const page = { before: null, rule: null, scope: null, from: -Infinity, to: Infinity, contains: [], limit: 100 };

  test('documents by kind and id, events by number; all of a writing or nothing', async () => {
    const data = kind === 'memory' ? null : join(temporaryFolder(), 'data');
    let { store } = await openStore({ data });
    try {
      const { alarms } = store;
      expect([await alarms.read('rule'), await alarms.lastNumber(), await alarms.events(page)]).toEqual([[], 0, []]);
      const rule = { kind: 'rule', id: 'x"\u0000;--', body: '{"a":1}' };
      await alarms.write(
        [rule, { kind: 'silence', id: 'x', body: '1' }],
        [event(1), event(2, 's'), event(5, 'r', 'run/b')],
      );
      await alarms.write(
        [
          { kind: 'silence', id: 'x', body: null },
          { ...rule, body: '{"a":2}' },
        ],
        [event(6, 'r', 'node/a', { t: 'Ä' })],
      );
      expect(await alarms.read('rule')).toEqual([{ ...rule, body: '{"a":2}' }]);
      expect(await alarms.read('silence')).toEqual([]);
      expect(await alarms.lastNumber()).toBe(6);
      const numbers = async (more: object): Promise<number[]> =>
        (await alarms.events({ ...page, ...more })).map(({ number }) => number);
      expect(await numbers({})).toEqual([6, 5, 2, 1]);
      expect(await numbers({ limit: 2 })).toEqual([6, 5]);
      expect(await numbers({ before: 5 })).toEqual([2, 1]);
      expect(await numbers({ rule: 'r' })).toEqual([6, 5, 1]);
      expect(await numbers({ rule: 'r', scope: 'node/a' })).toEqual([6, 1]);
      expect(await numbers({ from: T0 + 2, to: T0 + 5 })).toEqual([5, 2]);
      expect(await numbers({ contains: ['ä'] })).toEqual([6]);
      // The same number again: what was tried twice is there once.
      await alarms.write([], [event(6)]);
      expect(await numbers({ contains: ['ä'] })).toEqual([]);
      if (kind === 'sqlite') {
        const wrong = { ...event(7), time: null as unknown as number };
        await expect(alarms.write([{ kind: 'rule', id: 'y', body: '1' }], [wrong])).rejects.toMatchObject({
          code: 'store_unavailable',
        });
        expect(await alarms.read('rule')).toHaveLength(1);
        await store.close();
        ({ store } = await openStore({ data }));
        expect(await store.alarms.read('rule')).toEqual([{ ...rule, body: '{"a":2}' }]);
        expect(await store.alarms.lastNumber()).toBe(6);
      }
      await store.close();
      await expect(store.alarms.write([rule], [])).rejects.toMatchObject({ code: 'store_unavailable' });
    } finally {
      await store.close();
    }
  });

  test('thousands of events are looked through, and only the newest are kept', async () => {
    const data = kind === 'memory' ? null : join(temporaryFolder(), 'data');
    const { store } = await openStore({ data });
    try {
      const many = Array.from({ length: 9000 }, (_, i) => event(i + 1, i === 3 ? 'rare' : 'r', 'node/a', { i }));
      await store.alarms.write([], many);
      expect((await store.alarms.events({ ...page, contains: ['"i":3}'] })).map(({ number }) => number)).toEqual([4]);
      await store.alarms.write([], [event(ALARM_EVENTS + 4)]);
      const left = await store.alarms.events({ ...page, limit: 9 });
      expect(left[0]!.number).toBe(ALARM_EVENTS + 4);
      expect((await store.alarms.events({ ...page, rule: 'rare' })).length).toBe(kind === 'sqlite' ? 0 : 1);
    } finally {
      await store.close();
    }
  });
});
