import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  alarmPath,
  alarmPlot,
  countAlarms,
  countOpen,
  groupAlarms,
  LARGE_GROUP,
  matchersFor,
  mergeAlarms,
  plotPath,
  rangeAround,
  scopeHere,
  scopePath,
  selectAlarms,
  silencesFor,
} from '../../../../src/renderer/data/alarms.ts';
import type { AlarmQuery } from '../../../../src/renderer/data/alarms.ts';
import { AlarmsModel } from '../../../../src/renderer/data/alarmsModel.ts';
import { LinearPattern } from '../../../../src/engine/store/linear-pattern.ts';
import { compileMatchers } from '../../../../src/shared/alarms/matchers.ts';
import type { Alarm, AlarmEvent, AlarmState, Severity } from '../../../../src/shared/api/alarms.ts';
import type { LiveAlarms } from '../../../../src/shared/api/live.ts';
import type { Matcher } from '../../../../src/shared/api/silences.ts';
import { alarmOf, eventOf, liveAlarms, taken } from '../views/alarmFixture.ts';

// Changes are told in animation frames, of which there are none here.
vi.stubGlobal('requestAnimationFrame', () => 0);

const ALL: Omit<AlarmQuery, 'group'> = { search: '', state: 'all', severity: 'all', handled: 'all' };
const ids = (alarms: readonly Alarm[]): string[] => alarms.map(({ id }) => id);
const byId = (...alarms: Alarm[]) => new Map(alarms.map((alarm) => [alarm.id, alarm]));

describe('messages of the alarms topic', () => {
  test('a list that begins anew replaces what was known; changes add to it, what is inactive goes', () => {
    const first = mergeAlarms(byId(alarmOf({ id: 'old' })), liveAlarms({ all: true, alarms: [alarmOf({ id: 'a' })] }));
    expect([...first.keys()]).toEqual(['a']);
    const second = mergeAlarms(first, liveAlarms({ alarms: [alarmOf({ id: 'b' })], removed: ['a'] }));
    expect([...second.keys()]).toEqual(['b']);
    expect([...first.keys()]).toEqual(['a']);
  });
});

describe('the order', () => {
  test('firing first, what nobody has taken before the rest, then by severity, newest first', () => {
    const alarms = [
      alarmOf({ id: 'resolved', state: 'resolved', severity: 'critical' }),
      alarmOf({ id: 'pending', state: 'pending', severity: 'critical' }),
      alarmOf({ id: 'no data', state: 'no_data', severity: 'info' }),
      alarmOf({ id: 'acknowledged', severity: 'critical', acknowledged: taken }),
      alarmOf({ id: 'silenced', severity: 'critical', silenced: ['s'] }),
      alarmOf({ id: 'older', since: 1 }),
      alarmOf({ id: 'newer', since: 2 }),
      alarmOf({ id: 'critical', severity: 'critical' }),
    ];
    expect(ids(selectAlarms(alarms, ALL))).toEqual([
      ...['critical', 'newer', 'older', 'acknowledged', 'silenced', 'no data', 'pending', 'resolved'],
    ]);
  });

  test('is the same however the alarms come', () => {
    const some = fc.array(
      fc.record({
        state: fc.constantFrom<AlarmState>('firing', 'pending', 'resolved', 'no_data'),
        severity: fc.constantFrom<Severity>('info', 'warning', 'critical'),
        since: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.nat()), (list, keys) => {
        const alarms = list.map((change, i) => alarmOf({ id: `a${i}`, ...change }));
        const mixed = alarms
          .map((alarm) => [keys.next().value as number, alarm] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, alarm]) => alarm);
        expect(ids(selectAlarms(mixed, ALL))).toEqual(ids(selectAlarms(alarms, ALL)));
      }),
    );
  });
});

describe('filters', () => {
  const alarms = [
    alarmOf({ id: 'a' }),
    alarmOf({ id: 'b', state: 'pending', severity: 'critical', labels: { rack: 'r12' } }),
    alarmOf({ id: 'c', silenced: ['s'] }),
    alarmOf({ id: 'd', acknowledged: taken, place: 'Node Seven' }),
  ];
  test.each([
    [{ state: 'firing' }, ['a', 'c', 'd']],
    [{ severity: 'critical' }, ['b']],
    [{ handled: 'open' }, ['a', 'b']],
    [{ handled: 'silenced' }, ['c']],
    [{ handled: 'acknowledged' }, ['d']],
    [{ search: 'rack=R12' }, ['b']],
    [{ search: 'seven disk' }, ['d']],
    [{ search: 'nothing like it' }, []],
  ] as const)('%j shows %j', (query, expected) => {
    expect(ids(selectAlarms(alarms, { ...ALL, ...query })).sort()).toEqual(expected);
  });

  test('counts by state, and of those that fire what somebody has taken', () => {
    expect(countAlarms([...alarms, alarmOf({ state: 'pending', silenced: ['s'] })])).toEqual({
      ...{ all: 5, firing: 3, no_data: 0, pending: 2, resolved: 0, silenced: 1, acknowledged: 1 },
    });
    expect(countOpen(alarms)).toBe(1);
    expect(countOpen([alarmOf({ silenced: ['s'], acknowledged: taken })])).toBe(0);
  });
});

