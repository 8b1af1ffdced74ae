import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createNotifier } from '../../../../../src/engine/alarms/notify/index.ts';
import type { Notifier } from '../../../../../src/engine/alarms/notifier.ts';
import type { Alarm } from '../../../../../src/shared/api/alarms.ts';
import { NewChannel, Route, type NewChannelInput, type RouteInput } from '../../../../../src/shared/api/channels.ts';
import type { LiveNotification } from '../../../../../src/shared/api/live.ts';
import { Alarms, MemoryRecords, alarm, collect, resolved } from '../../../../support/alarm-notify.ts';

const START = 1_700_000_000_000;
beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

interface Scene {
  readonly records: MemoryRecords;
  readonly alarms: Alarms;
  readonly notifier: Notifier;
  readonly shown: LiveNotification[];
  /** Puts them on the list and tells of them. */
  put(...alarms: Alarm[]): void;
  /** Another start of the engine, the one before killed. */
  again(): Promise<Scene>;
}

async function scene(records = new MemoryRecords(), alarms = new Alarms()): Promise<Scene> {
  const settings = { private: true, plaintext: false } as const;
  const notifier = createNotifier(records, alarms, { data: null, engine: 'here', settings, random: () => 0 });
  await notifier.restore();
  const { shown, show } = collect();
  notifier.watch(show);
  return {
    ...{ records, alarms, notifier, shown },
    put: (...list) => notifier.changed(alarms.put(...list), Date.now()),
    async again() {
      const kept = new MemoryRecords();
      for (const [key, text] of records.kept) kept.kept.set(key, text);
      records.left = 0;
      return scene(kept, alarms);
    },
  };
}

const desktop = (over: Partial<NewChannelInput> = {}): NewChannel =>
  NewChannel.parse({ name: 'desktop', settings: { kind: 'desktop' }, ...over });

async function withChannel(
  over: Partial<NewChannelInput> = {},
  route?: Partial<RouteInput>,
): Promise<Scene & { id: string }> {
  const found = await scene();
  const { id } = await found.notifier.addChannel(desktop(over));
  if (route) await found.notifier.setRoutes([Route.parse({ channels: [id], ...route })]);
  return { ...found, id };
}

const texts = (shown: readonly LiveNotification[]): string[] => shown.map(({ kind, title }) => `${kind}: ${title}`);

test('told at once, its end after the interval, and nothing more', async () => {
  const { put, shown, alarms } = await withChannel();
  const first = alarm('a', { fired: START });
  put(first);
  await pass(50);
  expect(texts(shown)).toEqual(['firing: Disk full: node7 = 97.125 (warning)']);
  await pass(5000);
  put(resolved(first, Date.now()));
  await pass(54_000);
  expect(shown).toHaveLength(1);
  await pass(2000);
  expect(texts(shown)).toEqual([expect.any(String), 'resolved: Resolved: Disk full: node7 (warning)']);
  await pass(86_400_000);
  expect(shown).toHaveLength(2);
  expect(alarms.events.map(({ kind, note }) => `${kind} ${note}`)).toEqual(['delivered desktop', 'delivered desktop']);
});

test('ten thousand alarms at once are one message of their group', async () => {
  const { put, shown } = await withChannel();
  put(...Array.from({ length: 10_000 }, (_, i) => alarm(`a${i}`, { place: `node${i}`, fired: START })));
  await pass(1000);
  expect(texts(shown)).toEqual(['firing: 10000 × Disk full: node0, node1, node2 and 9997 more (warning)']);
  expect(shown[0]!.alarms).toHaveLength(100);
  expect(shown[0]!.text.length).toBeLessThanOrEqual(1000);
});

