import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Pusher, PushError } from '../../../src/client/pusher.ts';
import { eventually } from '../../support/wait.ts';
import { temporaryFolder } from '../../support/tmp.ts';

async function listener(onSocket: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(), 's');
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  onTestFinished(() => void server.close());
  return path;
}

test('writes the messages the old clients write, all of them before it closes', async () => {
  let text = '';
  const path = await listener((socket) => void socket.on('data', (bytes: Buffer) => (text += bytes.toString())));
  const pusher = await Pusher.connect(path);
  pusher.job({ jobid: '42', command: './a.out', size: 4 });
  pusher.describeCounter('c_total', 'a "counter"');
  pusher.increase('c_total', 2.5);
  pusher.describeGauge('g');
  pusher.set('g', 3);
  pusher.set('g', { min: 1, max: 2, hits: 2, total: 3 });
  await pusher.close();
  const messages = text.split('\0');
  expect(messages.pop()).toBe('');
  const [job, desc, value, gaugeDesc, ...gauges] = messages.map(
    (one) => JSON.parse(one) as Record<string, Record<string, unknown>>,
  );
  expect(job).toEqual({
    JobDesc: {
      jobid: '42',
      command: './a.out',
      size: 4,
      nodelist: '',
      partition: '',
      cluster: '',
      run_dir: '',
      start_time: 0,
      end_time: 0,
    },
  });
  expect(desc).toEqual({ Desc: { name: 'c_total', doc: 'a "counter"', ctype: { Counter: { ts: 0, value: 0 } } } });
  expect(value).toEqual({
    Value: { name: 'c_total', value: { Counter: { ts: expect.any(Number) as number, value: 2.5 } } },
  });
  expect(gaugeDesc).toEqual({ Desc: { name: 'g', doc: '', ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } } });
  expect(gauges.map((g) => (g['Value']!['value'] as { Gauge: unknown }).Gauge)).toEqual([
    { min: 3, max: 3, hits: 1, total: 3 },
    { min: 1, max: 2, hits: 2, total: 3 },
  ]);
});

test('nobody listens: the error names the path and what to do', async () => {
  const path = join(temporaryFolder(), 'none');
  const error = await Pusher.connect(path).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(PushError);
  expect((error as Error).message).toBe(`${path}: no engine listens there; start one with \`vigie serve\``);
});

test('an engine that goes away does not end the program that is measured; closing tells of the loss', async () => {
  const sockets: Socket[] = [];
  const path = await listener((socket) => void sockets.push(socket));
  const pusher = await Pusher.connect(path);
  await eventually(() => sockets.length === 1);
  expect(pusher.failure).toBeNull();
  sockets[0]!.destroy();
  for (let i = 0; i < 200; i++) {
    pusher.increase('x', 1);
    await new Promise(setImmediate);
  }
  const error = await pusher.close().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(PushError);
  expect((error as Error).message).toContain(`${path}: the connection broke before everything was handed over (`);
  await expect(pusher.close()).rejects.toBe(error);
});

test.each(['end', 'destroy'] as const)(
  'a connection that the engine %ss while nothing is sent is a loss',
  async (how) => {
    const path = await listener((socket) => void socket[how]());
    const pusher = await Pusher.connect(path);
    await eventually(() => pusher.failure !== null);
    await expect(pusher.close()).rejects.toThrow('the connection broke');
  },
);

test('an engine that never reads: closing gives up after 10 s', { timeout: 120_000 }, async () => {
  const sockets: Socket[] = [];
  const path = await listener((socket) => void sockets.push(socket.pause()));
  const pusher = await Pusher.connect(path);
  // More than the kernel takes.
  pusher.raw(new Uint8Array(8 * 1024 * 1024));
  await expect(pusher.close()).rejects.toThrow('the engine did not read it within 10 s');
  for (const socket of sockets) socket.destroy();
});

test('a connection that was broken off on purpose is closed; closing twice is once', async () => {
  const path = await listener((socket) => void socket.resume());
  const broken = await Pusher.connect(path);
  broken.destroy();
  await broken.close();
  const pusher = await Pusher.connect(path);
  await Promise.all([pusher.close(), pusher.close()]);
  await pusher.close();
});
