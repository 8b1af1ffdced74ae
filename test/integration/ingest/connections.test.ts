import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Pusher } from '../../../src/client/pusher.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';

/** A program that pushes for ever, in a process of its own. */
const PROGRAM = `
import { createConnection } from 'node:net';
const [, path, jobid] = process.argv;
const socket = createConnection(path);
const send = (message) => socket.write(JSON.stringify(message) + '\\0');
send({ JobDesc: { jobid, command: 'x', size: 1, nodelist: '', partition: '', cluster: '', run_dir: '', start_time: 0, end_time: 0 } });
send({ Desc: { name: 'c', doc: '', ctype: { Counter: { ts: 0, value: 0 } } } });
setInterval(() => send({ Value: { name: 'c', value: { Counter: { ts: 1, value: 1 } } } }), 1);
`;

async function ended({ client }: Here, jobid: string) {
  return eventually(async () => (await client.runs({ state: 'ended' })).runs.find((run) => run.jobid === jobid));
}

async function nothingLeft({ client }: Here): Promise<void> {
  await eventually(async () => (await client.status()).ingest.connections === 0);
  expect((await client.runs({ state: 'live' })).runs).toEqual([]);
}

async function open(path: string): Promise<Socket> {
  const socket = createConnection(path);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket.resume();
}

const JOB = `{"JobDesc":{"jobid":"j","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0`;
const DESC = '{"Desc":{"name":"c","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0';
const VALUE = '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":1.0}}}}\0';

describe('a client that goes away', () => {
  test('killed: its run ends, with what it had sent', async () => {
    const here = await startHere({ node: false });
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', PROGRAM, here.engine.ready.legacy_socket!, 'killed'],
      { stdio: 'inherit' },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    await eventually(async () => ((await here.client.status()).ingest.messages > 20 ? true : undefined));
    child.kill('SIGKILL');
    const run = await ended(here, 'killed');
    const { ingest } = await here.client.status();
    expect((await here.client.profile(run.id)).series).toMatchObject([{ name: 'c', value: ingest.messages - 2 }]);
    expect(run).toMatchObject({ state: 'finished', ranks: 1, clients: 0 });
    await nothingLeft(here);
  });

  test('within a message: the message is dropped, all before it counts', async () => {
    const here = await startHere({ node: false });
    const socket = await open(here.engine.ready.legacy_socket!);
    socket.end(JOB + DESC + VALUE + VALUE + VALUE.slice(0, -10));
    const run = await ended(here, 'j');
    expect((await here.client.profile(run.id)).series).toMatchObject([{ value: 2 }]);
    expect((await here.client.status()).ingest.rejected).toEqual({});
    await nothingLeft(here);
  });

  test('that ends right after its last byte loses nothing', async () => {
    const here = await startHere({ node: false });
    for (let i = 0; i < 20; i++)
      (await open(here.engine.ready.legacy_socket!)).end(JOB.replace('"j"', `"j${i}"`) + DESC + VALUE.repeat(5000));
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 20);
    for (const run of (await here.client.runs({ state: 'ended' })).runs) {
      expect((await here.client.profile(run.id)).series).toMatchObject([{ value: 5000 }]);
    }
    await nothingLeft(here);
  });

  test('with answers of ours unread, so that the kernel resets: its run ends all the same', async () => {
    const here = await startHere({ node: false });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(here.engine.ready.socket)));
    for (const [i, socket] of sockets.entries()) {
      if (i % 2 === 0) socket.write(JOB + DESC + VALUE);
      else socket.write('GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.pause();
    }
    await eventually(async () => (await here.client.status()).ingest.connections === 10);
    for (const socket of sockets) socket.destroy();
    const run = await ended(here, 'j');
    expect(run).toMatchObject({ ranks: 10, clients: 0 });
    expect((await here.client.profile(run.id)).series).toMatchObject([{ value: 10 }]);
    await nothingLeft(here);
  });

  test('without a word, or with nothing but a piece of one', async () => {
    const here = await startHere({ node: false });
    for (const which of ['socket', 'legacy_socket'] as const) {
      for (const bytes of ['', '{', '\0', '{\0']) (await open(here.engine.ready[which]!)).end(bytes);
    }
    await nothingLeft(here);
    expect((await here.client.status()).runs).toEqual({ live: 0, ended: 0 });
  });

  test('and others that come and go at random leave no run behind', async () => {
    const here = await startHere({ node: false, grace: '50ms' });
    const clients = Array.from({ length: 60 }, async (_, i) => {
      const socket = await open(here.engine.ready.legacy_socket!);
      socket.write(JOB.replace('"j"', `"j${i % 7}"`) + DESC + VALUE);
      if (i % 3 === 0) socket.write(JOB.replace('"j"', `"moved${i % 2}"`));
      if (i % 5 === 0) socket.write('!\0'.repeat(100));
      else if (i % 5 === 1) socket.write(VALUE.slice(0, 20));
      if (i % 2 === 0) socket.destroy();
      else socket.end();
    });
    await Promise.all(clients);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 0);
    await nothingLeft(here);
  });
});

