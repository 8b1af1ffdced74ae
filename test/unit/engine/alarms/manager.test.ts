/** The manager with a clock that ticks when told: what is written and told when, and how timers go on over a restart. */

import { describe, expect, test } from 'vitest';
import { Alarms } from '../../../../src/engine/alarms/alarms.ts';
import { Evaluator } from '../../../../src/engine/alarms/evaluate.ts';
import type { Notifier, NotifierHost } from '../../../../src/engine/alarms/notifier.ts';
import { recordsOver } from '../../../../src/engine/alarms/records-store.ts';
import type { Scope } from '../../../../src/engine/live/scope.ts';
import { memoryAlarmStore, type AlarmStore } from '../../../../src/engine/store/alarm-records.ts';
import type { Alarm } from '../../../../src/shared/api/alarms.ts';
import type { LiveAlarms } from '../../../../src/shared/api/live.ts';
import { alarm as sampleAlarm } from '../../../support/alarm-notify.ts';
import { about, node, put, rule, run, T0 } from '../../../support/alarms.ts';

/** What a notifier was told, as `NAME state silenced/acknowledged`. */
class Listener {
  readonly heard: string[] = [];
  readonly notifier = {
    restore: async () => undefined,
    changed: (alarms: readonly Alarm[]) => {
      for (const { metric, state, silenced, acknowledged } of alarms) {
        const quiet = [...(silenced.length > 0 ? ['silenced'] : []), ...(acknowledged ? ['acknowledged'] : [])];
        this.heard.push([metric, state, ...quiet].join(' '));
      }
    },
    tick: () => undefined,
    watch: () => () => undefined,
    close: async () => undefined,
  } as unknown as Notifier;
}

class Engine {
  readonly listener = new Listener();
  readonly warnings: string[] = [];
  readonly targets = new Set<string>();
  time: number;
  alarms!: Alarms;
  host: NotifierHost | null = null;
  #sequence = 0;

  constructor(time = T0) {
    this.time = time;
  }

  async open(store: AlarmStore, until = this.time): Promise<this> {
    this.alarms = await Alarms.open(
      {
        records: recordsOver(store),
        engine: 'host',
        now: () => this.time,
        warn: (message) => void this.warnings.push(message),
        announce: () => undefined,
        hasTarget: (id) => this.targets.has(id),
        evaluator: async () => new Evaluator({ about, merge: () => null }),
        // oxlint-disable-next-line require-yield -- not asked for here
        async *preview() {
          throw new Error('not here');
        },
        notifier: async (_records, host) => {
          this.host = host;
          return this.listener.notifier;
        },
      },
      async () => until,
    );
    await this.alarms.notifier();
    return this;
  }

