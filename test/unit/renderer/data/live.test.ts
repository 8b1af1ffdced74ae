import { describe, expect, test } from 'vitest';
import { retryDelay } from '../../../../src/renderer/data/backoff.ts';
import { LIVE_HISTORY_MS, LiveClient } from '../../../../src/renderer/data/live.ts';
import type { ScopeListener } from '../../../../src/renderer/data/live.ts';
import type { LiveSocket } from '../../../../src/renderer/data/socket.ts';
import type { LiveEvent, LiveRequest } from '../../../../src/shared/api/live.ts';
import { encodeFrame } from '../../../../src/shared/frame.ts';
import { liveAlarms } from '../views/alarmFixture.ts';

/** A socket whose other end is the test. */
class FakeSocket implements LiveSocket {
  onOpen: (() => void) | null = null;
  onMessage: ((data: string | Uint8Array) => void) | null = null;
  onClose: (() => void) | null = null;
  readonly sent: LiveRequest[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as LiveRequest);
  }

  close(): void {
    this.closed = true;
  }

  say(event: LiveEvent | object): void {
    this.onMessage?.(JSON.stringify(event));
  }

  hello(time: number, change: object = {}): void {
    this.onOpen?.();
    this.say({ type: 'hello', api: { major: 1, minor: 0 }, engine: 'e', epoch: 1, period: 1000, time, ...change });
  }

  frame(stream: number, time: number, total: number): void {
    const columns = { counterCount: 1, gaugeCount: 0, counters: Float64Array.of(total), gauges: new Float64Array(0) };
    this.onMessage?.(encodeFrame({ stream, time, interval: 1000, sequence: time / 1000, gap: false }, columns, null));
  }

  of<T extends LiveRequest['type']>(type: T): Extract<LiveRequest, { type: T }>[] {
    return this.sent.filter((m): m is Extract<LiveRequest, { type: T }> => m.type === type);
  }
}

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