describe('many clients at once', () => {
  test.each(['socket', 'legacy_socket'] as const)(
    '1500 programs that start together all reach the %s',
    async (which) => {
      const here = await startHere({ node: false });
      // The engine is in this process: it accepts none before all have asked.
      const sockets = Array.from({ length: 1500 }, () => createConnection(here.engine.ready[which]!));
      onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      for (const socket of sockets) socket.end(JOB + DESC + VALUE);
      const run = await ended(here, 'j');
      expect(run).toMatchObject({ ranks: 1500 });
      expect((await here.client.profile(run.id)).series).toMatchObject([{ value: 1500 }]);
      await nothingLeft(here);
    },
  );
});

describe('the engine’s own socket', () => {
  test('tells messages from requests by their first byte, also when that comes alone', async () => {
    const here = await startHere({ node: false });
    const legacy = await open(here.engine.ready.socket);
    for (const piece of [JOB.slice(0, 1), JOB.slice(1), DESC, VALUE]) {
      legacy.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(async () => (await here.client.status()).ingest.messages === 3);
    const http = await open(here.engine.ready.socket);
    let answer = '';
    http.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    http.write('G');
    await new Promise((resolve) => setImmediate(resolve));
    http.write('ET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await once(http, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toContain('"ingest":{"connections":1,"messages":3');
  });

  test('answers garbage like any HTTP server, and goes on', async () => {
    const here = await startHere({ node: false });
    const socket = await open(here.engine.ready.socket);
    let answer = '';
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    socket.write('\u0002\u0003garbage\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await here.client.status()).ingest.connections).toBe(0);
  });
});

describe('Pusher', () => {
  test('is one rank: what it told is there when it has closed', async () => {
    const here = await startHere({ node: false });
    const pusher = await Pusher.connect(here.engine.ready.legacy_socket!);
    pusher.job({ jobid: 'p', command: 'solver', size: 2 });
    pusher.describeCounter('c', 'doc of c');
    pusher.describeGauge('g');
    for (let i = 0; i < 1000; i++) pusher.increase('c', 0.5);
    pusher.set('g', 7);
    pusher.set('g', { min: 1, max: 9, hits: 2, total: 10 });
    await pusher.close();
    await pusher.close();
    const run = await ended(here, 'p');
    expect(run).toMatchObject({ command: 'solver', size: 2, ranks: 1 });
    expect((await here.client.profile(run.id)).series).toMatchObject([
      { name: 'c', doc: 'doc of c', value: 500 },
      { name: 'g', value: 5, gauge: { min: 1, max: 9, hits: 2, total: 10 } },
    ]);
    expect((await here.client.status()).ingest.rejected).toEqual({});
  });

  test('says what to do when nobody listens', async () => {
    const here = await startHere({ node: false });
    const nowhere = `${here.folder}/nowhere.socket`;
    await expect(Pusher.connect(nowhere)).rejects.toThrow(
      `${nowhere}: no engine listens there; start one with \`vigie serve\``,
    );
  });

  test('an engine that goes away does not end the program that is measured', async () => {
    const here = await startHere({ node: false });
    const pusher = await Pusher.connect(here.engine.ready.socket);
    pusher.job({ jobid: 'p' });
    pusher.describeCounter('c');
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 1);
    await here.engine.close();
    for (let i = 0; i < 100; i++) {
      pusher.increase('c', 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(pusher.close()).rejects.toThrow('the connection broke');
  });
});
