import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../../../src/engine/alarms/evaluate.ts';
import { parseSelector } from '../../../../src/engine/alarms/match.ts';
import { Selection } from '../../../../src/engine/alarms/selection.ts';
import type { Selector } from '../../../../src/engine/store/selector.ts';
import { Bench, moves, node, put, rule, run, target } from '../../../support/alarms.ts';

/** Changes of each tick for the values of one gauge. */
function play(bench: Bench, values: readonly number[], name = 'm', scope = node()): Change[][] {
  return values.map((value) => {
    put(scope, name, value);
    return [...bench.tick([scope])];
  });
}

describe('rules over scopes', () => {
  test('a rule fires for the series that it means, each by itself, with the value that caused it', () => {
    const bench = new Bench([
      rule('r', { scope: { kind: 'node', name: 'n?' }, metric: 'm{mode=~"u.*"}', raise: 10, severity: 'critical' }),
    ]);
    const [n1, n2, far, job] = [node('n1'), node('n2'), node('far'), run('n1')];
    for (const scope of [n1, n2, far, job]) {
      put(scope, 'm{mode="user"}', 5);
      put(scope, 'm{mode="idle"}', 99);
    }
    expect(bench.tick([n1, n2, far, job])).toEqual([]);
    expect(bench.evaluator.seriesCount('r')).toBe(2);
    put(n2, 'm{mode="user"}', 11);
    const [change, ...more] = bench.tick([n1, n2, far, job]);
    expect(more).toEqual([]);
    expect(change).toMatchObject({
      ...{
        kind: 'state',
        rule: 'r',
        scope: 'node/n2',
        place: 'n2',
        metric: 'm{mode="user"}',
        labels: { mode: 'user' },
      },
      ...{ was: 'inactive', state: 'firing', value: 11, threshold: 10, time: bench.time, fired: bench.time },
    });
    expect(bench.evaluator.counts('r')).toEqual({ inactive: 1, pending: 0, firing: 1, resolved: 0, no_data: 0 });
    expect(bench.evaluator.alarm(change!.alarm)).toMatchObject({ state: 'firing', value: 11 });
  });

  test('jobs by id, command and user; targets by address or label', () => {
    const job = { kind: 'run', jobid: '7*', command: '*a.out', user: 'ada' } as const;
    const bench = new Bench([
      rule('job', { scope: job }),
      rule('user', { scope: { kind: 'run', user: 'bob' } }),
      rule('label', { scope: { kind: 'target', name: 'rack=*' } }),
    ]);
    const scopes = [run('71'), run('8'), target('t1'), node()];
    for (const scope of scopes) put(scope, 'm', 1);
    expect(bench.tick(scopes).map((change) => `${change.rule} ${change.scope}`)).toEqual([
      'job run/71',
      'label target/t1',
    ]);
  });

  test('a metric that does not exist yet', () => {
    const bench = new Bench([rule('r', { metric: 'later', raise: 1 })]);
    const scope = node();
    put(scope, 'other', 9);
    expect(bench.tick([scope])).toEqual([]);
    expect(bench.evaluator.seriesCount('r')).toBe(0);
    put(scope, 'later', 9);
    expect(moves(bench.tick([scope]))).toEqual(['inactive→firing']);
  });

  test('a rule that comes later knows the series that were there', () => {
    const bench = new Bench();
    const scope = node();
    put(scope, 'm', 9);
    bench.tick([scope]);
    bench.evaluator.setRules([rule('r', { raise: 1 })]);
    expect(moves(bench.tick([scope]))).toEqual(['inactive→firing']);
  });

  test('a sum of many scopes', () => {
    const sum = node('sum');
    const source = Object.assign(Object.create(sum), { id: 'merge/main' });
    const bench = new Bench([rule('r', { scope: { kind: 'merge', name: 'main' }, raise: 5 })], (name) =>
      name === 'main' ? source : null,
    );
    put(sum, 'm', 9);
    const [change] = bench.tick([]);
    expect(change).toMatchObject({ scope: 'merge/main', place: 'main', state: 'firing' });
  });

  test('a selector that is none is said', () => {
    const bench = new Bench([rule('r', { metric: 'm{' })]);
    expect(bench.evaluator.problem('r')).toMatch(/label/);
    const scope = node();
    put(scope, 'm', 9);
    expect(bench.tick([scope])).toEqual([]);
  });
});

