/** Limits at the edge: on real sockets, with a real engine, each refused with a reason, counted, and others served on. */

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

async function dial(where: string | { readonly url: string }): Promise<Socket> {
  const socket =
    typeof where === 'string'
      ? createConnection(where)
      : createConnection(Number(new URL(where.url).port), new URL(where.url).hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side ends. */
async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  // Not `once`: a reset is an end, too.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

const refused = async ({ client }: Here): Promise<Record<string, number>> => (await client.status()).refused;

/** On the engine's own socket: no limit of the address holds there. */
const status = async (here: Here) =>
  (await ask({ socketPath: here.engine.ready.socket }, '/api/v1/status')).json() as Awaited<
    ReturnType<Here['client']['status']>
  >;

describe('requests per second', () => {
  test('of one address: 429 and when to try again; the engine’s own socket has no such limit', async () => {
    const here = await startHere({ node: false, limits: { requests_per_second: 5 } });
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => ask(here, '/api/v1/nodes', { headers: withToken(here) })),
    );
    const tooMany = answers.filter((answer) => answer.status === 429);
    expect(answers.filter((answer) => answer.status === 200).length).toBeGreaterThanOrEqual(10);
    expect(tooMany.length).toBeGreaterThan(0);
    expect(tooMany[0]!.json()).toMatchObject({ code: 'too_many_requests', status: 429 });
    expect(tooMany[0]!.headers['retry-after']).toBe('1');
    expect((await status(here)).refused).toEqual({ too_many_requests: tooMany.length });
    await eventually(async () => (await ask(here, '/api/v1/nodes', { headers: withToken(here) })).status === 200);
  });

  test('wrong tokens use up nobody’s but those without: who has the token is served at once', async () => {
    const here = await startHere({ node: false, limits: { requests_per_second: 5 } });
    const wrong = { authorization: `Bearer ${'x'.repeat(40)}` };
    const failing = Promise.all(Array.from({ length: 100 }, () => ask(here, '/api/v1/nodes', { headers: wrong })));
    expect((await ask(here, '/api/v1/nodes', { headers: withToken(here) })).status).toBe(200);
    expect((await ask(here, '/healthz')).status).toBe(200);
    const answers = await failing;
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401, 429]));
    const counts = (await status(here)).refused;
    expect(counts['unauthorized']).toBe(100);
    expect(counts['too_many_requests']).toBe(answers.filter((answer) => answer.status === 429).length);
  });
});

/** A run of so many series; the path of their list, which is a large answer. */
async function wideRun(here: Here, series: number): Promise<string> {
  const pusher = await here.pusher();
  pusher.job({ jobid: 'wide' });
  for (let i = 0; i < series; i++) pusher.describeCounter(`a_rather_long_name_of_a_counter_${i}`, 'what it counts');
  const scope = await eventually(async () => {
    const [run] = (await here.client.runs({ state: 'live' })).runs;
    return run?.series === series && run.scope;
  });
  return `/api/v1/series?scope=${encodeURIComponent(scope)}`;
}