function setUp(options: { quiet?: boolean } = {}) {
  const sockets: FakeSocket[] = [];
  const timers = new Set<Timer>();
  const clock = { now: 0 };
  const client = new LiveClient({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    token: () => 'T',
    ...options,
    now: () => clock.now,
    random: () => 0.5,
    setTimer: (call, ms) => {
      const timer = { at: clock.now + ms, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  const advance = (ms: number): void => {
    const end = clock.now + ms;
    for (;;) {
      const [next] = [...timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      timers.delete(next);
      clock.now = Math.max(clock.now, next.at);
      next.call();
    }
    clock.now = end;
  };
  return { client, sockets, advance, last: () => sockets[sockets.length - 1]! };
}

function listen() {
  const heard: string[] = [];
  const listener: ScopeListener = {
    begin: () => heard.push('begin'),
    schema: (series) => heard.push(`schema ${series.length}`),
    frame: (frame, fresh) => heard.push(`${fresh ? 'frame' : 'old'} ${frame.time}`),
    gap: (from, to) => heard.push(`gap ${from} ${to}`),
    live: () => heard.push('live'),
    end: () => heard.push('end'),
    error: (code) => heard.push(`error ${code}`),
  };
  return { heard, listener };
}

describe('LiveClient', () => {
  test('a quiet one watches only what somebody listens to, and takes silence for nothing', () => {
    const { client, advance, last } = setUp({ quiet: true });
    const heard: string[] = [];
    client.onNotification(({ title }) => heard.push(title));
    client.start();
    last().hello(1000);
    expect(
      last()
        .of('watch')
        .map(({ topic }) => topic),
    ).toEqual(['notifications']);
    const socket = last();
    advance(3_600_000);
    expect([last() === socket, socket.closed, client.state.phase]).toEqual([true, false, 'open']);
    const notification = { id: '1', time: 1, kind: 'firing', severity: 'warning', title: 'Load', text: '', alarms: [] };
    socket.say({ type: 'notification', ...notification });
    expect(heard).toEqual(['Load']);
  });

  test('a quiet one that is not greeted gives up as any other', () => {
    const { client, advance, last } = setUp({ quiet: true });
    client.start();
    const socket = last();
    advance(16_000);
    expect(socket.closed).toBe(true);
  });

  test('authenticates first, then watches, then subscribes from five minutes ago on the engine’s clock', () => {
    const { client, last } = setUp();
    const { listener } = listen();
    client.subscribe('run/x', listener);
    client.start();
    expect(last().sent).toEqual([]);
    last().hello(1_000_000);
    expect(last().sent).toEqual([
      { type: 'auth', token: 'T' },
      { type: 'watch', topic: 'status' },
      { type: 'watch', topic: 'runs' },
      { type: 'subscribe', id: 1, scope: 'run/x', from: 1_000_000 - LIVE_HISTORY_MS },
    ]);
    expect(client.state).toEqual({ phase: 'open' });
  });

  test('targets are watched only while somebody listens, also on the next connection', () => {
    const { client, last, advance } = setUp();
    const topics = (type: 'watch' | 'unwatch') =>
      last()
        .of(type)
        .map(({ topic }) => topic)
        .filter((topic) => topic === 'targets');
    client.start();
    last().hello(1_000_000);
    expect(topics('watch')).toEqual([]);
    const heard: boolean[] = [];
    const leave = client.onTargets(({ all }) => heard.push(all));
    const other = client.onTargets(() => undefined);
    expect(topics('watch')).toEqual(['targets']);
    const counts = { total: 0, new: 0, up: 0, slow: 0, down: 0, refused: 0, paused: 0 };
    last().say({ type: 'targets', all: true, targets: [], removed: [], counts });
    expect(heard).toEqual([true]);
    last().onClose?.();
    advance(60_000);
    last().hello(1_010_000);
    expect(topics('watch')).toEqual(['targets']);
    leave();
    expect(topics('unwatch')).toEqual([]);
    other();
    other();
    expect(topics('unwatch')).toEqual(['targets']);
  });

  test('after a loss it waits longer each time and resumes after the last frame it has', () => {
    const { client, sockets, advance, last } = setUp();
    const { heard, listener } = listen();
    client.subscribe('node/h', listener);
    client.start();
    last().hello(1_000_000);
    last().frame(1, 998_000, 1);
    last().frame(1, 999_000, 2);
    last().onClose?.();
    expect(client.state).toEqual({ phase: 'waiting', until: 500 });
    advance(499);
    expect(sockets).toHaveLength(1);
    advance(1);
    expect(sockets).toHaveLength(2);
    last().onClose?.();
    expect(client.state).toEqual({ phase: 'waiting', until: 1500 });
    advance(1000);
    last().hello(1_010_000);
    expect(last().of('subscribe')).toEqual([{ type: 'subscribe', id: 1, scope: 'node/h', from: 999_000 }]);
    last().frame(1, 999_000, 2);
    last().frame(1, 1_000_000, 3);
    expect(heard).toEqual(['begin', 'frame 998000', 'frame 999000', 'begin', 'old 999000', 'frame 1000000']);
  });

  test('a restarted engine is resumed by time like any other', () => {
    const { client, advance, last } = setUp();
    const { listener } = listen();
    client.subscribe('node/h', listener);
    client.start();
    last().hello(1_000_000);
    last().frame(1, 1_000_000, 1);
    last().onClose?.();
    advance(600);
    last().hello(1_005_000, { engine: 'other', epoch: 2 });
    expect(last().of('subscribe')[0]).toMatchObject({ from: 1_000_000 });
  });

  test('a greeting starts the waits anew; trying now does not wait at all', () => {
    const { client, sockets, advance, last } = setUp();
    client.start();
    for (let i = 0; i < 3; i++) {
      last().onClose?.();
      advance(15_000);
    }
    last().hello(1);
    last().onClose?.();
    expect(client.state).toMatchObject({ phase: 'waiting' });
    const before = sockets.length;
    client.retryNow();
    expect(sockets).toHaveLength(before + 1);
    advance(20_000 - 1);
    // The timer of the wait that was cut short opens nothing more; only silence may end this attempt.
    expect(sockets.slice(0, before + 1).filter((s) => !s.closed).length).toBeGreaterThan(0);
  });

  test('a connection that falls silent counts as lost', () => {
    const { client, advance, last } = setUp();
    client.start();
    last().hello(1);
    const silent = last();
    advance(31_000);
    expect(silent.closed).toBe(true);
    expect(client.state.phase).not.toBe('open');
  });

  test('an ended scope is not asked for again, nor one that nobody wants', () => {
    const { client, advance, last } = setUp();
    const one = listen();
    const two = listen();
    client.subscribe('run/a', one.listener);
    const stop = client.subscribe('run/b', two.listener);
    client.start();
    last().hello(1000);
    last().say({ type: 'end', id: 1 });
    stop();
    expect(last().of('unsubscribe')).toEqual([{ type: 'unsubscribe', id: 2 }]);
    last().onClose?.();
    advance(1000);
    last().hello(2000);
    expect(last().of('subscribe')).toEqual([]);
    expect(one.heard).toEqual(['begin', 'end']);
  });

  test('a refused token and a newer major version end the attempts, in words', () => {
    const token = setUp();
    token.client.start();
    token.last().onOpen?.();
    token.last().say({ type: 'error', id: null, code: 'unauthorized', detail: 'no' });
    expect(token.client.state).toMatchObject({ phase: 'refused', reason: 'token' });
    token.last().onClose?.();
    token.advance(60_000);
    expect(token.sockets).toHaveLength(1);

    const version = setUp();
    version.client.start();
    version.last().hello(1, { api: { major: 2, minor: 0 } });
    expect(version.client.state).toMatchObject({ phase: 'refused', reason: 'version' });
    expect(version.last().of('watch')).toEqual([]);
  });

  test('a newer minor is read; what is not understood is left out and the rest goes on', () => {
    const { client, last } = setUp();
    const { heard, listener } = listen();
    client.subscribe('run/a', listener);
    client.start();
    last().hello(1000, { api: { major: 1, minor: 9 } });
    last().say({ type: 'something_new', id: 1 });
    last().onMessage?.('{ half');
    last().onMessage?.(Uint8Array.of(1, 2, 3));
    last().frame(77, 1000, 1);
    last().say({ type: 'gap', id: 1, from: 1, to: 2 });
    last().say({ type: 'error', id: 1, code: 'scope_not_found', detail: 'x' });
    expect(client.ignored).toBe(3);
    expect(heard).toEqual(['begin', 'gap 1 2', 'error scope_not_found']);
  });
});

test('waits grow from half a second to fifteen and stay within', () => {
  for (const random of [0, 0.5, 1]) {
    const waits = Array.from({ length: 40 }, (_, attempt) => retryDelay(attempt, random));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  }
  expect(retryDelay(3, 0)).not.toBe(retryDelay(3, 1));
});

describe('topics of alarms', () => {
  test('are watched while somebody listens; after a break the events since the last one are asked for', () => {
    const { client, advance, last } = setUp();
    const heard: number[] = [];
    const stop = client.onAlarms(({ number }) => heard.push(number));
    client.start();
    last().hello(1000);
    expect(last().of('watch')).toContainEqual({ type: 'watch', topic: 'alarms' });
    last().say(liveAlarms({ all: true, number: 7 }));
    last().say(liveAlarms({ number: 9 }));
    last().onClose?.();
    advance(60_000);
    last().hello(2000);
    expect(last().of('watch')).toContainEqual({ type: 'watch', topic: 'alarms', since: 9 });
    expect(heard).toEqual([7, 9]);
    stop();
    expect(last().of('unwatch')).toEqual([{ type: 'unwatch', topic: 'alarms' }]);
  });

  test('notifications are asked for only by a page that can show them', () => {
    const { client, last } = setUp();
    client.start();
    last().hello(1000);
    expect(
      last()
        .of('watch')
        .some(({ topic }) => topic === 'notifications'),
    ).toBe(false);
    const heard: string[] = [];
    client.onNotification(({ id }) => heard.push(id));
    expect(last().of('watch')).toContainEqual({ type: 'watch', topic: 'notifications' });
    const told = {
      type: 'notification',
      time: 1,
      kind: 'firing',
      severity: 'info',
      title: 't',
      text: '',
      alarms: ['a'],
    };
    last().say({ ...told, id: 'n1' });
    expect(heard).toEqual(['n1']);
  });

  test('what connections ask is watched for by those who may control, and how they are by everybody who looks', () => {
    const { client, last, advance } = setUp();
    const topics = () =>
      last()
        .of('watch')
        .map(({ topic }) => topic)
        .filter((topic) => topic === 'prompts' || topic === 'connections');
    const heard: unknown[] = [];
    client.onPrompts((prompts) => heard.push(prompts));
    client.start();
    last().hello(1000, { role: 'view' });
    client.onConnections(({ all, removed }) => heard.push([all, removed]));
    expect(topics()).toEqual(['connections']);
    last().onClose?.();
    advance(60_000);
    last().hello(2000, { role: 'control' });
    expect(topics()).toEqual(['connections', 'prompts']);
    last().say({ type: 'prompts', prompts: [] });
    last().say({ type: 'connections', all: false, connections: [], removed: ['a'] });
    expect(heard).toEqual([[], [false, ['a']]]);
  });
});
