import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_ENDED_RANKS, MAX_RANK_VALUES, type LiveRun } from '../../../../src/engine/live/runs.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import type { InterruptedRun } from '../../../../src/engine/store/store.ts';
import { GRACE, harness, jobDesc, valuesOf, type Connection, type Harness } from '../ingest/harness.ts';

const START = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A client that pushes one value and stays. */
const join = (engine: Harness, jobid: string, value = 1): Connection =>
  engine.connect().job({ jobid }).counter('c').add('c', value);

describe('one run', () => {
  test('ranks that start while others are there belong to it', () => {
    const engine = harness();
    const first = join(engine, 'a');
    vi.advanceTimersByTime(60_000);
    const second = join(engine, 'a', 2);
    first.close();
    vi.advanceTimersByTime(60_000);
    expect(engine.run('a')).toMatchObject({ state: 'running', clients: 1, ranks: 2 });
    second.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles).toMatchObject([{ run: { jobid: 'a', ranks: 2 }, series: [{ name: 'c', value: 3 }] }]);
  });

  test('a shell loop of short clients is one, as long as each comes within the grace time', () => {
    const engine = harness();
    for (let i = 0; i < 10; i++) {
      join(engine, 'a').close();
      expect(engine.run('a').state).toBe('ending');
      vi.advanceTimersByTime(GRACE - 1);
    }
    expect(engine.profiles).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(engine.profiles).toMatchObject([{ run: { ranks: 10, state: 'finished' }, series: [{ value: 10 }] }]);
    join(engine, 'a');
    expect(engine.runs).toMatchObject({ ended: 1, live: new Map([['a', { ranks: 1 }]]) });
  });

  test('ends when its last client left, not when the grace time was over', () => {
    const engine = harness();
    const client = join(engine, 'a');
    vi.advanceTimersByTime(5000);
    client.close();
    expect(engine.told.at(-1)).toMatchObject({ state: 'ending', end_time: START + 5000, clients: 0 });
    vi.advanceTimersByTime(GRACE - 1);
    expect(engine.profiles).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(engine.profiles).toMatchObject([{ run: { state: 'finished', start_time: START, end_time: START + 5000 } }]);
    expect(engine.runs.live.size).toBe(0);
  });

  test('has no end while a client that came within the grace time is there', () => {
    const engine = harness();
    join(engine, 'a').close();
    vi.advanceTimersByTime(GRACE / 2);
    const client = join(engine, 'a');
    expect(engine.told.at(-1)).toMatchObject({ state: 'running', end_time: 0 });
    vi.advanceTimersByTime(100 * GRACE);
    expect(engine.profiles).toEqual([]);
    client.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles).toHaveLength(1);
  });

  test('a grace time that timers cannot hold does not end runs at once', () => {
    const engine = harness({ grace: 30 * 86_400_000 });
    join(engine, 'a').close();
    vi.advanceTimersByTime(86_400_000);
    expect(engine.run('a').state).toBe('ending');
  });
});

