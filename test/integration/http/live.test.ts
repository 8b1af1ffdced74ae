import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Pusher } from '../../../src/client/pusher.ts';
import { type LiveRequest, MAX_SUBSCRIPTIONS } from '../../../src/shared/api/live.ts';
import { hasBit } from '../../../src/shared/frame.ts';
import { eventually } from '../../support/wait.ts';
import { appAlone, BEARER, TOKEN } from '../../unit/engine/http/app.ts';
import { startHere, type Here } from './here.ts';
import { connectLive, liveUrl, readLive } from './reader.ts';

async function liveRun(here: Here, jobid = 'j'): Promise<{ pusher: Pusher; id: string; scope: string }> {
  const pusher = await here.pusher();
  pusher.job({ jobid });
  pusher.describeCounter('a_total');
  pusher.increase('a_total', 1);
  const run = await eventually(async () =>
    (await here.client.runs({ state: 'live' })).runs.find((r) => r.jobid === jobid && r.series === 1),
  );
  return { pusher, id: run.id, scope: run.scope };
}

describe('who may read', () => {
  test('a token in the header, or in the first message', async () => {
    const here = await startHere();
    const status = await here.client.status();
    for (const reader of [await readLive(here), await connectLive(liveUrl(here))]) {
      reader.send({ type: 'auth', token: here.engine.token });
      const hello = await reader.next('hello');
      expect(hello).toMatchObject({ api: status.api, engine: status.engine.id, epoch: 1, period: 50 });
      expect(reader.events[0]).toEqual(hello);
      // Once is enough, and once more does not matter.
      reader.send({ type: 'auth', token: 'whatever' }, { type: 'watch', topic: 'status' });
      await reader.next('status');
      expect(reader.of('hello')).toHaveLength(1);
      expect(reader.of('error')).toEqual([]);
    }
  });

  test.each(['wrong', '', 'x'.repeat(1024)])(
    'a wrong token closes with 4401, in the message and in the header',
    async (token) => {
      const here = await startHere();
      const byMessage = await connectLive(liveUrl(here));
      byMessage.send({ type: 'auth', token }, { type: 'watch', topic: 'status' });
      const byHeader = await connectLive(liveUrl(here), { authorization: `Bearer ${token}` });
      for (const reader of [byMessage, byHeader]) {
        expect((await reader.closing()).code).toBe(4401);
        expect(reader.events.map((e) => e.type)).toEqual(['error']);
        expect(reader.of('error')[0]).toMatchObject({ id: null, code: 'unauthorized' });
      }
      expect((await here.client.status()).live.readers).toBe(0);
    },
  );

  test('after a wrong token nothing more is listened to', async () => {
    const here = await startHere();
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const reader = await connectLive(liveUrl(here));
    for (let i = 0; i < 50; i++) reader.send({ type: 'auth', token: 'wrong' });
    reader.send({ type: 'auth', token: here.engine.token }, { type: 'watch', topic: 'status' });
    expect((await reader.closing()).code).toBe(4401);
    expect(reader.events.map((e) => e.type)).toEqual(['error']);
    expect((await here.client.status()).live.readers).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('before the token there is nothing but refusals', async () => {
    const here = await startHere();
    const { scope } = await liveRun(here);
    const reader = await connectLive(liveUrl(here));
    reader.send(
      { type: 'watch', topic: 'runs' },
      { type: 'watch', topic: 'status' },
      { type: 'subscribe', id: 1, scope },
    );
    await eventually(() => reader.of('error').length === 3);
    expect(reader.events.every((e) => e.type === 'error' && e.code === 'unauthorized')).toBe(true);
    reader.send({ type: 'auth', token: here.engine.token });
    await reader.next('hello');
  });

  test('who sends none in time is closed', async () => {
    const app = await appAlone({ authTimeout: 50 });
    await app.ready();
    await new Promise<void>((resolve) => {
      app.server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    const silent = await connectLive(liveUrl({ url }));
    expect(await silent.closing()).toEqual({ code: 4401, reason: 'no token' });
    const wrong = await connectLive(liveUrl({ url }), { authorization: `${BEARER}x` });
    expect((await wrong.closing()).code).toBe(4401);
    expect(TOKEN).not.toBe('');
  });

  test.each([
    [{ host: 'evil.example' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
  ])('%j is refused before the upgrade', async (headers, status) => {
    const here = await startHere();
    const all = { authorization: `Bearer ${here.engine.token}`, ...(headers as Record<string, string>) };
    await expect(connectLive(liveUrl(here), all)).rejects.toThrow(String(status));
  });

  test('a page of this engine is accepted', async () => {
    const here = await startHere();
    const reader = await connectLive(liveUrl(here), { origin: here.url });
    reader.send({ type: 'auth', token: here.engine.token });
    await reader.next('hello');
  });

  test("on the engine's own socket none is needed", async () => {
    const here = await startHere();
    const reader = await connectLive(`ws+unix://${here.engine.ready.socket}:/api/v1/live`);
    await reader.next('hello');
    reader.send({ type: 'watch', topic: 'status' });
    await reader.next('status');
  });

  test('other paths cannot be upgraded', async () => {
    const here = await startHere();
    const known = { authorization: `Bearer ${here.engine.token}` };
    await expect(connectLive(`${liveUrl(here)}/x`, known)).rejects.toThrow();
    await expect(connectLive(liveUrl(here).replace('live', 'status'))).rejects.toThrow('401');
    expect((await here.client.status()).name).toBe('vigie');
  });
});

describe('a subscription', () => {
  test('has the schema, all values, then what changed, each tick once', async () => {
    const here = await startHere();
    const { pusher, scope } = await liveRun(here);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 9, scope });
    const stream = reader.stream(9);
    await eventually(() => stream.frames.length >= 3);
    expect(stream.order[0]).toBe('schema');
    expect(stream.value('a_total')).toBe(1);
    expect(hasBit(stream.frames[0]!.counterBits, 0)).toBe(true);
    expect(stream.frames.slice(1).some((f) => hasBit(f.counterBits, 0))).toBe(false);
    pusher.increase('a_total', 4);
    pusher.describeCounter('b_total', 'Bs');
    pusher.increase('b_total', 2);
    await eventually(() => stream.value('b_total') === 2 && stream.value('a_total') === 5);
    expect(stream.names).toEqual(['a_total', 'b_total']);
    expect(reader.of('schema')[1]).toMatchObject({
      id: 9,
      scope,
      series: [{ kind: 'counter', index: 1, key: 'b_total', doc: 'Bs' }],
    });
    const { sequences } = stream;
    expect(sequences).toEqual(sequences.map((_, i) => sequences[0]! + i));
    for (const [i, frame] of stream.frames.entries()) {
      expect(frame.stream).toBe(9);
      if (i > 0) expect(frame.time).toBeGreaterThan(stream.frames[i - 1]!.time);
    }
    expect((await here.client.status()).live).toMatchObject({ readers: 1, skipped_frames: 0 });
  });

  test('of some series has these only; the places are those of the scope', async () => {
    const here = await startHere();
    const { pusher, scope } = await liveRun(here);
    pusher.describeCounter('b_total{y="2",x="1"}');
    pusher.describeGauge('g');
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope, series: ['b_total{x="1",y="2"}', 'g', 'nosuch'] });
    const stream = reader.stream(1);
    pusher.increase('a_total', 4);
    pusher.increase('b_total{y="2",x="1"}', 2);
    pusher.set('g', 3);
    await eventually(() => stream.value('b_total{y="2",x="1"}') === 2 && stream.state.gauges[3] === 3);
    expect(stream.frames.some((f) => f.counterCount > 0 && hasBit(f.counterBits, 0))).toBe(false);
    expect(stream.names.toSorted()).toEqual(['b_total{y="2",x="1"}', 'g']);
  });

  test('ends when asked to, and its id can be used again', async () => {
    const here = await startHere();
    const { scope } = await liveRun(here);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope });
    await eventually(() => reader.stream(1).frames.length > 1);
    reader.send(
      { type: 'unsubscribe', id: 1 },
      { type: 'unsubscribe', id: 1 },
      { type: 'unsubscribe', id: 77 },
      { type: 'subscribe', id: 2, scope },
    );
    await eventually(() => reader.stream(2).frames.length > 3);
    const after = reader.stream(1).frames.length;
    await eventually(() => reader.stream(2).frames.length > 6);
    expect(reader.stream(1).frames).toHaveLength(after);
    reader.send({ type: 'subscribe', id: 1, scope });
    await eventually(() => reader.stream(1).frames.length > after);
    expect(reader.of('error')).toEqual([]);
  });

  test('is refused when the id is in use, the scope is not live, or there are too many; others go on', async () => {
    const here = await startHere();
    const { scope } = await liveRun(here);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope }, { type: 'subscribe', id: 1, scope });
    expect(await reader.next('error')).toMatchObject({ id: 1, code: 'bad_request' });
    for (const unknown of ['run/nosuch', 'nosuch', 'main', 'rank/x/1', 'node/other'])
      reader.send({ type: 'subscribe', id: 50, scope: unknown });
    await eventually(() => reader.of('error').length === 6);
    expect(
      reader
        .of('error')
        .slice(1)
        .every((e) => e.id === 50 && e.code === 'scope_not_found'),
    ).toBe(true);
    for (let id = 2; id <= MAX_SUBSCRIPTIONS + 2; id++) reader.send({ type: 'subscribe', id, scope });
    await eventually(() => reader.of('error').length === 8);
    expect(
      reader
        .of('error')
        .slice(6)
        .map((e) => [e.id, e.code]),
    ).toEqual([
      [MAX_SUBSCRIPTIONS + 1, 'bad_request'],
      [MAX_SUBSCRIPTIONS + 2, 'bad_request'],
    ]);
    for (let id = 1; id <= MAX_SUBSCRIPTIONS; id++) await eventually(() => reader.stream(id).frames.length > 0);
  });

  test('ends with the last values when its run ends', async () => {
    const here = await startHere({ grace: '10ms' });
    const { pusher, scope, id } = await liveRun(here);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope });
    await eventually(() => reader.stream(1).frames.length > 0);
    pusher.increase('a_total', 41);
    await pusher.close();
    await reader.next('end');
    expect(reader.stream(1).value('a_total')).toBe(42);
    expect(reader.stream(1).order.at(-1)).toBe('end');
    expect((await here.client.run(id)).state).toBe('finished');
    reader.send({ type: 'subscribe', id: 1, scope });
    expect(await reader.next('error')).toMatchObject({ id: 1, code: 'scope_not_found' });
  });
});