describe('groups', () => {
  const many = (rule: string, count: number): Alarm[] =>
    Array.from({ length: count }, (_, i) =>
      alarmOf({ id: `${rule}${i}`, rule, name: rule, scope: `node/${i}`, place: `n${i}` }),
    );

  test('by rule: each once, with its alarms below', () => {
    const rows = groupAlarms(selectAlarms([...many('x', 2), ...many('y', 1)], ALL), 'rule', new Set());
    expect(rows.map((row) => (row.kind === 'group' ? `[${row.title} ${row.counts.firing}]` : row.id))).toEqual([
      ...['[x 2]', 'x0', 'x1', '[y 1]', 'y0'],
    ]);
  });

  test('by place: what one node has stands together', () => {
    const rows = groupAlarms([...many('x', 2), ...many('y', 2)], 'place', new Set());
    expect(rows.map((row) => (row.kind === 'group' ? `[${row.title}]` : row.id))).toEqual([
      ...['[n0]', 'x0', 'y0', '[n1]', 'x1', 'y1'],
    ]);
  });

  test('a large one begins closed and opens when it is asked; a small one the other way round', () => {
    const large = many('x', LARGE_GROUP + 1);
    expect(groupAlarms(large, 'rule', new Set())).toHaveLength(1);
    expect(groupAlarms(large, 'rule', new Set(['rule x']))).toHaveLength(LARGE_GROUP + 2);
    expect(groupAlarms(many('x', 2), 'rule', new Set(['rule x']))).toHaveLength(1);
  });

  test('10,000 alarms of one rule are one row', () => {
    expect(groupAlarms(many('x', 10_000), 'rule', new Set())).toHaveLength(1);
  });

  test('an engine of another name has its own nodes', () => {
    const rows = groupAlarms([alarmOf({ id: 'a' }), alarmOf({ id: 'b', from: 'other' })], 'place', new Set());
    expect(rows.filter(({ kind }) => kind === 'group')).toHaveLength(2);
  });
});

describe('where a plot is', () => {
  test.each([
    ['run/ab', '/ui/jobs/ab'],
    ['rank/ab/3', '/ui/jobs/ab'],
    ['node/n1', '/ui/node/n1'],
    ['target/t1', '/ui/targets/t1'],
    ['target/t1/node/n1', '/ui/targets/t1'],
    ['merge/Node: n1', '/ui/node/n1'],
    ['merge/main', null],
    ['run/', null],
    ['nonsense', null],
    ['node/a b?c', '/ui/node/a%20b%3Fc'],
  ])('%s: %s', (scope, path) => {
    expect(scopePath(scope)).toBe(path);
  });

  test('the range has room around what happened, does not reach beyond now, and is never empty', () => {
    const minute = 60_000;
    expect(rangeAround(100 * minute, 140 * minute, 1000 * minute)).toEqual({ from: 90 * minute, to: 150 * minute });
    expect(rangeAround(100 * minute, 101 * minute, 101 * minute)).toEqual({ from: 95 * minute, to: 101 * minute });
    const days = rangeAround(0, 30 * 86_400_000, 31 * 86_400_000);
    expect(days.to - days.from).toBeLessThan(86_400_000);
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), (from, to, now) => {
        const range = rangeAround(from, to, now);
        expect(range.from).toBeLessThan(from);
        expect(range.to).toBeGreaterThan(range.from + 1000);
      }),
    );
  });

  test('of an alarm: from when it fired, with its series', () => {
    const url = new URL(alarmPlot(alarmOf({ fired: 1_000_000, since: 1_200_000 }), 2_000_000)!, 'http://x');
    expect(url.pathname).toBe('/ui/node/n1');
    expect(url.searchParams.get('plot')).toBe('disk_free_bytes{device="sda"}');
    expect(Number(url.searchParams.get('from'))).toBeLessThan(1_000_000);
    expect(plotPath('merge/main', 'm', { from: 1, to: 2 })).toBeNull();
  });

  test('of an alarm of another engine: on the page of its target, not of what has the same name here', () => {
    const alarm = alarmOf({ id: 't1/a', from: 'http://n2:1337' });
    expect(scopeHere(alarm)).toBe('target/t1/node/n1');
    expect(new URL(alarmPlot(alarm, 2_000_000)!, 'http://x').pathname).toBe('/ui/targets/t1');
    const [group] = groupAlarms([alarm], 'place', new Set());
    expect(group).toMatchObject({ kind: 'group', key: 'target/t1/node/n1' });
  });

  test('the page of an alarm says where its history is', () => {
    const url = new URL(alarmPath(alarmOf({ id: 'a/b' })), 'http://x');
    expect(url.pathname).toBe('/ui/alarms/alarm/a/b');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ rule: 'r1', scope: 'node/n1', metric: 'disk_free_bytes{device="sda"}' },
    });
  });
});

