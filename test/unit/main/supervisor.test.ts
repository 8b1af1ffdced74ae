import { describe, expect, test } from 'vitest';
import { type EngineState, type ProcessListener, Supervisor } from '../../../src/main/supervisor.ts';
import type { StartFailure, ToEngine } from '../../../src/shared/host.ts';

/** Time that passes only when a test says so, with timers in its order. */
class Clock {
  now = 1_000_000;
  #timers: { at: number; call: () => void }[] = [];

  setTimer = (call: () => void, ms: number): (() => void) => {
    const timer = { at: this.now + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.now = next.at;
      next.call();
    }
    this.now = end;
  }

  /** Timers that are still to come. */
  get pending(): number {
    return this.#timers.length;
  }
}

interface Launched {
  readonly listener: ProcessListener;
  readonly sent: ToEngine[];
  killed: boolean;
  readonly at: number;
}

const SETTINGS = { listen: '127.0.0.1:0' };

function setUp() {
  const clock = new Clock();
  const launched: Launched[] = [];
  const states: EngineState[] = [];
  const supervisor = new Supervisor({
    settings: SETTINGS,
    config: '/etc/vigie.yaml',
    now: () => clock.now,
    setTimer: clock.setTimer,
    launch(listener) {
      const one: Launched = { listener, sent: [], killed: false, at: clock.now };
      launched.push(one);
      return {
        send: (message) => one.sent.push(message),
        kill() {
          one.killed = true;
          listener.exit(null);
        },
      };
    },
  });
  supervisor.onState((state) => states.push(state));
  const last = (): Launched => launched.at(-1)!;
  return {
    clock,
    launched,
    states,
    supervisor,
    last,
    phases: () => states.map(({ phase }) => phase),
    ready(port = 4000) {
      const engine = { url: `http://127.0.0.1:${port}`, token: 'secret', pid: 7, host: 'n1' };
      last().listener.message({ type: 'ready', engine, socket: '/s', data: null });
    },
    fail(code: string, running: StartFailure['running'] = null) {
      last().listener.message({ type: 'failed', code, message: `it is ${code}`, running });
      last().listener.exit(1);
    },
    /** The time from a death to the next start, which is made. */
    waits(): number {
      const state = supervisor.state;
      if (state.phase !== 'waiting') throw new Error(`it is ${state.phase}`);
      const wait = state.until - clock.now;
      const before = launched.length;
      clock.pass(wait - 1);
      expect(launched).toHaveLength(before);
      clock.pass(1);
      expect(launched).toHaveLength(before + 1);
      return wait;
    },
  };
}

describe('a start', () => {
  test('hands over what it was given, and tells when the engine is ready', () => {
    const { supervisor, last, phases, ready } = setUp();
    expect(supervisor.state).toEqual({ phase: 'stopped' });
    supervisor.start();
    expect(last().sent).toEqual([{ type: 'start', settings: SETTINGS, config: '/etc/vigie.yaml', port: null }]);
    ready();
    expect(phases()).toEqual(['starting', 'ready']);
    expect(supervisor.state).toMatchObject({ ready: { engine: { url: 'http://127.0.0.1:4000' } } });
  });

  test('is made once, however often it is asked for', () => {
    const { supervisor, launched, ready } = setUp();
    supervisor.start();
    supervisor.start();
    ready();
    supervisor.start();
    expect(launched).toHaveLength(1);
  });

  test.each([
    ['garbage', 'ready'],
    ['no address', { type: 'ready', engine: { url: 'http://evil.example' } }],
    ['null', null],
  ])('a message that is none is no reason to be ready: %s', (_name, message) => {
    const { supervisor, last, clock } = setUp();
    supervisor.start();
    last().listener.message(message);
    expect(supervisor.state.phase).toBe('starting');
    for (let i = 0; i < 3; i++) {
      last().listener.message(message);
      last().listener.exit(1);
      clock.pass(30_000);
    }
    const { state } = supervisor;
    expect(state.phase === 'failed' && state.lines[0]).toContain('a message of the engine is not understood');
  });
});