describe('what is compared', () => {
  test('rate of a counter; a reset begins anew; no rate over a gap', () => {
    const bench = new Bench([rule('r', { measure: { kind: 'rate' }, raise: 10 })]);
    const scope = node();
    const tick = (total: number, options = {}): string[] => {
      put(scope, 'm', total, 'counter');
      return moves(bench.tick([scope], options));
    };
    expect(tick(1000)).toEqual([]);
    expect(tick(1011)).toEqual(['inactive→firing']);
    expect(bench.evaluator.active().next().value).toMatchObject({ value: 11 });
    expect(tick(1012)).toEqual(['firing→resolved']);
    expect(tick(5)).toEqual([]);
    expect(tick(9000, { gap: true, interval: 1000 })).toEqual([]);
    expect(tick(9020)).toEqual(['resolved→firing']);
  });

  test('the rate of a target is over the time between two of its answers', () => {
    const bench = new Bench([rule('r', { measure: { kind: 'rate' }, raise: 10 })]);
    const scope = target('t');
    put(scope, 'm', 0, 'counter');
    bench.tick([scope]);
    for (let i = 0; i < 9; i++) expect(bench.tick([])).toEqual([]);
    put(scope, 'm', 90, 'counter');
    expect(bench.tick([scope])).toEqual([]);
    for (let i = 0; i < 9; i++) bench.tick([]);
    put(scope, 'm', 200, 'counter');
    expect(moves(bench.tick([scope]))).toEqual(['inactive→firing']);
  });

  test.each([
    ['max', '>', 50, [1, 60, 1, 1, 1, 1, 1], ['inactive→firing', 'firing→resolved']],
    ['min', '<', 50, [60, 60, 40, 60, 60, 60, 60], ['inactive→firing', 'firing→resolved']],
    // Only once the window has been watched as a whole.
    ['avg', '>', 50, [99, 99, 99, 10, 10, 10], ['inactive→firing', 'firing→resolved']],
    ['min', '>', 50, [60, 60, 60, 40], ['inactive→firing', 'firing→resolved']],
  ] as const)('%s over a window %s %i', (kind, op, raise, values, expected) => {
    const bench = new Bench([rule('r', { measure: { kind, window: '3s' }, op, raise })]);
    expect(play(bench, values).flatMap(moves)).toEqual(expected);
  });

  test('a window that is not full says nothing that may be wrong', () => {
    const idle = rule('idle', { measure: { kind: 'increase', window: '5s' }, op: '<', raise: 1 });
    const busy = rule('busy', { measure: { kind: 'increase', window: '5s' }, op: '>', raise: 3 });
    const bench = new Bench([idle, busy]);
    const scope = node();
    const changes = [0, 2, 4, 4, 4, 4, 4, 4, 4].map((total) => {
      put(scope, 'm', total, 'counter');
      return bench.tick([scope]).map((change) => `${change.rule} ${change.state}`);
    });
    // Much is much before the window is full; little is not.
    expect(changes).toEqual([[], [], ['busy firing'], [], [], [], ['busy resolved'], ['idle firing'], []]);
  });

  test('ratio to the metric with the same labels, or to the only one; never divided by nothing', () => {
    const bench = new Bench([
      rule('same', { metric: 'used', measure: { kind: 'ratio', to: 'size' }, raise: 0.9 }),
      rule('only', { metric: 'used', measure: { kind: 'ratio', to: 'whole' }, raise: 0.9 }),
    ]);
    const scope = node();
    for (const disk of ['a', 'b']) put(scope, `size{disk="${disk}"}`, disk === 'a' ? 100 : 1000);
    put(scope, 'used{disk="a"}', 95);
    put(scope, 'used{disk="b"}', 95);
    put(scope, 'used{disk="c"}', 95);
    put(scope, 'whole', 0);
    const told = bench.tick([scope]).map((change) => `${change.rule} ${change.metric}`);
    expect(told).toEqual(['same used{disk="a"}']);
    put(scope, 'whole', 100);
    expect(bench.tick([scope]).map((change) => change.rule)).toEqual(['only', 'only', 'only']);
  });

  test('the ratio of two counters is of what they grew by', () => {
    const bench = new Bench([rule('r', { metric: 'errors', measure: { kind: 'ratio', to: 'calls' }, raise: 0.5 })]);
    const scope = node();
    const tick = (errors: number, calls: number): string[] => {
      put(scope, 'errors', errors, 'counter');
      put(scope, 'calls', calls, 'counter');
      return moves(bench.tick([scope]));
    };
    expect(tick(0, 1000)).toEqual([]);
    expect(tick(6, 1010)).toEqual(['inactive→firing']);
    expect(tick(7, 1020)).toEqual(['firing→resolved']);
  });

  test('absent: of a series that stops, and of nothing at all', () => {
    const bench = new Bench([rule('r', { measure: { kind: 'absent', after: '3s' } })]);
    for (let i = 0; i < 3; i++) expect(bench.tick([])).toEqual([]);
    expect(bench.tick([])).toMatchObject([{ scope: '', metric: '', state: 'firing', value: null }]);
    const scope = target('t');
    put(scope, 'm', 1);
    expect(bench.tick([scope])).toMatchObject([{ scope: '', state: 'resolved' }]);
    bench.tick([]);
    bench.tick([]);
    expect(bench.tick([])).toMatchObject([{ scope: 'target/t', metric: 'm', state: 'firing' }]);
    expect(bench.tick([scope])).toMatchObject([{ scope: 'target/t', state: 'resolved' }]);
  });
});