  /** One second later. */
  async tick(...scopes: readonly Scope[]): Promise<void> {
    const first = this.#sequence === 0;
    if (!first) this.time += 1000;
    const interval = first ? 0 : 1000;
    this.alarms.tick({ time: this.time, interval, sequence: this.#sequence++, gap: first }, scopes);
    await this.alarms.journal.flush();
  }

  states(): string[] {
    return Array.from(this.alarms.book, ({ metric, state }) => `${metric} ${state}`).sort();
  }
}

const add = (engine: Engine, settings: Parameters<typeof rule>[1] = {}): Promise<unknown> =>
  engine.alarms.desk.add({ settings: rule('r', { op: '>', raise: 10, ...settings }).settings, origin: 'hand' });

describe('over a restart', () => {
  test('the wait goes on where it was: the time in between does not count, what was watched does', async () => {
    const store = memoryAlarmStore();
    const before = await new Engine().open(store);
    await add(before, { for: '10s' });
    const scope = node();
    put(scope, 'm', 11);
    for (let i = 0; i < 6; i++) await before.tick(scope);
    expect(before.states()).toEqual(['m pending']);
    const watched = before.time;
    // Killed: nothing more is written. It is down for an hour.
    const after = await new Engine(before.time + 3_600_000).open(store, watched);
    expect(after.states()).toEqual(['m pending']);
    const fired: number[] = [];
    for (let i = 0; i < 8; i++) {
      await after.tick(scope);
      if (after.states()[0] === 'm firing') fired.push(i);
    }
    // 5 s were watched before, 5 s more were to come; the first tick after a start has no length.
    expect(fired[0]).toBe(5);
    expect(after.listener.heard).toEqual(['m firing']);
    const { events } = await after.alarms.history({ limit: 10 });
    expect(events.map(({ state, number }) => [state, number])).toEqual([
      ['firing', 2],
      ['pending', 1],
    ]);
  });

  test('so does the time that it keeps firing', async () => {
    const store = memoryAlarmStore();
    const before = await new Engine().open(store);
    await add(before, { keep_firing_for: '10s' });
    const scope = node();
    put(scope, 'm', 11);
    await before.tick(scope);
    await before.tick(scope);
    put(scope, 'm', 1);
    for (let i = 0; i < 6; i++) await before.tick(scope);
    expect(before.states()).toEqual(['m firing']);
    const after = await new Engine(before.time + 60_000).open(store, before.time);
    const over: number[] = [];
    for (let i = 0; i < 8; i++) {
      await after.tick(scope);
      if (after.states()[0] === 'm resolved') over.push(i);
    }
    expect(over[0]).toBe(5);
    expect(after.listener.heard).toEqual(['m resolved']);
  });

  test('a run that does not come back is over after a while; what was told as firing is told as resolved', async () => {
    const store = memoryAlarmStore();
    const before = await new Engine().open(store);
    await add(before);
    const job = run('j');
    put(job, 'm', 11);
    await before.tick(job);
    await before.alarms.close();
    const after = await new Engine(before.time + 1000).open(store);
    expect(after.states()).toEqual(['m firing']);
    for (let i = 0; i < 302; i++) await after.tick(node());
    expect(after.listener.heard).toEqual(['m resolved']);
  });

  test('documents that nobody understands are left out and said, the rest goes on', async () => {
    const store = memoryAlarmStore();
    const before = await new Engine().open(store);
    await add(before);
    await before.alarms.close();
    await store.write(
      [
        { kind: 'rule', id: 'bad', body: '{"id":"bad"}' },
        { kind: 'rule', id: 'worse', body: '{' },
        { kind: 'acknowledgement', id: 'x', body: '7' },
        { kind: 'silence', id: 'y', body: '[]' },
        { kind: 'instance', id: 'z', body: '{"rule":7}' },
        { kind: 'child', id: 'a/b', body: '{}' },
      ],
      [],
    );
    const after = await new Engine().open(store);
    expect(after.warnings).toEqual(['1 rule(s) for alarms cannot be understood and are left out']);
    expect(Array.from(after.alarms.rules, ({ settings }) => settings.name)).toEqual(['r']);
    expect(await store.read('acknowledgement')).toEqual([]);
  });
});

describe('who is told', () => {
  test('of what begins and ends to fire, is silenced or acknowledged; not of what only waits', async () => {
    const engine = await new Engine().open(memoryAlarmStore());
    await add(engine, { for: '2s' });
    const scope = node();
    put(scope, 'm', 11);
    await engine.tick(scope);
    await engine.tick(scope);
    expect([engine.states(), engine.listener.heard]).toEqual([['m pending'], []]);
    await engine.tick(scope);
    await engine.tick(scope);
    const [held] = engine.alarms.book;
    await engine.alarms.acknowledge({ alarms: [held!.id], comment: '', on: true }, 'me');
    await engine.alarms.acknowledge({ alarms: [held!.id], comment: '', on: true }, 'me again');
    await engine.alarms.acknowledge({ alarms: [held!.id], comment: '', on: false }, 'me');
    const matchers = [{ label: 'alarmname', op: '=' as const, value: 'r' }];
    const { time } = engine;
    await engine.alarms.silences.add({ matchers, from: time, to: time + 2500, recurring: null, comment: '' }, 'me');
    for (let i = 0; i < 3; i++) await engine.tick(scope);
    put(scope, 'm', 1);
    await engine.tick(scope);
    expect(engine.listener.heard).toEqual([
      'm firing',
      'm firing acknowledged',
      'm firing',
      'm firing silenced',
      'm firing',
      'm resolved',
    ]);
  });

  test('what became of messages stands in the history of what they were about', async () => {
    const engine = await new Engine().open(memoryAlarmStore());
    await add(engine);
    const scope = node();
    put(scope, 'm', 11);
    await engine.tick(scope);
    const [held] = engine.alarms.book;
    const told = { alarm: held!.id, time: engine.time };
    engine.host!.told([
      { ...told, kind: 'delivered', note: 'mail' },
      { ...told, kind: 'failed', note: 'chat: refused' },
      { ...told, alarm: 'none', kind: 'failed', note: '' },
    ]);
    await engine.alarms.journal.flush();
    expect([...engine.host!.firing()].map(({ id }) => id)).toEqual([held!.id]);
    const { events } = await engine.alarms.history({ limit: 10 });
    expect(events.map(({ kind, note, state }) => [kind, note, state])).toEqual([
      ['failed', 'chat: refused', null],
      ['delivered', 'mail', null],
      ['state', '', 'firing'],
    ]);
  });
});

describe('a disk that refuses', () => {
  /** Refuses to write while `fails`. */
  class Stubborn {
    fails = false;
    attempts = 0;
    readonly store = memoryAlarmStore();

    readonly refusing: AlarmStore = {
      ...this.store,
      write: async (records, events) => {
        this.attempts++;
        if (this.fails) throw new Error('the disk is full');
        await this.store.write(records, events);
      },
    };
  }

  test('does not keep people from being told, once; all of it is written when it can be', async () => {
    const disk = new Stubborn();
    const engine = await new Engine().open(disk.refusing);
    await add(engine);
    disk.fails = true;
    const scope = node();
    put(scope, 'm', 11);
    await engine.tick(scope);
    expect(engine.listener.heard).toEqual(['m firing']);
    put(scope, 'm', 1);
    await engine.tick(scope);
    put(scope, 'm', 12);
    await engine.tick(scope);
    disk.fails = false;
    await engine.alarms.close();
    expect(engine.listener.heard).toEqual(['m firing', 'm resolved', 'm firing']);
    expect(engine.warnings).toEqual(['alarms cannot be written, and are tried again: the disk is full']);
    const { events } = await recordsOver(disk.store).history({ limit: 10 });
    expect(events.map(({ number, state, value }) => [number, state, value])).toEqual([
      [3, 'firing', 12],
      [2, 'resolved', 1],
      [1, 'firing', 11],
    ]);
    const kept = (await disk.store.read('instance')).map(({ body }) => JSON.parse(body!) as { state: string });
    expect(kept.map(({ state }) => state)).toEqual(['firing']);
  });

  test('a rule, or a silence, that cannot be written is not on the list', async () => {
    const disk = new Stubborn();
    const engine = await new Engine().open(disk.refusing);
    disk.fails = true;
    await expect(add(engine)).rejects.toThrow('the disk is full');
    expect(engine.alarms.rules.size).toBe(0);
    const silence = { from: T0, to: T0 + 1000, recurring: null, comment: '' };
    const matchers = [{ label: 'a', op: '=' as const, value: 'b' }];
    await expect(engine.alarms.silences.add({ ...silence, matchers }, 'me')).rejects.toThrow('the disk is full');
    expect(engine.alarms.silences.list()).toEqual([]);
    disk.fails = false;
    await add(engine);
    disk.fails = true;
    const [only] = engine.alarms.rules;
    await expect(engine.alarms.desk.remove(only!.id)).rejects.toThrow('the disk is full');
    expect(engine.alarms.rules.size).toBe(1);
  });
});

describe('an engine below', () => {
  const given = (over: Partial<Alarm> = {}): Alarm =>
    sampleAlarm('a', { metric: 'm', scope: 'run/1', labels: {}, ...over });

  /** What it says: all that it has. */
  function says(engine: Engine, alarms: Alarm[], more: Partial<LiveAlarms> = {}): Promise<void> {
    const counts = { inactive: 0, pending: 0, firing: 0, resolved: 0, no_data: 0, silenced: 0, acknowledged: 0 };
    const update = { all: true, alarms, removed: [], events: [], number: 1, missed: false, counts, ...more };
    engine.alarms.fromTarget('t', 'http://below', { type: 'alarms', ...update });
    return engine.alarms.journal.flush();
  }

  test('the end of what was told here is told here, also when that engine has a channel by then', async () => {
    const engine = await new Engine().open(memoryAlarmStore());
    await says(engine, [given({ told: false })]);
    await says(engine, [given({ told: true })]);
    await says(engine, [given({ told: true, state: 'resolved' })]);
    await says(engine, []);
    expect(engine.listener.heard).toEqual(['m firing', 'm resolved']);
  });

  test('a silence of the series is no end, and does not hide the end', async () => {
    const engine = await new Engine().open(memoryAlarmStore());
    await says(engine, [given()]);
    await says(engine, [given({ state: 'no_data' })]);
    await says(engine, [given({ state: 'resolved' })]);
    expect(engine.listener.heard).toEqual(['m firing', 'm resolved']);
  });

  test('that was removed while this one was down is forgotten, and the end is told', async () => {
    const store = memoryAlarmStore();
    const before = await new Engine().open(store);
    await says(before, [given()]);
    const after = new Engine();
    after.targets.add('t');
    await after.open(store);
    for (let i = 0; i < 400; i++) await after.tick();
    expect([...after.alarms.children]).toHaveLength(1);
    after.targets.clear();
    for (let i = 0; i < 400; i++) await after.tick();
    expect([...after.alarms.children]).toEqual([]);
    expect(after.listener.heard).toEqual(['m inactive']);
    expect(await store.read('child')).toEqual([]);
  });

  test('cannot have a link that is a program, nor fill the memory', async () => {
    const engine = await new Engine().open(memoryAlarmStore());
    const long = 'x'.repeat(1024 * 1024);
    await says(engine, [given({ id: 'link', link: 'javascript:alert(1)' })]);
    for (let i = 0; i < 30; i++) {
      await says(engine, [given({ id: `a${i}`, description: long })], { all: false, more: true });
    }
    const held = [...engine.alarms.children];
    expect(held.find(({ alarm: { id } }) => id === 't/link')!.alarm.link).toBe('');
    expect(held.length).toBeLessThan(17);
    // Room that was taken is free again.
    await says(engine, []);
    await says(engine, [given({ id: 'b', description: long })]);
    expect([...engine.alarms.children].map(({ alarm: { id } }) => id)).toEqual(['t/b']);
  });
});