describe('sizes', () => {
  test('a request body', async () => {
    const here = await startHere({ node: false, limits: { request_body: '1KiB' } });
    const answer = await ask(here, '/push', {
      method: 'POST',
      headers: { ...withToken(here), 'content-type': 'application/json' },
      body: JSON.stringify({ key: 'x'.repeat(2000) }),
    });
    expect(answer.status).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'payload_too_large', detail: 'a request body may have 1KiB at most' });
    expect(await refused(here)).toEqual({ request_too_large: 1 });
  });

  test('an answer: refused in words, smaller ones are given', async () => {
    const here = await startHere({ node: false, limits: { response_size: '64KiB' } });
    const path = await wideRun(here, 2000);
    const answer = await ask(here, path, { headers: withToken(here) });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({ code: 'response_too_large' });
    expect((await ask(here, '/api/v1/runs', { headers: withToken(here) })).status).toBe(200);
    expect(await refused(here)).toEqual({ response_too_large: 1 });
  });

  test('answers that nobody reads: further large ones are 503, small ones go on; there is room again when they are gone', async () => {
    const here = await startHere({ node: false, limits: { unread_responses: '16MiB' } });
    const path = await wideRun(here, 15_000);
    const lazy = await Promise.all(Array.from({ length: 8 }, () => dial(here)));
    const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${here.engine.token}\r\n\r\n`;
    for (const socket of lazy) socket.pause().write(head);
    await eventually(async () => (await here.client.status()).limits.unread_responses.used > 12_000_000);
    const answer = await ask(here, path, { headers: withToken(here) });
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'overloaded' });
    for (const socket of lazy) socket.destroy();
    await eventually(async () => (await here.client.status()).limits.unread_responses.used === 0);
    expect((await ask(here, path, { headers: withToken(here) })).status).toBe(200);
  });
});

describe('times', () => {
  test('a request that comes a byte at a time is answered 408', async () => {
    const here = await startHere({ node: false, limits: { request_time: '300ms' } });
    const socket = await dial(here);
    const drip = setInterval(() => socket.write('x'), 20);
    onTestFinished(() => clearInterval(drip));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const answer = await rest(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toContain('"code":"request_timeout"');
    expect(await refused(here)).toEqual({ request_too_slow: 1 });
  });

  test('a reader that does not take its answer is cut off', async () => {
    const here = await startHere({ node: false, limits: { response_time: '500ms' } });
    const pusher = await here.pusher();
    pusher.job({ jobid: 'wide' });
    for (let i = 0; i < 15_000; i++) pusher.describeCounter(`a_rather_long_name_of_a_counter_${i}`, 'what it counts');
    const scope = await eventually(async () => {
      const [run] = (await here.client.runs({ state: 'live' })).runs;
      return run?.series === 15_000 && run.scope;
    });
    const socket = await dial(here);
    socket.pause();
    const path = `/api/v1/series?scope=${encodeURIComponent(scope)}`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${here.engine.token}\r\n\r\n`);
    await eventually(async () => (await refused(here))['response_too_slow'] === 1);
    await eventually(async () => (await here.client.status()).limits.unread_responses.used === 0);
  });

  test('a live reader is not cut off by it', async () => {
    const here = await startHere({
      node: false,
      limits: { response_time: '100ms', request_time: '100ms', keep_alive: '100ms' },
    });
    const socket = new WebSocket(`${here.url.replace('http', 'ws')}/api/v1/live`);
    onTestFinished(() => socket.close());
    await once(socket, 'open');
    let statuses = 0;
    socket.addEventListener('message', ({ data }) => (statuses += String(data).includes('"type":"status"') ? 1 : 0));
    socket.send(JSON.stringify({ type: 'auth', token: here.engine.token }));
    socket.send(JSON.stringify({ type: 'watch', topic: 'status' }));
    await eventually(() => statuses > 20);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(await refused(here)).toEqual({});
  });

  test('a connection between two requests is closed', async () => {
    const here = await startHere({ node: false, limits: { keep_alive: '200ms' } });
    const socket = await dial(here);
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await rest(socket)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test.each(['socket', 'legacy_socket'] as const)(
    'silence on the %s is; a program that has spoken may be silent',
    async (which) => {
      const here = await startHere({ node: false, limits: { first_message: '300ms' } });
      const spoken = await dial(here.engine.ready[which]!);
      spoken.write('{');
      const silent = await dial(here.engine.ready[which]!);
      await rest(silent);
      expect(await refused(here)).toEqual({ silent_connection: 1 });
      expect(spoken.closed).toBe(false);
      expect((await here.client.status()).ingest.connections).toBe(1);
    },
  );
});