describe('when something goes wrong', () => {
  test('data that stops, restarts, jumps back', () => {
    const bench = new Bench([rule('r', { raise: 10, for: '2s', no_data: 'state', no_data_after: '2s' })]);
    const changes = play(bench, [20, 20, 20, NaN, NaN, NaN, 20, 1, 20]).map(moves);
    expect(changes).toEqual([
      ...[['inactive→pending'], [], ['pending→firing'], [], ['firing→no_data'], []],
      ...[['no_data→firing'], ['firing→resolved'], ['resolved→pending']],
    ]);
  });

  test('a value of NaN is no value', () => {
    const bench = new Bench([rule('r', { op: '!=', raise: 1 }), rule('s', { op: '<', raise: 1 })]);
    expect(play(bench, [NaN, NaN, NaN]).flat()).toEqual([]);
  });

  test('a series that vanishes with its scope and returns', () => {
    const bench = new Bench([rule('r', { raise: 10 })]);
    const first = run('1');
    put(first, 'm', 20);
    expect(moves(bench.tick([first]))).toEqual(['inactive→firing']);
    expect(moves(bench.evaluator.ended('run/1', bench.time))).toEqual(['firing→resolved']);
    expect(bench.evaluator.ended('run/1', bench.time)).toEqual([]);
    expect(bench.tick([])).toEqual([]);
    expect(bench.evaluator.counts('r')).toMatchObject({ resolved: 1, firing: 0 });
    const again = run('1');
    put(again, 'other', 1);
    put(again, 'm', 20);
    expect(moves(bench.tick([again]))).toEqual(['resolved→firing']);
    expect(bench.evaluator.counts('r')).toMatchObject({ resolved: 0, firing: 1 });
  });

  test('a scope that is made anew goes on', () => {
    const bench = new Bench([rule('r', { raise: 10, for: '3s' })]);
    const first = run('1');
    put(first, 'm', 20);
    bench.tick([first]);
    bench.tick([first]);
    const again = run('1');
    put(again, 'other', 1);
    put(again, 'm', 20);
    expect(moves(bench.tick([again]))).toEqual([]);
    expect(moves(bench.tick([again]))).toEqual(['pending→firing']);
  });

  test('a resolved alarm of an ended run is shown for a while, silence or not', () => {
    const bench = new Bench([rule('r', { raise: 10, no_data: 'fire', no_data_after: '1s' })]);
    const scope = run('1');
    put(scope, 'm', 20);
    bench.tick([scope]);
    bench.evaluator.ended('run/1', bench.time);
    const changes: Change[] = [];
    for (let i = 0; i < 1000; i++) changes.push(...bench.tick([]));
    expect(moves(changes)).toEqual(['resolved→inactive']);
    expect([...bench.evaluator.active()]).toEqual([]);
  });

  test('a rule that is deleted, switched off or changed while it fires', () => {
    const scope = node();
    put(scope, 'm', 20);
    const rules = [
      rule('gone', { raise: 10 }),
      rule('off', { raise: 10 }),
      rule('moved', { raise: 10 }),
      rule('same', { raise: 10 }),
    ];
    const bench = new Bench(rules);
    expect(bench.tick([scope])).toHaveLength(4);
    bench.evaluator.takeWrites();
    const next = [
      rule('off', { raise: 10, enabled: false }),
      rule('moved', { raise: 15 }),
      rule('same', { raise: 10, description: 'other words', severity: 'critical', for: '5s' }),
    ];
    const told = bench.evaluator
      .setRules(next)
      .map((change) => `${change.rule} ${change.kind} ${change.was}→${change.state}`);
    expect(told).toEqual([
      'gone rule_deleted firing→resolved',
      'off rule_changed firing→resolved',
      'moved rule_changed firing→resolved',
    ]);
    expect(bench.evaluator.takeWrites().map(({ instance }) => instance)).toEqual([null, null, null]);
    expect(bench.evaluator.setRules(next)).toEqual([]);
    // Anew, from inactive.
    expect(bench.tick([scope]).map((change) => `${change.rule} ${change.was}→${change.state}`)).toEqual([
      'moved inactive→firing',
    ]);
    expect(bench.evaluator.counts('same').firing).toBe(1);
  });

  test('a clock that jumps lets nothing fire early, nor for ever', () => {
    const bench = new Bench([rule('r', { raise: 10, for: '5s' })]);
    const scope = node();
    put(scope, 'm', 20);
    bench.tick([scope]);
    expect(bench.tick([scope], { ms: 3_600_000, interval: 1000, gap: true })).toEqual([]);
    expect(bench.tick([scope], { ms: -7_200_000, interval: 1000, gap: true })).toEqual([]);
    for (let i = 0; i < 4; i++) expect(bench.tick([scope])).toEqual([]);
    expect(moves(bench.tick([scope]))).toEqual(['pending→firing']);
  });

  test('what patterns see of a scope may change', () => {
    const bench = new Bench([rule('r', { scope: { kind: 'node', name: 'n1' }, raise: 10 })]);
    const scope = node('n1');
    put(scope, 'm', 20);
    bench.tick([scope]);
    expect(bench.evaluator.refresh('node/n1')).toEqual([]);
    expect(bench.evaluator.seriesCount('r')).toBe(1);
  });
});