describe('its description', () => {
  test('its start is fixed by the first that says one, in ms', () => {
    const engine = harness();
    engine.connect().job({ jobid: 'a', start_time: 1_700_000_000 });
    engine.connect().job({ jobid: 'a', start_time: 1_700_000_009_000 });
    expect(engine.run('a').desc.start_time).toBe(1_700_000_000_000);
    engine.connect().job({ jobid: 'b' });
    vi.advanceTimersByTime(10);
    engine.connect().job({ jobid: 'b', start_time: 1_700_000_000 });
    expect(engine.run('b').desc.start_time).toBe(START);
  });

  test('what its ranks say is put together: the first word counts, the largest size', () => {
    const engine = harness();
    engine.connect().job({ jobid: 'a', size: 2, command: '', nodelist: 'n[1-2]', end_time: 5 });
    engine.connect().job({ jobid: 'a', size: 8, command: 'solver', nodelist: 'other', partition: 'p' });
    engine.connect().job({ jobid: 'a', size: 4, command: 'second', cluster: 'x', run_dir: '/d' });
    expect(engine.run('a').desc).toEqual({
      jobid: 'a',
      size: 8,
      command: 'solver',
      nodelist: 'n[1-2]',
      partition: 'p',
      cluster: 'x',
      run_dir: '/d',
      start_time: START,
      end_time: 0,
    });
  });

  test('one client that describes it twice is one rank of it, and may add what it knows now', () => {
    const engine = harness();
    const client = engine.connect().job({ jobid: 'a', size: 1 }).counter('c').add('c', 1);
    client.job({ jobid: 'a', size: 4, command: 'solver', start_time: 5 }).add('c', 1);
    expect(engine.run('a')).toMatchObject({
      ranks: 1,
      clients: 1,
      desc: { size: 4, command: 'solver', start_time: START },
    });
    expect(engine.told.at(-1)).toMatchObject({ size: 4, command: 'solver' });
    expect(valuesOf(engine.run('a').scope)).toEqual({ c: 2 });
  });

  test('a job id that comes back is another run', () => {
    const engine = harness();
    const ids = [1, 2].map((value) => {
      const client = join(engine, 'a', value);
      const { id } = engine.run('a');
      client.close();
      vi.advanceTimersByTime(GRACE);
      expect(engine.runs.byId(id)).toBeNull();
      return id;
    });
    expect(new Set(ids).size).toBe(2);
    expect(engine.profiles.map((p) => [p.run.id, p.series[0]!.value])).toEqual([
      [ids[0], 1],
      [ids[1], 2],
    ]);
  });
});

