import { describe, expect, test, onTestFinished } from 'vitest';
import { preview, type PreviewHost } from '../../../src/engine/alarms/preview.ts';
import { History } from '../../../src/engine/history.ts';
import type { Scope } from '../../../src/engine/live/scope.ts';
import { openStore } from '../../../src/engine/store/index.ts';
import { ON_DISK } from '../../../src/engine/store/keep.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import { PreviewLine, PreviewRequest, type RuleSettingsInput } from '../../../src/shared/api/alarms.ts';
import { about, Bench, node, put, rule, run, T0, target } from '../../support/alarms.ts';
import { temporaryFolder } from '../../support/tmp.ts';

type Done = Extract<PreviewLine, { kind: 'done' }>;
type Spans = Record<string, [number, number][]>;

const SECONDS = 900;

/** Numbers that look like chance and are the same each time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

interface Told {
  readonly store: Store;
  readonly host: PreviewHost;
  /** When each series fired live. */
  readonly live: Spans;
}

/** A quarter of an hour of two gauges, a counter and its divisor: stored, and evaluated live at the same time. */
async function watch(settings: Partial<RuleSettingsInput>, scope: Scope, data: string | null): Promise<Told> {
  const { store } = await openStore({ data, worker: { retention: ON_DISK } });
  onTestFinished(() => store.close());
  const history = new History(store);
  const bench = new Bench([rule('r', settings)]);
  const random = noise(7);
  let [a, b, errors, calls] = [50, 50, 0, 0];
  const live: Spans = {};
  const open = new Map<string, number>();
  for (let i = 0; i < SECONDS; i++) {
    a = Math.max(0, Math.min(100, a + 12 * (random() - 0.5)));
    b = Math.max(0, Math.min(100, b + 30 * (random() - 0.5)));
    calls += 10;
    errors += Math.floor(i / 60) % 3 === 1 ? 6 : 1;
    put(scope, 'load{cpu="0"}', a);
    // For some time nobody tells.
    put(scope, 'load{cpu="1"}', i > 300 && i < 340 ? NaN : b);
    put(scope, 'errors', errors, 'counter');
    put(scope, 'calls', calls, 'counter');
    for (const { metric, was, state, time } of bench.tick([scope])) {
      if (state === 'firing') open.set(metric, time);
      if (was === 'firing') (live[metric] ??= []).push([open.get(metric)!, time]);
      if (was === 'firing') open.delete(metric);
    }
    const gap = i === 0;
    history.append({ time: bench.time, interval: gap ? 0 : 1000, sequence: i, gap }, [scope]);
    scope.clear();
    if (i % 100 === 99) await store.flush();
  }
  for (const [metric, since] of open) (live[metric] ??= []).push([since, bench.time]);
  await store.flush();
  const host: PreviewHost = {
    ...{ store, now: () => bench.time, live: () => [scope.id], about: (id) => about({ id }) },
    aboutRun: (ended) => ({ kind: 'run', place: ended.jobid, jobid: ended.jobid, command: ended.command }),
  };
  return { store, host, live };
}

async function ask(host: PreviewHost, settings: Partial<RuleSettingsInput>, more: object = {}): Promise<Done> {
  const given = { name: 'r', scope: { kind: 'all' }, metric: 'm', ...settings };
  const request = PreviewRequest.parse({ rule: given, from: T0 - 1000, to: T0 + 1000 * SECONDS, ...more });
  let last: PreviewLine | null = null;
  for await (const line of preview(host, request, new AbortController().signal)) last = PreviewLine.parse(line);
  if (last?.kind !== 'done') throw new Error(JSON.stringify(last));
  return last;
}

const spansOf = ({ series }: Done): Spans =>
  Object.fromEntries(series.filter(({ firing }) => firing.length > 0).map(({ metric, firing }) => [metric, firing]));