describe('over a restart', () => {
  const watched = [
    rule('wait', { raise: 10, for: '5s' }),
    rule('keep', { raise: 10, keep_firing_for: '4s' }),
    rule('band', { raise: 15, clear: 5 }),
    rule('silent', { raise: 10, no_data: 'state', no_data_after: '2s' }),
  ];

  test('it goes on as if there had been none', () => {
    const values = fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.constant(NaN)), {
      minLength: 2,
      maxLength: 40,
    });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 39 }), (all, at) => {
        // In a silence nobody knows, after a restart, how long it has lasted.
        const given = all.map((value, i) => (Number.isNaN(value) && i >= at - 3 && i <= at + 3 ? 10 : value));
        const without = play(new Bench(watched), given).flat();
        const bench = new Bench(watched);
        const scope = node();
        const withOne = given.flatMap((value, i) => {
          if (i === at) expect(bench.restart(watched)).toEqual([]);
          put(scope, 'm', value);
          return [...bench.tick([scope])];
        });
        expect(withOne.map(({ rule: id, state, time, fired }) => [id, state, time, fired])).toEqual(
          without.map(({ rule: id, state, time, fired }) => [id, state, time, fired]),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('what was written while it waited is enough: the timer goes on from there', () => {
    const bench = new Bench([watched[0]!]);
    const scope = node();
    put(scope, 'm', 20);
    bench.tick([scope]);
    const writes = bench.evaluator.takeWrites();
    expect(writes).toMatchObject([{ instance: { state: 'pending', held: 0, running: true } }]);
    for (let i = 0; i < 3; i++) bench.tick([scope]);
    expect(bench.evaluator.takeWrites()).toEqual([]);
    // Killed here: what was durable is the document of the beginning, and that the engine watched until now.
    const until = bench.time;
    const after = new Bench([watched[0]!], () => null, until + 60_000);
    after.evaluator.restore(
      writes.map(({ instance }) => instance!),
      until,
    );
    expect(after.tick([scope])).toEqual([]);
    expect(after.tick([scope])).toEqual([]);
    expect(moves(after.tick([scope]))).toEqual(['pending→firing']);
  });

  test('a rule that was changed or deleted meanwhile', () => {
    const bench = new Bench([rule('a', { raise: 10 }), rule('b', { raise: 10 })]);
    const scope = node();
    put(scope, 'm', 20);
    bench.tick([scope]);
    const changes = bench.restart([rule('a', { raise: 50 })]);
    expect(changes.map(({ rule: id, kind, state }) => `${id} ${kind} ${state}`)).toEqual([
      ...['a rule_changed resolved', 'b rule_deleted resolved'],
    ]);
    expect(bench.evaluator.takeWrites().map(({ instance }) => instance)).toEqual([null, null]);
    expect(bench.tick([scope])).toEqual([]);
  });

  test('a job that does not come back is resolved; a target is waited for', () => {
    const bench = new Bench([rule('r', { raise: 10 })]);
    const scopes = [run('1'), target('t')];
    for (const scope of scopes) put(scope, 'm', 20);
    bench.tick(scopes);
    bench.restart([rule('r', { raise: 10 })]);
    const changes: Change[] = [];
    for (let i = 0; i < 400; i++) changes.push(...bench.tick([]));
    expect(changes.map(({ scope, state }) => `${scope} ${state}`)).toEqual(['run/1 resolved']);
    // Removed while it was down: nothing of it is ever closed.
    bench.gone.add('target/t');
    expect(bench.tick([]).map(({ scope, state }) => `${scope} ${state}`)).toEqual(['target/t resolved']);
  });

  test('absent goes on firing', () => {
    const rules = [rule('r', { measure: { kind: 'absent', after: '2s' } })];
    const bench = new Bench(rules);
    const scope = target('t');
    put(scope, 'm', 1);
    bench.tick([scope]);
    for (let i = 0; i < 3; i++) bench.tick([]);
    bench.restart(rules);
    for (let i = 0; i < 30; i++) expect(bench.tick([])).toEqual([]);
    expect(moves(bench.tick([scope]))).toEqual(['firing→resolved']);
  });
});