describe('an engine that dies', () => {
  test('is started again, on its port, with waits that grow up to half a minute', () => {
    const { supervisor, last, ready, waits } = setUp();
    supervisor.start();
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) {
      ready(4000 + i);
      last().listener.exit(1);
      seen.push(waits());
      expect(last().sent).toMatchObject([{ type: 'start', port: 4000 + i }]);
    }
    expect(seen).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('after a minute of health it counts as well again, and not before', () => {
    const { supervisor, last, ready, waits, clock } = setUp();
    supervisor.start();
    const seen: number[] = [];
    for (const lived of [0, 0, 59_999, 60_000, 0]) {
      ready();
      clock.pass(lived);
      last().listener.exit(null);
      seen.push(waits());
    }
    expect(seen).toEqual([250, 500, 1000, 250, 500]);
  });

  test('its second end, and what it says after its end, are of no interest', () => {
    const { supervisor, last, ready, launched, states } = setUp();
    supervisor.start();
    const dead = last();
    ready();
    dead.listener.exit(1);
    const before = states.length;
    dead.listener.exit(1);
    dead.listener.message({ type: 'failed', code: 'x', message: 'y', running: null });
    expect(states).toHaveLength(before);
    expect(launched).toHaveLength(1);
  });

  test('a person who does not wait starts it at once, and it is not started twice', () => {
    const { supervisor, last, ready, launched, clock } = setUp();
    supervisor.start();
    ready();
    last().listener.exit(1);
    supervisor.start();
    expect(launched).toHaveLength(2);
    clock.pass(60_000);
    expect(launched).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});

describe('an engine that never is ready', () => {
  test('is given up after three tries, with the reason and its last lines', () => {
    const { supervisor, last, launched, waits, clock } = setUp();
    supervisor.start();
    last().listener.exit(1);
    expect(waits()).toBe(250);
    last().listener.exit(1);
    expect(waits()).toBe(500);
    for (let i = 0; i < 150; i++) last().listener.line(`line ${i}`);
    last().listener.exit(134);
    const { state } = supervisor;
    expect(state).toMatchObject({
      phase: 'failed',
      failure: { code: 'died', message: 'The engine ended with status 134 before it was ready.', running: null },
    });
    const lines = state.phase === 'failed' ? state.lines : [];
    expect(lines).toHaveLength(100);
    expect(lines.at(-1)).toBe('line 149');
    clock.pass(3_600_000);
    expect(launched).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  test('the lines are those of the last try', () => {
    const { supervisor, last, clock } = setUp();
    supervisor.start();
    for (const line of ['first', 'second', 'third']) {
      last().listener.line(line);
      last().listener.exit(null);
      clock.pass(10_000);
    }
    expect(supervisor.state).toMatchObject({
      lines: ['third'],
      failure: { message: 'The engine was ended by a signal before it was ready.' },
    });
  });

  test.each(['no_node', 'store_locked', 'store_newer', 'store_not_writable', 'in_use', 'not_ours', 'not_a_socket'])(
    'is not tried again where that would not help: %s',
    (code) => {
      const { supervisor, fail, launched } = setUp();
      const running = { url: 'http://127.0.0.1:5000', token: 't', pid: 9, host: 'n1' };
      supervisor.start();
      fail(code, running);
      expect(supervisor.state).toMatchObject({ phase: 'failed', failure: { code, message: `it is ${code}`, running } });
      expect(launched).toHaveLength(1);
    },
  );

  test('that was ready before is tried six times, whatever the reason: its own lock may need a moment', () => {
    const { supervisor, last, ready, fail, waits } = setUp();
    supervisor.start();
    ready();
    last().listener.exit(1);
    for (let i = 0; i < 5; i++) {
      waits();
      fail('store_locked');
      expect(supervisor.state.phase).toBe('waiting');
    }
    waits();
    fail('store_locked');
    expect(supervisor.state).toMatchObject({ phase: 'failed', failure: { code: 'store_locked' } });
  });

  test('an earlier reason is not told for a later end', () => {
    const { supervisor, last, fail, waits } = setUp();
    supervisor.start();
    fail('failed');
    waits();
    fail('failed');
    waits();
    last().listener.exit(1);
    expect(supervisor.state).toMatchObject({ failure: { code: 'died' } });
  });

  test('another try begins anew, with all its tries and the shortest wait', () => {
    const { supervisor, last, waits, ready } = setUp();
    supervisor.start();
    for (let i = 0; i < 2; i++) {
      last().listener.exit(1);
      waits();
    }
    last().listener.exit(1);
    expect(supervisor.state.phase).toBe('failed');
    supervisor.start();
    last().listener.exit(1);
    expect(waits()).toBe(250);
    ready();
    expect(supervisor.state.phase).toBe('ready');
  });
});

describe('a stop', () => {
  test('asks for an end in order, and resolves with it', async () => {
    const { supervisor, last, ready, clock, launched } = setUp();
    supervisor.start();
    ready();
    let stopped = 0;
    const both = [supervisor.stop(), supervisor.stop()].map((one) => one.then(() => stopped++));
    await Promise.resolve();
    expect(stopped).toBe(0);
    expect(last().sent.map(({ type }) => type)).toEqual(['start', 'stop']);
    last().listener.exit(0);
    await Promise.all(both);
    expect(supervisor.state).toEqual({ phase: 'stopped' });
    expect(last().killed).toBe(false);
    clock.pass(60_000);
    expect(launched).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('ends it after 15 s where it does not, also when it was asked for again meanwhile', async () => {
    const { supervisor, last, ready, clock } = setUp();
    supervisor.start();
    ready();
    const first = supervisor.stop();
    clock.pass(14_000);
    const second = supervisor.stop();
    expect(last().killed).toBe(false);
    clock.pass(1000);
    expect(last().killed).toBe(true);
    await Promise.all([first, second]);
    expect(supervisor.state.phase).toBe('stopped');
    expect(clock.pending).toBe(0);
  });

  test('while it starts: what it says then is of no interest', async () => {
    const { supervisor, last, ready, phases } = setUp();
    supervisor.start();
    const stopped = supervisor.stop();
    ready();
    last().listener.exit(0);
    await stopped;
    expect(phases()).toEqual(['starting', 'stopped']);
  });

  test('while it waits: it is not started any more', async () => {
    const { supervisor, last, ready, clock, launched } = setUp();
    supervisor.start();
    ready();
    last().listener.exit(1);
    await supervisor.stop();
    expect(supervisor.state.phase).toBe('stopped');
    clock.pass(60_000);
    expect(launched).toHaveLength(1);
  });

  test('without a start, and after a failure', async () => {
    const { supervisor, fail } = setUp();
    await supervisor.stop();
    supervisor.start();
    fail('in_use');
    await supervisor.stop();
    expect(supervisor.state.phase).toBe('stopped');
  });

  test('a start has to wait for the end', async () => {
    const { supervisor, last, ready, launched } = setUp();
    supervisor.start();
    ready();
    const stopped = supervisor.stop();
    supervisor.start();
    expect(launched).toHaveLength(1);
    last().listener.exit(0);
    await stopped;
    supervisor.start();
    expect(launched).toHaveLength(2);
    expect(last().sent).toMatchObject([{ type: 'start', port: 4000 }]);
  });
});