describe('an interrupted run', () => {
  function interrupted(overrides: Partial<InterruptedRun['run']> = {}): InterruptedRun {
    const scope = new Scope('run/earlier', 'run');
    for (const name of ['c', 'd']) scope.register(name, `doc of ${name}`, 'counter');
    scope.register('g', '', 'gauge');
    scope.increase(0, 1000);
    scope.putGauge(0, Float64Array.of(1, 2, 3, 6));
    return {
      run: {
        ...jobDesc({
          jobid: 'a',
          start_time: 1_700_000_000_000,
          end_time: 1_700_000_050_000,
          command: 'solver',
          size: 4,
        }),
        id: 'earlier',
        scope: 'run/earlier',
        state: 'interrupted',
        nodes: ['n0'],
        ranks: 3,
        clients: 0,
        series: 3,
        headline: 'c',
        ...overrides,
      },
      snapshot: { time: 1_700_000_050_000, series: scope.allDefs(), columns: scope },
    };
  }

  test.each([
    ['the same start, in seconds', 1_700_000_000],
    ['the same start, in ms', 1_700_000_000_000],
  ])('goes on when a client of its job has %s', (_, start_time) => {
    const engine = harness({ interrupted: [interrupted()] });
    const client = engine.connect().job({ jobid: 'a', start_time }).counter('d').counter('c').add('c', 5).add('d', 1);
    const run = engine.run('a');
    expect(run).toMatchObject({
      id: 'earlier',
      ranks: 4,
      state: 'running',
      desc: { command: 'solver', size: 4, end_time: 0 },
    });
    expect([...run.nodes]).toEqual(['n0', 'n1']);
    expect(valuesOf(run.scope)).toEqual({ c: 1005, d: 1, g: { min: 1, max: 2, hits: 3, total: 6 } });
    expect(run.profile().ranks).toEqual([{ rank: 3, node: 'n1', values: [5, 1, null] }]);
    client.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles).toMatchObject([
      { run: { id: 'earlier', state: 'finished', start_time: 1_700_000_000_000, end_time: START } },
    ]);
  });

  test('what it counted before is no increase of the first period', () => {
    const engine = harness({ interrupted: [interrupted()] });
    engine.connect().job({ jobid: 'a', start_time: 1_700_000_000 }).counter('c').add('c', 5);
    engine.run('a').tick(1);
    expect(engine.run('a')).toMatchObject({ headline: 'c', headlineRate: 5 });
  });

  test.each([
    ['another start', { jobid: 'a', start_time: 1_700_000_001_000 }],
    ['no start', { jobid: 'a', start_time: 0 }],
    ['another job id', { jobid: 'b', start_time: 1_700_000_000_000 }],
  ])('stays over for a client with %s', (_, desc) => {
    const engine = harness({ interrupted: [interrupted()] });
    engine.connect().job(desc).counter('c').add('c', 5);
    const run = engine.run(desc.jobid);
    expect(run.id).not.toBe('earlier');
    expect(valuesOf(run.scope)).toEqual({ c: 5 });
    expect(run.ranks).toBe(1);
  });

  test('without a start of its own stays over', () => {
    const engine = harness({ interrupted: [interrupted({ start_time: 0 })] });
    engine.connect().job({ jobid: 'a', start_time: 0 });
    expect(engine.run('a').id).not.toBe('earlier');
  });

  describe('of ranks', () => {
    const launch = (n: number): string => `${String(n).repeat(16)}-${n}-1`;
    /** Each has a start of its own, within the run's life. */
    const desc = (n: number) => jobDesc({ jobid: 'a', size: 4, start_time: 1_700_000_001_000 + n });
    const numbers = (run: LiveRun): number[] => [...run.rankList()].map(({ rank }) => rank);
    const message = (engine: Harness, n: number, rank?: number): Connection => {
      const connection = engine.connect();
      connection.push(`${JSON.stringify({ JobDesc: { ...desc(n), launch: launch(n), rank } })}\0`);
      return connection;
    };
    const table = (engine: Harness, n: number, { rank, number }: { rank?: number; number?: number }): Connection => {
      const connection = engine.connect();
      const before = { run: 'earlier', number };
      expect(connection.client.begin({ ...desc(n), launch: launch(n), rank }, before)).toBeNull();
      return connection;
    };

    test('they have their numbers again, in whatever order they are back, and are counted once', () => {
      const engine = harness({ interrupted: [interrupted({ ranks: 4 })] });
      message(engine, 3, 3);
      for (const rank of [2, 3, 0, 1]) table(engine, rank, { rank }).counter('c').add('c', rank);
      for (const rank of [1, 0, 2]) message(engine, rank, rank);
      const run = engine.run('a');
      expect([run.id, run.ranks, run.clients]).toEqual(['earlier', 4, 4]);
      expect(run.profile().ranks.map(({ rank, values }) => [rank, values[0]])).toEqual([0, 1, 2, 3].map((n) => [n, n]));
    });

    test('one without an MPI rank has the number that it had; a new one has a new one', () => {
      const engine = harness({ interrupted: [interrupted({ ranks: 5 })] });
      message(engine, 9);
      table(engine, 9, { number: 4 });
      for (const rank of [0, 1, 2, 3]) table(engine, rank, { rank });
      const run = engine.run('a');
      expect([run.ranks, numbers(run)]).toEqual([5, [4, 0, 1, 2, 3]]);
      join(engine, 'a');
      expect([run.ranks, numbers(run).at(-1)]).toEqual([6, 6]);
    });

    test('ranks that began after it was interrupted are new', () => {
      const engine = harness({ interrupted: [interrupted({ ranks: 1 })] });
      table(engine, 1, { rank: 0 });
      const late = { ...jobDesc({ jobid: 'a', start_time: START }), launch: launch(2), rank: 1 };
      engine.connect().push(`${JSON.stringify({ JobDesc: late })}\0`);
      expect([engine.run('a').ranks, numbers(engine.run('a'))]).toEqual([2, [0, 1]]);
    });

    test.each([
      ['before it', 1_600_000_000_000],
      ['after it', 1_700_000_060_000],
    ])('it stays over for a launch %s', (_, start_time) => {
      const engine = harness({ interrupted: [interrupted()] });
      engine.connect().push(`${JSON.stringify({ JobDesc: { ...desc(0), start_time, launch: launch(1) } })}\0`);
      expect(engine.run('a').id).not.toBe('earlier');
    });
  });

  test('goes on once: when it has ended, its job begins anew', () => {
    const engine = harness({ interrupted: [interrupted()] });
    for (const id of ['earlier', expect.not.stringContaining('earlier')]) {
      const client = engine.connect().job({ jobid: 'a', start_time: 1_700_000_000 });
      expect(engine.run('a').id).toEqual(id);
      client.close();
      vi.advanceTimersByTime(GRACE);
    }
  });
});