describe('matchers of a silence', () => {
  const hits = (matchers: readonly Matcher[], alarm: Alarm): boolean =>
    compileMatchers(matchers, (text) => {
      const pattern = new LinearPattern(text, 5000);
      return (value) => pattern.matches(value);
    })(alarm.labels);
  const on = (name: string, node: string, more: Record<string, string> = {}): Alarm =>
    alarmOf({
      id: `${name} ${node}`,
      name,
      labels: { alarmname: name, scope: `node/${node}`, severity: 'info', ...more },
    });

  test('of one alarm: it, and not another device of the same node', () => {
    const matchers = matchersFor([on('Full disk', 'n1', { device: 'sda' })]);
    expect(hits(matchers, on('Full disk', 'n1', { device: 'sda' }))).toBe(true);
    expect(hits(matchers, on('Full disk', 'n1', { device: 'sdb' }))).toBe(false);
    expect(hits(matchers, on('Full disk', 'n2', { device: 'sda' }))).toBe(false);
  });

  test('of none there is none', () => {
    expect(matchersFor([])).toEqual([]);
    expect(silencesFor([])).toEqual([]);
  });

  test('of many: each is hit, and no rule at a place where it was not chosen', () => {
    const name = fc.constantFrom('a', 'b.*', 'c|d', 'e(f', '\\');
    const node = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, node), { minLength: 2, maxLength: 60 }), (pairs) => {
        const chosen = pairs.map(([rule, place]) => on(rule, place));
        const silences = silencesFor(chosen);
        const keys = new Set(pairs.map((pair) => pair.join('\n')));
        for (const alarm of chosen) expect(silences.some((matchers) => hits(matchers, alarm))).toBe(true);
        for (const rule of ['a', 'b.*', 'c|d', 'e(f', '\\', 'c', 'bx']) {
          for (const [, place] of pairs) {
            if (keys.has(`${rule}\n${place}`)) continue;
            expect(silences.some((matchers) => hits(matchers, on(rule, place)))).toBe(false);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('of very many places: as many silences as it takes, each of a length that is taken', () => {
    const chosen = Array.from({ length: 300 }, (_, i) => on('a', `node-with-a-long-name-${i}`));
    const silences = silencesFor(chosen);
    expect(silences.length).toBeGreaterThan(3);
    for (const { value } of silences.flat()) expect(value.length).toBeLessThanOrEqual(1024);
    expect(chosen.every((alarm) => silences.some((matchers) => hits(matchers, alarm)))).toBe(true);
  });
});

describe('the model', () => {
  function setUp() {
    let say: (change: LiveAlarms) => void = () => undefined;
    let watching = false;
    const model = new AlarmsModel({
      onAlarms: (listener) => {
        say = listener;
        watching = true;
        return () => (watching = false);
      },
    });
    return { model, say: (change: Partial<LiveAlarms>) => say(liveAlarms(change)), watching: () => watching };
  }

  test('is not loaded before the complete list, listens from the start, and forgets when it is closed', () => {
    const { model, say, watching } = setUp();
    model.start();
    expect(watching()).toBe(true);
    expect(model.snapshot().loaded).toBe(false);
    say({ all: true, alarms: [alarmOf()] });
    expect(model.snapshot()).toMatchObject({ loaded: true, open: 1 });
    model.close();
    expect(watching()).toBe(false);
    expect(model.snapshot()).toMatchObject({ loaded: false, open: 0 });
  });

  test('tells at once how many fire that nobody has taken, also where no frame is drawn', () => {
    const { model, say } = setUp();
    const told: number[] = [];
    model.start();
    model.onOpen((open) => told.push(open));
    say({ all: true, alarms: [alarmOf({ id: 'a' }), alarmOf({ id: 'b' })] });
    say({ alarms: [alarmOf({ id: 'a', acknowledged: taken })] });
    say({ alarms: [alarmOf({ id: 'b', state: 'resolved' })] });
    expect(told).toEqual([2, 1, 0]);
  });

  test('tells of events, and of what may have been missed', () => {
    const { model, say } = setUp();
    const heard: (readonly AlarmEvent[])[] = [];
    model.start();
    model.onEvents((events) => heard.push(events));
    say({ alarms: [alarmOf()] });
    say({ events: [eventOf()] });
    say({ missed: true });
    expect(heard).toEqual([[eventOf()], []]);
  });
});