describe('many', () => {
  test('a thousand rules over ten thousand series: each of all, and each of ten', () => {
    const scopes = Array.from({ length: 10 }, (_, i) => node(`n${i}`));
    for (const scope of scopes) for (let i = 0; i < 1000; i++) put(scope, `m{i="${i}"}`, i);
    const all = Array.from({ length: 500 }, (_, i) => rule(`all${i}`, { scope: { kind: 'node' }, raise: 999 + i }));
    const ten = Array.from({ length: 500 }, (_, i) => rule(`ten${i}`, { metric: `m{i="${i}"}`, raise: 998 }));
    const bench = new Bench([...all, ...ten]);
    expect(bench.tick(scopes)).toEqual([]);
    expect(bench.evaluator.seriesCount('all7')).toBe(10_000);
    expect(bench.evaluator.seriesCount('ten7')).toBe(10);
    put(scopes[3]!, 'm{i="7"}', 1010.5);
    const changes = bench.tick(scopes);
    expect(changes.map((change) => change.rule).sort()).toEqual(
      [...Array.from({ length: 12 }, (_, i) => `all${i}`), 'ten7'].sort(),
    );
    expect(new Set(changes.map(({ scope, metric }) => `${scope} ${metric}`))).toEqual(new Set(['node/n3 m{i="7"}']));
    put(scopes[3]!, 'm{i="7"}', 7);
    expect(moves(bench.tick(scopes))).toEqual(Array<string>(13).fill('firing→resolved'));
  });

  test('ten thousand alarms at once, and over again', () => {
    const scope = node();
    for (let i = 0; i < 10_000; i++) put(scope, `m{i="${i}"}`, 1);
    const bench = new Bench([rule('r', { raise: 10 })]);
    bench.tick([scope]);
    for (let i = 0; i < 10_000; i++) put(scope, `m{i="${i}"}`, 11);
    const changes = bench.tick([scope]);
    expect(changes).toHaveLength(10_000);
    expect(new Set(changes.map(({ alarm }) => alarm)).size).toBe(10_000);
    for (let i = 0; i < 10_000; i++) put(scope, `m{i="${i}"}`, 1);
    expect(bench.tick([scope])).toHaveLength(10_000);
    expect(bench.evaluator.counts('r')).toMatchObject({ firing: 0, resolved: 10_000, inactive: 0 });
  });

  test('windows that do not fit into memory are said, not computed', () => {
    const scope = node();
    for (let i = 0; i < 10_000; i++) put(scope, `m{i="${i}"}`, 1);
    const rules = Array.from({ length: 30 }, (_, i) =>
      rule(`r${i}`, { measure: { kind: 'max', window: `${i + 60}m` }, raise: 0 }),
    );
    const bench = new Bench(rules);
    bench.tick([scope]);
    expect(bench.evaluator.problem('r0')).toBeNull();
    expect(bench.evaluator.problem('r29')).toMatch(/memory/);
    expect(bench.evaluator.counts('r29').firing).toBe(0);
  });

  test('what ratios divide by counts, too', () => {
    const scope = node();
    put(scope, 'm', 1);
    for (let i = 0; i < 10_000; i++) put(scope, `k{i="${i}"}`, 1);
    const rules = Array.from({ length: 210 }, (_, i) =>
      rule(`r${i}`, { measure: { kind: 'ratio', to: `k{i!="${i}"}` } }),
    );
    const bench = new Bench(rules);
    for (let i = 0; i < 5; i++) bench.tick([scope]);
    expect(bench.evaluator.problem('r0')).toBeNull();
    expect(bench.evaluator.problem('r209')).toMatch(/memory/);
  });

  test('all rules together watch so many series, and no more', () => {
    const room = { left: 3 };
    const selector = parseSelector('m') as Selector;
    const selection = new Selection('', { kind: 'all' }, selector, room);
    const since = { clock: 0, time: 0, gap: false, jump: 0, waited: 0 };
    const binding = { source: node(), about: null, counters: 0, gauges: 0, segments: new Map(), since, missed: false };
    for (let i = 0; i < 5; i++) selection.add(binding, 'gauge', i, 0);
    expect([selection.count, selection.leftOut, room.left]).toEqual([3, 2, 0]);
    selection.drop(binding);
    expect([selection.count, room.left]).toEqual([0, 3]);
  });
});