test('ten thousand groups at once: as many messages as may be, the rest together in the last', async () => {
  const { put, shown, notifier } = await withChannel({ per_minute: 10 }, { group_by: ['mount'] });
  const all = Array.from({ length: 10_000 }, (_, i) =>
    alarm(`a${i}`, { fired: START, severity: i === 7777 ? 'critical' : 'info' }),
  );
  put(...all);
  await pass(60_000);
  expect(shown).toHaveLength(5);
  // What matters most is not in the heap.
  expect(shown[0]!.title).toContain('critical');
  expect(shown[4]!.title).toMatch(/^9996 × Disk full/);
  put(...all.map((each) => resolved(each, Date.now())));
  await pass(60_000);
  expect(shown.length).toBeLessThanOrEqual(10);
  await pass(10 * 60_000);
  expect(notifier.figures()).toEqual({ waiting: 0, sent: shown.length, failed: 0 });
  const ended = shown
    .filter(({ kind }) => kind === 'resolved')
    .map(({ title }) => Number(/Resolved: (\d+)?/.exec(title)?.[1] ?? 1));
  expect(ended.reduce((a, b) => a + b, 0)).toBe(10_000);
});

test('what comes and goes is told once in an interval at most', async () => {
  const { put, shown } = await withChannel();
  for (let i = 0; i < 600; i++) {
    const now = Date.now();
    put(i % 2 === 0 ? alarm('a', { fired: now }) : resolved(alarm('a'), now));
    await pass(1000);
  }
  expect(shown.length).toBeGreaterThan(1);
  expect(shown.length).toBeLessThanOrEqual(11);
});

test('the first message of a group waits for others', async () => {
  const { put, shown } = await withChannel({}, { group_wait: '10s' });
  put(alarm('a', { fired: START }));
  await pass(9000);
  put(alarm('b', { fired: START + 9000, place: 'node8' }));
  expect(shown).toEqual([]);
  await pass(1500);
  expect(texts(shown)).toEqual(['firing: 2 × Disk full: node7, node8 (warning)']);
  // A short one is nobody's business.
  put(alarm('c', { name: 'Swap', fired: Date.now() }));
  await pass(5000);
  put(resolved(alarm('c', { name: 'Swap' }), Date.now()));
  await pass(120_000);
  expect(shown).toHaveLength(1);
});

test('told again while it fires, but not what is acknowledged or silenced', async () => {
  const { put, shown } = await withChannel({}, { repeat: '1h' });
  put(alarm('a', { fired: START }), alarm('b', { fired: START, place: 'node8' }));
  await pass(3_600_000);
  await pass(1000);
  expect(texts(shown)).toEqual([expect.any(String), 'repeat: Still firing: 2 × Disk full: node7, node8 (warning)']);
  put(alarm('a', { fired: START, acknowledged: { by: 'me', time: 1, comment: '' } }));
  await pass(3_600_000);
  expect(shown.at(-1)!.title).toBe('Still firing: Disk full: node8 = 97.125 (warning)');
  put(alarm('b', { fired: START, place: 'node8', silenced: ['s'] }));
  await pass(10 * 3_600_000);
  expect(shown).toHaveLength(3);
  // Their end is told all the same: people know of the beginning.
  put(resolved(alarm('a'), Date.now()), resolved(alarm('b', { silenced: ['s'] }), Date.now()));
  await pass(1000);
  expect(shown.at(-1)!.title).toBe('Resolved: 2 × Disk full: node7 (warning)');
});

test('silenced from the start: nothing, until the silence ends', async () => {
  const { put, shown } = await withChannel();
  put(alarm('a', { fired: START, silenced: ['s'] }), alarm('b', { fired: START, silenced: ['s'] }));
  await pass(600_000);
  put(resolved(alarm('b'), Date.now()));
  await pass(600_000);
  expect(shown).toEqual([]);
  put(alarm('a', { fired: START }));
  await pass(100);
  expect(texts(shown)).toEqual(['firing: Disk full: node7 = 97.125 (warning)']);
});