describe('topics', () => {
  test('runs: all live ones at once, then what changes, and each that ends once more with its last state', async () => {
    const here = await startHere();
    const first = await liveRun(here, 'first');
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'runs' });
    const all = await reader.next('runs');
    expect(all.all).toBe(true);
    expect(all.runs.map((run) => run.jobid)).toEqual(['first']);

    const second = await liveRun(here, 'second');
    await reader.next('runs', ({ runs }) => runs.some((run) => run.jobid === 'second'));
    second.pusher.increase('a_total', 1000);
    const moved = await reader.next('runs', ({ runs }) =>
      runs.some((run) => run.id === second.id && (run.rate ?? 0) > 0),
    );
    expect(moved.all).toBe(false);
    await first.pusher.close();
    const ended = await reader.next('runs', ({ runs }) =>
      runs.some((run) => run.id === first.id && run.state === 'finished'),
    );
    const last = ended.runs.find((run) => run.id === first.id)!;
    expect(last).toMatchObject({ state: 'finished', clients: 0, rate: null });
    expect(last.end_time).toBeGreaterThan(0);
    const before = reader.events.length;
    await liveRun(here, 'third');
    await reader.next('runs', ({ runs }) => runs.some((run) => run.jobid === 'third'));
    expect(
      reader.events.slice(before).some((e) => e.type === 'runs' && e.runs.some((run) => run.id === first.id)),
    ).toBe(false);

    reader.send({ type: 'unwatch', topic: 'runs' }, { type: 'watch', topic: 'status' });
    await reader.next('status');
    const quiet = reader.of('runs').length;
    await liveRun(here, 'fourth');
    const ticks = reader.of('status').length;
    await eventually(() => reader.of('status').length > ticks + 2);
    expect(reader.of('runs')).toHaveLength(quiet);
    reader.send({ type: 'watch', topic: 'runs' });
    const again = await eventually(() => reader.of('runs')[quiet]);
    expect([again.all, again.runs.length]).toEqual([true, 3]);
  });

  test('runs: the complete list is sent also when it is empty', async () => {
    const here = await startHere();
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'runs' });
    expect(await reader.next('runs')).toEqual({ type: 'runs', all: true, runs: [] });
  });

  test('status: at once and each period', async () => {
    const here = await startHere();
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'status' });
    await eventually(() => reader.of('status').length >= 4);
    const ticks = reader.of('status').map(({ status }) => status.sampler.ticks);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    expect(ticks.at(-1)).toBeGreaterThan(ticks[0]!);
    reader.send({ type: 'unwatch', topic: 'status' });
  });
});