describe('connections', () => {
  test('to the sockets: further ones are closed at once, and there is room again when one goes', async () => {
    const here = await startHere({ node: false, limits: { connections: 3 } });
    const { socket, legacy_socket } = here.engine.ready;
    const held = await Promise.all([dial(socket), dial(legacy_socket!), dial(legacy_socket!)]);
    for (const one of held) one.write('{');
    await eventually(async () => (await here.client.status()).limits.connections.used === 3);
    await rest(await dial(legacy_socket!));
    await rest(await dial(socket));
    expect(await refused(here)).toEqual({ too_many_connections: 2 });
    held[0].destroy();
    await eventually(async () => (await here.client.status()).limits.connections.used === 2);
    const again = await dial(legacy_socket!);
    again.write('{"Desc":{"name":"c","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0');
    await eventually(async () => (await here.client.status()).ingest.messages === 1);
  });

  test('over HTTP: who has shown the token stays, and gets in, however many only connect', async () => {
    const here = await startHere({ node: false, limits: { http_connections: 10 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const port = Number(new URL(here.url).port);
    const over = (): Promise<{ status: number; reused: boolean }> =>
      new Promise((resolve, reject) => {
        const outgoing = request(
          { port, host: '127.0.0.1', path: '/api/v1/nodes', headers: withToken(here), agent },
          (answer) => {
            answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, reused: outgoing.reusedSocket }));
          },
        );
        outgoing.on('error', reject).end();
      });
    expect(await over()).toEqual({ status: 200, reused: false });
    for (let i = 0; i < 50; i++) await dial(here);
    expect(await over()).toEqual({ status: 200, reused: true });
    expect((await ask(here, '/api/v1/nodes', { headers: withToken(here) })).status).toBe(200);
    const now = await status(here);
    expect(now.limits.http_connections.limit).toBe(10);
    expect(now.limits.http_connections.used).toBeLessThanOrEqual(10);
    expect(now.refused['too_many_http_connections']).toBeGreaterThanOrEqual(41);
  });
});

describe('messages', () => {
  test('longer than allowed close their connection', async () => {
    const here = await startHere({ node: false, limits: { message_size: '4KiB' } });
    const socket = await dial(here.engine.ready.legacy_socket!);
    socket.write(`{"Desc":{"name":"c","doc":"${'x'.repeat(5000)}`);
    await rest(socket);
    expect((await here.client.status()).ingest.rejected).toEqual({ message_too_long: 1 });
  });

  test('that are never finished, by many clients together: the one too many is cut off, others go on', async () => {
    const here = await startHere({ node: false, limits: { unfinished_messages: '1MiB' } });
    const piece = `{"Desc":{"name":"c","doc":"${'x'.repeat(300 * 1024)}`;
    const held = await Promise.all(Array.from({ length: 3 }, () => dial(here.engine.ready.legacy_socket!)));
    for (const one of held) one.write(piece);
    await eventually(async () => (await here.client.status()).limits.unfinished_messages.used === 3 * piece.length);
    const last = await dial(here.engine.ready.legacy_socket!);
    last.write(piece);
    await rest(last);
    expect(await refused(here)).toEqual({ unfinished_message: 1 });
    // A short message is taken all the same, and those that were begun can be finished.
    const other = await dial(here.engine.ready.legacy_socket!);
    other.write('{"Desc":{"name":"a","doc":"","ctype":{"Cou');
    other.write('nter":{"ts":0,"value":0.0}}}}\0');
    for (const one of held) one.write('","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0');
    await eventually(async () => (await here.client.status()).ingest.messages === 4);
    expect((await here.client.status()).limits.unfinished_messages.used).toBe(0);
  });
});

test('what is refused stands in the metrics, too', async () => {
  const here = await startHere({ node: false, limits: { connections: 1 } });
  (await dial(here.engine.ready.legacy_socket!)).write('{');
  await eventually(async () => (await here.client.status()).limits.connections.used === 1);
  await rest(await dial(here.engine.ready.legacy_socket!));
  await eventually(async () =>
    (await here.client.raw('/metrics')).body.includes('vigie_refused_total{reason="too_many_connections"} 1\n'),
  );
});

test('the memory ceiling: series that are there go on, new ones are refused, everything is answered', async () => {
  // Less than a Node process takes.
  const here = await startHere({ node: false, limits: { memory: '64MiB' } });
  const pusher = await here.pusher();
  await eventually(async () => (await here.client.status()).memory_full);
  pusher.job({ jobid: 'late' });
  pusher.describeCounter('c');
  pusher.increase('c', 1);
  const { ingest, limits } = await eventually(async () => {
    const now = await here.client.status();
    return now.ingest.rejected['value_before_desc'] === 1 && now;
  });
  expect(ingest.rejected).toEqual({ memory_full: 2, value_before_desc: 1 });
  expect(limits.memory.used).toBeGreaterThan(limits.memory.limit);
});