test('a series that says nothing for a while has not ended its alarm', async () => {
  const { put, shown } = await withChannel();
  put(alarm('a', { fired: START }));
  await pass(100);
  put(alarm('a', { fired: START, state: 'no_data', value: null }));
  await pass(120_000);
  put(alarm('a', { fired: START }));
  await pass(120_000);
  expect(shown).toHaveLength(1);
  put(alarm('b', { fired: null, state: 'no_data', value: null }));
  await pass(120_000);
  expect(shown).toHaveLength(1);
});

describe('routes', () => {
  test('the first that matches, further ones with more, each channel once', async () => {
    const { notifier, put, shown, id } = await withChannel();
    const second = (await notifier.addChannel(desktop({ name: 'second' }))).id;
    await notifier.setRoutes([
      Route.parse({ channels: [id], severities: ['critical'], more: true }),
      Route.parse({ channels: [id, second], matchers: [{ label: 'mount', op: '=~', value: 'a.*' }] }),
      Route.parse({ channels: [] }),
    ]);
    put(alarm('a1', { severity: 'critical', name: 'A' }), alarm('a2', { name: 'B' }), alarm('b', { name: 'C' }));
    await pass(1000);
    const told = notifier
      .deliveries({ limit: 100 })
      .map(({ channel, title }) => `${channel === id ? 'first' : 'second'} ${title[0]}`);
    expect(told.sort()).toEqual(['first A', 'first B', 'second A', 'second B']);
    expect(shown).toHaveLength(4);
  });

  test('other routes tell nothing anew, and the end goes where the beginning went', async () => {
    const { notifier, put, shown, id } = await withChannel();
    put(alarm('a', { fired: START }));
    await pass(100);
    await notifier.setRoutes([Route.parse({ channels: [id], group_by: ['mount'] })]);
    await pass(600_000);
    expect(shown).toHaveLength(1);
    await notifier.setRoutes([Route.parse({ channels: [] })]);
    await pass(600_000);
    put(resolved(alarm('a'), Date.now()));
    await pass(600_000);
    expect(texts(shown).slice(1)).toEqual(['resolved: Resolved: Disk full: node7 (warning)']);
  });

  test('ends that nobody wants to hear of are not told, also after a restart', async () => {
    const { put, again, records } = await withChannel({}, { resolved: false });
    put(alarm('a', { fired: START }), alarm('b', { fired: START }));
    await pass(1000);
    put(resolved(alarm('a'), Date.now()));
    await pass(120_000);
    expect([...records.kept.keys()].filter((key) => key.startsWith('group m/'))).toHaveLength(1);
    const next = await again();
    next.put(resolved(alarm('b'), Date.now()));
    await pass(120_000);
    expect(next.shown).toEqual([]);
    expect([...next.records.kept.keys()].filter((key) => key.startsWith('group '))).toEqual([]);
  });

  test('a channel or a pattern that cannot be is refused', async () => {
    const { notifier, id } = await withChannel();
    await expect(notifier.setRoutes([Route.parse({ channels: ['nothing'] })])).rejects.toMatchObject({
      code: 'bad_request',
    });
    const matchers = [{ label: 'a', op: '=~' as const, value: '(' }];
    await expect(notifier.setRoutes([Route.parse({ channels: [id], matchers })])).rejects.toThrow(/matchers/);
    expect(notifier.routes()).toEqual([]);
  });
});

describe('restarts', () => {
  test('what fired or ended while the engine was down is told', async () => {
    const first = await withChannel();
    first.put(alarm('a', { fired: START }));
    await pass(1000);
    first.records.left = 0;
    first.alarms.put(resolved(alarm('a'), Date.now()), alarm('b', { name: 'Swap', fired: Date.now() }));
    const { shown } = await first.again();
    await pass(70_000);
    expect(texts(shown)).toEqual([
      'firing: Swap: node7 = 97.125 (warning)',
      'resolved: Resolved: Disk full: node7 (warning)',
    ]);
  });

  test('killed before the outcome is written: the same message again, with the same id', async () => {
    const first = await withChannel();
    first.put(alarm('a', { fired: START }));
    // The delivery is written, what became of it is not.
    first.records.left = 1;
    await pass(1000);
    expect(first.shown).toHaveLength(1);
    const { shown } = await first.again();
    await pass(1000);
    expect(shown).toEqual(first.shown);
  });

  test('the pace goes on', async () => {
    const first = await withChannel({ per_minute: 2 }, { group_by: ['mount'] });
    first.put(alarm('a', { fired: START }));
    await pass(100);
    const { shown, put } = await first.again();
    put(alarm('b', { fired: START }));
    await pass(29_000);
    expect(shown).toEqual([]);
    await pass(2000);
    expect(shown).toHaveLength(1);
  });
});