describe('a reader that does not read', () => {
  test('gets fewer frames, never a queue, and then all that changed meanwhile', async () => {
    const here = await startHere({ period: '20ms', node: false, limits: { series_per_run: 50_000 } });
    const { pusher, scope } = await liveRun(here);
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
    for (const name of names) pusher.describeCounter(name);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]!.series === names.length + 1);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope });
    const stream = reader.stream(1);
    await eventually(() => stream.frames.length > 0);
    reader.socket.pause();
    // 160 kB a frame: the kernel's buffers are full soon.
    let rounds = 0;
    await eventually(
      async () => {
        for (const name of names) pusher.increase(name, 1);
        rounds++;
        return (await here.client.status()).live.skipped_frames > 20;
      },
      { timeout: 50_000 },
    );
    pusher.describeCounter('late_total');
    pusher.increase('late_total', 5);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]!.series === names.length + 2);
    const before = stream.frames.length;
    const known = (await here.client.status()).live.skipped_frames;
    reader.socket.resume();
    await eventually(() => stream.value('late_total') === 5, { timeout: 50_000 });
    await eventually(async () => {
      const { series } = await here.client.series(scope);
      return series.find((s) => s.key === 'c19999')!.value === rounds;
    });
    await eventually(() => names.every((name) => stream.value(name) === rounds), { timeout: 50_000 });
    const { sequences } = stream;
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    const missing = sequences.at(-1)! - sequences[0]! + 1 - sequences.length;
    expect(missing).toBeGreaterThanOrEqual(known);
    expect(stream.frames.length).toBeGreaterThan(before);
  });
});