describe('ranks', () => {
  test('keep their values for the profile, numbered by arrival, with null where they have none', () => {
    const engine = harness();
    const one = engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1);
    const two = engine
      .connect()
      .job({ jobid: 'a' })
      .gauge('g')
      .set('g', { min: 1, max: 3, hits: 2, total: 4 })
      .counter('d');
    engine.connect().job({ jobid: 'a' }).close();
    two.close();
    one.add('c', 4).gauge('unset').close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles[0]!.series.map((s) => s.name)).toEqual(['c', 'd', 'g', 'unset']);
    expect(engine.profiles[0]!.ranks).toEqual([
      { rank: 0, node: 'n1', values: [5, null, null, null] },
      { rank: 1, node: 'n1', values: [null, 0, 2, null] },
    ]);
    expect(engine.profiles[0]!.run.ranks).toBe(3);
  });

  test('beyond the limit they are folded into one entry, and nothing is lost', () => {
    const engine = harness();
    const extra = 10;
    for (let i = 0; i < MAX_ENDED_RANKS + extra; i++) {
      const client = engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1);
      if (i % 2 === 0) client.counter('d').add('d', 2);
      client.close();
    }
    vi.advanceTimersByTime(GRACE);
    const { run, ranks, series } = engine.profiles[0]!;
    expect(run.ranks).toBe(MAX_ENDED_RANKS + extra);
    expect(ranks).toHaveLength(MAX_ENDED_RANKS + 1);
    expect(ranks.at(-1)).toEqual({ rank: MAX_ENDED_RANKS, node: '(folded)', values: [extra, extra] });
    const sum = (i: number): number => ranks.reduce((total, rank) => total + (rank.values[i] ?? 0), 0);
    expect([sum(0), sum(1)]).toEqual(series.map((s) => s.value));
  });
});

describe('the size of a profile', () => {
  test('a run that is wide and long keeps fewer ranks apart, and still loses nothing', () => {
    const engine = harness();
    const [series, clients] = [5000, 300];
    for (let c = 0; c < clients; c++) {
      const client = engine.connect().job({ jobid: 'a' });
      const from = (c * 37) % series;
      for (let i = 0; i < 20; i++) client.counter(`m${(from + i) % series}`).add(`m${(from + i) % series}`, 1);
      client.close();
    }
    vi.advanceTimersByTime(GRACE);
    const { ranks, series: values } = engine.profiles[0]!;
    expect(ranks.length * values.length).toBeLessThanOrEqual(MAX_RANK_VALUES + values.length);
    const total = ranks.reduce((sum, rank) => sum + rank.values.reduce<number>((a, v) => a + (v ?? 0), 0), 0);
    expect(total).toBe(20 * clients);
    expect(values.reduce((sum, v) => sum + (v.value ?? 0), 0)).toBe(20 * clients);
  });
});