test('a disk that refuses does not keep anybody from being told', async () => {
  const { put, shown, records, alarms, notifier, id, again } = await withChannel();
  records.failure = new Error('the disk is full');
  put(alarm('a', { fired: START }));
  await pass(100);
  expect(shown).toHaveLength(1);
  expect(alarms.warnings).toEqual([expect.stringContaining('the disk is full')]);
  expect(notifier.channel(id).problem).toMatch(/the disk is full/);
  records.failure = null;
  await pass(10_000);
  expect(notifier.channel(id).problem).toBeNull();
  const next = await again();
  await pass(600_000);
  expect(next.shown).toEqual([]);
});

test('nor does one that hangs', async () => {
  const { put, shown, records } = await withChannel();
  records.left = 0;
  put(alarm('a', { fired: START }));
  await pass(5000);
  expect(shown).toEqual([]);
  await pass(30_000);
  expect(shown).toHaveLength(1);
});

describe('channels', () => {
  test('with no page that can show it, a notification waits for ten minutes', async () => {
    const records = new MemoryRecords();
    const alarms = new Alarms();
    const notifier = createNotifier(records, alarms, {
      data: null,
      engine: 'here',
      settings: { private: true, plaintext: false },
    });
    await notifier.restore();
    const { id } = await notifier.addChannel(desktop());
    notifier.changed(alarms.put(alarm('a', { fired: START })), Date.now());
    await pass(300_000);
    expect(notifier.channel(id)).toMatchObject({
      waiting: 1,
      problem: 'no console is open that may show notifications',
    });
    const { shown, show } = collect();
    const stop = notifier.watch(show);
    await pass(100);
    expect(shown).toHaveLength(1);
    stop();
    notifier.changed(alarms.put(alarm('b', { name: 'Swap', fired: START })), Date.now());
    await pass(660_000);
    expect(notifier.deliveries({ limit: 1 })).toMatchObject([
      { state: 'dropped', answer: 'given up: no console is open that may show notifications' },
    ]);
    expect(alarms.events.at(-1)).toMatchObject({ kind: 'failed', alarm: 'b' });
    expect(notifier.figures()).toEqual({ waiting: 0, sent: 1, failed: 1 });
  });

  test('one that is switched off is told what fires when it is switched on', async () => {
    const { notifier, put, shown, id } = await withChannel();
    await notifier.patchChannel(id, { enabled: false });
    put(alarm('a', { fired: START }));
    await pass(60_000);
    expect(shown).toEqual([]);
    await notifier.patchChannel(id, { enabled: true, name: 'other' });
    await pass(100);
    expect(shown).toHaveLength(1);
    expect(notifier.channel(id)).toMatchObject({
      name: 'other',
      enabled: true,
      kind: 'desktop',
      waiting: 0,
      problem: null,
    });
  });

  test('one that is removed leaves nothing behind', async () => {
    const { notifier, put, records, id } = await withChannel({}, {});
    put(alarm('a', { fired: START }));
    await pass(100);
    await notifier.removeChannel(id);
    expect([...records.kept.keys()]).toEqual(['routes routes']);
    expect(notifier.routes()).toMatchObject([{ channels: [] }]);
    // The list that a page has may be from before; as it is answered it can be set.
    await expect(notifier.setRoutes(notifier.routes())).resolves.toMatchObject([{ channels: [] }]);
    expect(() => notifier.channel(id)).toThrow(expect.objectContaining({ code: 'channel_not_found' }));
    put(resolved(alarm('a'), Date.now()), alarm('b'));
    await pass(100_000);
    expect(notifier.deliveries({ limit: 10 })).toEqual([]);
  });

  test('one that is removed leaves the routes, which go on with the others', async () => {
    const { notifier, id, again, records } = await withChannel();
    const second = (await notifier.addChannel(desktop({ name: 'second' }))).id;
    await notifier.setRoutes([
      Route.parse({ channels: [id, second] }),
      Route.parse({ channels: [second], more: true }),
    ]);
    await notifier.removeChannel(id);
    const lists = (of: { notifier: Notifier }): string[][] => of.notifier.routes().map(({ channels }) => channels);
    expect(lists({ notifier })).toEqual([[second], [second]]);
    expect(lists(await again())).toEqual([[second], [second]]);
    // A channel that cannot be understood any more: the others can be routed all the same.
    records.kept.set(`channel ${second}`, '{}');
    const next = await again();
    await next.notifier.setRoutes(next.notifier.routes());
    expect(lists(next)).toEqual([[], []]);
  });

  test('one that cannot be written is not on the list, or as it was', async () => {
    const { notifier, records, id } = await withChannel();
    records.failure = new Error('the disk is full');
    await expect(notifier.addChannel(desktop({ name: 'second' }))).rejects.toThrow('the disk is full');
    await expect(notifier.patchChannel(id, { name: 'other', enabled: false })).rejects.toThrow('the disk is full');
    expect(notifier.channels()).toMatchObject([{ id, name: 'desktop', enabled: true }]);
    records.failure = null;
    await expect(notifier.addChannel(desktop({ name: 'second' }))).resolves.toMatchObject({ name: 'second' });
  });

  test('of many tests the last hundred are remembered', async () => {
    const { notifier, records, id } = await withChannel();
    for (let i = 0; i < 130; i++) await notifier.test({ id }, new AbortController().signal);
    await pass(10);
    expect(notifier.deliveries({ limit: 1000 })).toHaveLength(100);
    expect([...records.kept.keys()].filter((key) => key.startsWith('delivery '))).toHaveLength(100);
  });

  test('two of one name are refused', async () => {
    const { notifier, id } = await withChannel();
    await expect(notifier.addChannel(desktop())).rejects.toMatchObject({ code: 'channel_exists' });
    await expect(notifier.patchChannel(id, { name: 'desktop' })).resolves.toMatchObject({ id });
  });

  test('a test says whether a page showed it', async () => {
    const { notifier, shown, id, again } = await withChannel();
    await expect(notifier.test({ id }, AbortSignal.timeout(1000))).resolves.toMatchObject({
      ok: true,
      answer: 'shown by 1 open console',
    });
    expect(shown).toMatchObject([{ kind: 'test', title: 'Test message of Vigie on here' }]);
    await pass(10);
    const next = await again();
    expect(next.notifier.deliveries({ limit: 10 })).toMatchObject([{ kind: 'test', state: 'sent', attempts: 1 }]);
    await expect(next.notifier.test({}, AbortSignal.timeout(1000))).rejects.toMatchObject({ code: 'bad_request' });
  });
});

test('a clock that is set back keeps nobody waiting', async () => {
  const { put, shown } = await withChannel({}, { group_by: ['mount'], group_interval: '1m' });
  put(alarm('a', { fired: START }));
  await pass(100);
  vi.setSystemTime(START - 86_400_000);
  put(resolved(alarm('a'), Date.now()), alarm('b', { name: 'Swap', fired: START }));
  await pass(120_000);
  expect(texts(shown).slice(1).sort()).toEqual([
    expect.stringMatching(/^firing: Swap/),
    expect.stringMatching(/^resolved: /),
  ]);
});