test('a reader that asks without end and never reads the answers is cut off', async () => {
  const here = await startHere({ node: false });
  const reader = await readLive(here);
  await eventually(async () => (await here.client.status()).live.readers === 1);
  reader.socket.pause();
  await eventually(
    async () => {
      // Each is answered with many times its size; from some point on they are not even read.
      const { socket } = reader;
      for (let i = 0; i < 20_000 && socket.readyState === socket.OPEN && socket.bufferedAmount < 1e6; i++)
        socket.send('{}');
      return (await here.client.status()).live.readers === 0;
    },
    // Ten seconds without progress are waited for.
    { timeout: 55_000 },
  );
});

test('a reader that asks faster than it reads is waited for, and has every answer', async () => {
  const here = await startHere({ node: false });
  const reader = await readLive(here);
  // Answers of 40 MB in all, more than may be unsent; and more to ask than fits into the kernel's buffers.
  const asked = 300_000;
  const question = `{${' '.repeat(100)}}`;
  reader.socket.pause();
  for (let i = 0; i < asked; i++) reader.socket.send(question);
  let unsent = 0;
  await eventually(
    () => {
      const before = unsent;
      unsent = reader.socket.bufferedAmount;
      return unsent > 0 && unsent === before;
    },
    { interval: 500 },
  );
  reader.socket.resume();
  await eventually(() => reader.of('error').length === asked, { timeout: 50_000 });
  expect(reader.closed).toBeNull();
});