describe('many at once', () => {
  test('end a few at a time, in order, and one whose client comes back meanwhile goes on', () => {
    const engine = harness();
    const jobs = Array.from({ length: 500 }, (_, i) => `job-${i}`);
    const clients = jobs.map((jobid) => join(engine, jobid));
    for (const client of clients) client.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles.length).toBeGreaterThan(0);
    expect(engine.profiles.length).toBeLessThan(100);
    expect(engine.run('job-400').state).toBe('ending');
    const back = join(engine, 'job-400');
    vi.advanceTimersByTime(2000);
    expect(engine.profiles.map(({ run }) => run.jobid)).toEqual(jobs.filter((jobid) => jobid !== 'job-400'));
    expect(engine.run('job-400')).toMatchObject({ state: 'running', ranks: 2 });
    back.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles.at(-1)).toMatchObject({ run: { jobid: 'job-400' }, series: [{ name: 'c', value: 2 }] });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('closing', () => {
  test('ends runs with clients as interrupted and others as finished, at once', () => {
    const engine = harness();
    const client = join(engine, 'a');
    join(engine, 'b').close();
    vi.advanceTimersByTime(100);
    engine.runs.close();
    expect(engine.profiles.map((p) => [p.run.jobid, p.run.state, p.run.end_time])).toEqual([
      ['a', 'interrupted', START + 100],
      ['b', 'finished', START],
    ]);
    client.close();
    vi.advanceTimersByTime(10 * GRACE);
    expect(engine.profiles).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('clients that come after it harm nothing: nobody is told of them', () => {
    const engine = harness();
    engine.runs.close();
    const told = engine.told.length;
    join(engine, 'late').job({ jobid: 'late', command: 'c' }).close();
    vi.advanceTimersByTime(10 * GRACE);
    expect(engine.told).toHaveLength(told);
    expect(engine.profiles).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('however connections end', () => {
  const message = fc.oneof(
    fc
      .constantFrom('a', 'b', '', 'main', '../x')
      .map((jobid) => `${JSON.stringify({ JobDesc: jobDesc({ jobid }) })}\0`),
    fc
      .tuple(
        fc.constantFrom('c', 'd'),
        fc.constantFrom('{"Counter":{"ts":0,"value":0.0}}', '{"Gauge":{"min":0,"max":0,"hits":0,"total":0}}'),
      )
      .map(([name, ctype]) => `{"Desc":{"name":"${name}","doc":"","ctype":${ctype}}}\0`),
    fc
      .tuple(
        fc.constantFrom('c', 'd', 'e'),
        fc.constantFrom('{"Counter":{"ts":1,"value":1.0}}', '{"Gauge":{"min":1.0,"max":1.0,"hits":1.0,"total":1.0}}'),
      )
      .map(([name, value]) => `{"Value":{"name":"${name}","value":${value}}}\0`),
    fc.constantFrom('garbage\0', '\0', '{"Value":{"name":"c"', 'x'.repeat(3000), '\0'.repeat(120)),
  );
  const step = fc.record({
    who: fc.nat(3),
    what: fc.oneof(
      { weight: 10, arbitrary: message },
      { weight: 2, arbitrary: fc.constant('close' as const) },
      { weight: 1, arbitrary: fc.constant('twice' as const) },
    ),
    wait: fc.constantFrom(0, 0, 0, 1, GRACE - 1, GRACE),
  });

  test('no run is left over after the grace time, each one ends once, and no contributor stays', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const seen = new Set<LiveRun>();
        const ends: LiveRun[] = [];
        const engine = harness({ onOpen: (run) => seen.add(run), onEnd: (run) => ends.push(run) });
        const connections = new Map<number, Connection>();
        const close = (who: number): void => {
          connections.get(who)?.close();
          connections.delete(who);
        };
        for (const { who, what, wait } of steps) {
          if (what === 'twice') connections.get(who)?.close();
          if (what === 'twice' || what === 'close') close(who);
          else {
            let connection = connections.get(who);
            if (!connection) connections.set(who, (connection = engine.connect()));
            if (!connection.push(what)) close(who);
          }
          vi.advanceTimersByTime(wait);
          const inRuns = [...engine.runs.live.values()].reduce((sum, run) => sum + run.clients, 0);
          expect(inRuns + engine.node.contributors.size).toBeLessThanOrEqual(connections.size);
        }
        for (const who of connections.keys()) close(who);
        for (const run of engine.runs.live.values()) expect(run).toMatchObject({ clients: 0, state: 'ending' });
        vi.advanceTimersByTime(GRACE);
        expect(engine.runs.live.size).toBe(0);
        expect(engine.node.contributors.size).toBe(0);
        expect(new Set(ends)).toEqual(seen);
        expect(ends).toHaveLength(seen.size);
        expect(engine.runs.ended).toBe(seen.size);
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