describe('a preview says what would have been', { timeout: 120_000 }, () => {
  const rules: [string, Partial<RuleSettingsInput>][] = [
    ['value', { metric: 'load', raise: 60 }],
    ['hysteresis and times', { metric: 'load', raise: 60, clear: 45, for: '3s', keep_firing_for: '4s' }],
    ['silence', { metric: 'load', raise: 40, no_data: 'state', no_data_after: '10s' }],
    ['silence that fires', { metric: 'load', raise: 80, no_data: 'fire', no_data_after: '20s' }],
    ['rate', { metric: 'errors', measure: { kind: 'rate' }, raise: 3, for: '2s' }],
    ['increase', { metric: 'errors', measure: { kind: 'increase', window: '30s' }, raise: 100 }],
    ['average', { metric: 'load', measure: { kind: 'avg', window: '20s' }, raise: 55 }],
    ['least', { metric: 'load', measure: { kind: 'min', window: '10s' }, op: '<', raise: 20 }],
    ['ratio', { metric: 'errors', measure: { kind: 'ratio', to: 'calls' }, raise: 0.5 }],
    ['absent', { metric: 'load', measure: { kind: 'absent', after: '15s' } }],
  ];
  test.each(rules)('%s: the same as live', async (_, settings) => {
    const { host, live } = await watch(settings, node(), null);
    const done = await ask(host, settings);
    expect(Object.keys(live).length).toBeGreaterThan(0);
    expect(spansOf(done)).toEqual(live);
    const all = Object.values(live).flat();
    expect(done.times).toBe(all.length);
    expect(done.total).toBe(all.reduce((sum, [from, to]) => sum + to - from, 0));
    expect(done.longest).toBe(Math.max(...all.map(([from, to]) => to - from)));
    expect(done.step).toBe(0);
  });

  test('out of SQLite, too', async () => {
    const settings = { metric: 'load', raise: 60, for: '3s' };
    const { host, live } = await watch(settings, run('1'), temporaryFolder());
    const done = await ask(host, settings);
    expect(spansOf(done)).toEqual(live);
    expect(done.range!.min).toBeLessThan(done.range!.median);
    expect(done.range!.median).toBeLessThan(done.range!.max);
  });

  test('what is left of a window over a silence says nothing', async () => {
    const { store } = await openStore({ data: null, worker: { retention: ON_DISK } });
    onTestFinished(() => store.close());
    const history = new History(store);
    const scope = target('t');
    for (let i = 0; i < 200; i++) {
      if (i > 80 && i < 120) continue;
      put(scope, 'm', i, 'counter');
      history.append({ time: T0 + 1000 * i, interval: 1000, sequence: i, gap: i === 0 || i === 120 }, [scope]);
      scope.clear();
    }
    const host: PreviewHost = {
      ...{ store, now: () => T0 + 199_000, live: () => [scope.id], about: (id) => about({ id }) },
      aboutRun: () => ({ kind: 'run', place: '' }),
    };
    const settings = { measure: { kind: 'increase', window: '60s' }, op: '<', raise: 30 } as const;
    expect(await ask(host, settings, { from: T0, to: T0 + 199_000 })).toMatchObject({ times: 0, range: { max: 60 } });
  });

  test('a target that was not there for a while', async () => {
    const { store } = await openStore({ data: null, worker: { retention: ON_DISK } });
    onTestFinished(() => store.close());
    const history = new History(store);
    const scope = target('t');
    for (let i = 0; i < 100; i++) {
      if (i > 40 && i < 80) continue;
      put(scope, 'm', i);
      history.append({ time: T0 + 1000 * i, interval: 1000, sequence: i, gap: i === 0 }, [scope]);
      scope.clear();
    }
    const host: PreviewHost = {
      ...{ store, now: () => T0 + 99_000, live: () => [scope.id], about: (id) => about({ id }) },
      aboutRun: () => ({ kind: 'run', place: '' }),
    };
    const done = await ask(host, { measure: { kind: 'absent', after: '10s' } }, { from: T0, to: T0 + 99_000 });
    expect(done.series).toMatchObject([{ scope: 'target/t', firing: [[T0 + 50_000, T0 + 80_000]] }]);
  });

  test('only so many series; what is left out is said', async () => {
    const { host } = await watch({}, node(), null);
    const done = await ask(host, { metric: '{__name__=~".*"}' }, { max_series: 3 });
    expect(done.series).toHaveLength(3);
    expect(done.left_out).toBe(1);
  });

  test('what matches nothing', async () => {
    const { host } = await watch({}, node(), null);
    expect(await ask(host, { metric: 'nothing' })).toMatchObject({ series: [], times: 0, range: null });
    const absent = await ask(host, { metric: 'nothing', measure: { kind: 'absent', after: '10s' } });
    expect(absent).toMatchObject({ times: 1, series: [{ scope: '', metric: '' }] });
  });

  test('a rule that cannot be, and one of a sum', async () => {
    const { host } = await watch({}, node(), null);
    await expect(ask(host, { metric: 'm{' })).rejects.toThrow(/metric/);
    await expect(ask(host, { scope: { kind: 'merge', name: 'main' } })).rejects.toThrow(/not stored/);
  });

  test('it can be taken back', async () => {
    const { host } = await watch({}, node(), temporaryFolder());
    const request = PreviewRequest.parse({
      ...{ rule: { name: 'r', scope: { kind: 'all' }, metric: 'load' }, from: T0, to: T0 + 1000 * SECONDS },
    });
    const gone = new AbortController();
    const lines = preview(host, request, gone.signal);
    expect((await lines.next()).value).toEqual({ kind: 'progress', done: 0 });
    gone.abort(new Error('left'));
    await expect(lines.next()).rejects.toThrow('left');
  });
});