test('a scope of very many series can be watched, several times over', async () => {
  const here = await startHere({ node: false, limits: { series_per_run: 50_000 } });
  const { pusher, scope } = await liveRun(here);
  const names = Array.from({ length: 30_000 }, (_, i) => `a_rather_long_name_of_a_counter_${i}_total`);
  for (const name of names) pusher.describeCounter(name, 'what it counts, in so many words');
  await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]!.series === names.length + 1);
  const reader = await readLive(here);
  // Some 13 MB of series each.
  for (let id = 1; id <= 3; id++) reader.send({ type: 'subscribe', id, scope });
  reader.send({ type: 'subscribe', id: 9, scope, series: [names[29_999]!], from: Date.now() - 1000 });
  await eventually(() => [1, 2, 3, 9].every((id) => reader.stream(id).frames.length > 1), { timeout: 50_000 });
  for (const id of [1, 2, 3]) expect(reader.stream(id).names).toEqual(['a_total', ...names]);
  expect(reader.stream(9).names).toEqual([names[29_999]]);
  expect(Math.max(...reader.of('schema').map(({ series }) => series.length))).toBe(1000);
  expect(reader.closed).toBeNull();
});

describe('hostile messages', () => {
  test('are refused one by one; the socket goes on', async () => {
    const here = await startHere();
    const reader = await readLive(here);
    const bad = [
      '',
      'null',
      '[]',
      '{}',
      '{"type":"nosuch"}',
      '{"type":"subscribe"}',
      '{"type":"subscribe","id":0,"scope":"x"}',
      '{"type":"subscribe","id":1.5,"scope":"x"}',
      '{"type":"subscribe","id":4294967296,"scope":"x"}',
      '{"type":"subscribe","id":1,"scope":""}',
      '{"type":"subscribe","id":1,"scope":"x","from":-1}',
      '{"type":"subscribe","id":1,"scope":"x","from":1e999}',
      `{"type":"subscribe","id":1,"scope":"x","series":[${'"x",'.repeat(5000)}"x"]}`,
      '{"type":"watch","topic":"secrets"}',
      '{"type":"auth"}',
      '{"__proto__":{"type":"watch"},"topic":"runs"}',
      '\u0000',
      '{"type":"watch","topic":"runs"',
    ];
    for (const text of bad) reader.socket.send(text);
    reader.socket.send(Buffer.from('{"type":"watch","topic":"runs"}'));
    await eventually(() => reader.of('error').length === bad.length + 1);
    expect(reader.of('error').every((e) => e.code === 'bad_request')).toBe(true);
    reader.send({ type: 'watch', topic: 'status' });
    await reader.next('status');
  });

  test('a message without end closes that socket only', async () => {
    const here = await startHere();
    const [one, other] = [await readLive(here), await readLive(here)];
    one.socket.send('x'.repeat(1024 * 1024 + 1));
    expect((await one.closing()).code).toBe(1009);
    other.send({ type: 'watch', topic: 'status' });
    await other.next('status');
  });

  test('anything, in any order, from several sockets: the engine goes on', async () => {
    const here = await startHere();
    const { scope } = await liveRun(here);
    const node = (await here.client.nodes()).nodes[0]!.scope;
    const id = fc.integer({ min: 1, max: 5 });
    const request: fc.Arbitrary<LiveRequest> = fc.oneof(
      fc.record({ type: fc.constant('auth' as const), token: fc.constantFrom(here.engine.token, 'x') }),
      fc.record(
        {
          type: fc.constant('subscribe' as const),
          id,
          scope: fc.constantFrom(scope, node, 'nosuch'),
          series: fc.array(fc.constantFrom('a_total', 'x{', 'é', ''), { maxLength: 3 }),
          from: fc.constantFrom(0, 1, Date.now() - 200, Date.now() + 1e6, 1e300, Number.MAX_SAFE_INTEGER),
        },
        { requiredKeys: ['type', 'id', 'scope'] },
      ),
      fc.record({ type: fc.constant('unsubscribe' as const), id }),
      fc.record({
        type: fc.constantFrom('watch' as const, 'unwatch' as const),
        topic: fc.constantFrom('runs' as const, 'status' as const),
      }),
    );
    const message = fc.oneof(
      { weight: 5, arbitrary: request.map((r) => JSON.stringify(r)) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 30 }), fc.boolean(), async (messages, abruptly) => {
        const reader = await readLive(here);
        for (const one of messages) reader.socket.send(one);
        if (abruptly) reader.socket.terminate();
        else reader.socket.close();
        await reader.closing();
      }),
      { numRuns: 100 },
    );
    await eventually(async () => (await here.client.status()).live.readers === 0);
    const last = await readLive(here);
    last.send({ type: 'subscribe', id: 1, scope });
    await eventually(() => last.stream(1).frames.length > 1);
    expect(here.log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
