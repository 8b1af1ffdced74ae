/** Very many clients and readers of one engine, well and badly behaved ones, and what its clock does meanwhile. */

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeFrame } from '../../src/shared/frame.ts';

export interface CrowdTarget {
  readonly url: string;
  readonly token: string;
  readonly legacySocket: string;
}

export interface Crowd {
  close(): void;
}

const JOB = (jobid: string): string =>
  `{"JobDesc":{"jobid":"${jobid}","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0`;
const DESC = '{"Desc":{"name":"c","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0';
const VALUE = '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":1.0}}}}\0';
/** Connections asked for at once; more would only wait in the listen queue. */
const AT_ONCE = 500;

function connect(where: string | URL): Socket {
  const socket =
    typeof where === 'string' ? createConnection(where) : createConnection(Number(where.port), where.hostname);
  socket.on('error', () => undefined);
  return socket;
}

/** That many programs of one job, connected all the while; each counts `add()` more when told to. */
export async function programs(target: CrowdTarget, count: number, jobid: string): Promise<Crowd & { add(): void }> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const more = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => connect(target.legacySocket));
    await Promise.all(more.map((socket) => once(socket, 'connect')));
    sockets.push(...more);
  }
  for (const socket of sockets) socket.write(JOB(jobid) + DESC);
  return {
    add: () => sockets.forEach((socket) => socket.write(VALUE)),
    close: () => sockets.forEach((socket) => socket.end()),
  };
}

/** So many programs a second that come, count 1 and go. Returns how many there were. */
export async function comeAndGo(
  target: CrowdTarget,
  perSecond: number,
  seconds: number,
  jobid: string,
): Promise<number> {
  const begin = performance.now();
  let done = 0;
  const gone: Promise<unknown>[] = [];
  while (done < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - begin) / 1000) * perSecond));
    for (; done < due; done++) {
      const socket = connect(target.legacySocket);
      gone.push(new Promise((resolve) => socket.once('close', resolve)));
      socket.resume().end(JOB(jobid) + DESC + VALUE);
    }
    await sleep(5);
  }
  await Promise.all(gone);
  return done;
}

/** Senders of a byte a second: half of them to the legacy socket, half of them over HTTP. */
export function drips(target: CrowdTarget, count: number): Crowd {
  const head = `GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'x'.repeat(1000)}`;
  const senders = Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? { socket: connect(target.legacySocket), text: JOB('slow') + DESC + VALUE, at: 0 }
      : { socket: connect(new URL(target.url)), text: head, at: 0 },
  );
  const timer = setInterval(() => {
    for (const sender of senders) sender.socket.write(sender.text[sender.at++ % sender.text.length]!);
  }, 1000);
  return {
    close() {
      clearInterval(timer);
      for (const { socket } of senders) socket.destroy();
    },
  };
}

/** Readers that ask for something large and never read it. */
export function deaf(target: CrowdTarget, count: number): Crowd {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(new URL(target.url)).pause();
    const ask = `GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${target.token}\r\n\r\n`;
    socket.write(ask.repeat(50));
    return socket;
  });
  return { close: () => sockets.forEach((socket) => socket.destroy()) };
}

export interface Readers extends Crowd {
  /** Answers of each reader so far. */
  readonly answers: readonly number[];
  /** Anything but a good answer. */
  readonly failures: readonly string[];
}

/** Readers that ask again and again, each on one connection of its own. */
export function readers(target: CrowdTarget, count: number, everyMs: number, path = '/job/list'): Readers {
  const { hostname, port } = new URL(target.url);
  const answers = Array.from({ length: count }, () => 0);
  const failures: string[] = [];
  const agents = answers.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const state = { open: true };
  const ask = (agent: Agent): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${target.token}` };
      request({ host: hostname, port, path, agent, headers }, (answer) => {
        answer
          .on('error', reject)
          .resume()
          .on('end', () => resolve(answer.statusCode ?? 0));
      })
        .on('error', reject)
        .end();
    });
  const read = async (agent: Agent, i: number): Promise<void> => {
    await sleep((i / count) * everyMs);
    while (state.open) {
      const began = performance.now();
      const status = await ask(agent).catch(String);
      if (!state.open) return;
      if (status === 200) answers[i]!++;
      else failures.push(String(status));
      await sleep(Math.max(0, everyMs - (performance.now() - began)));
    }
  };
  for (const [i, agent] of agents.entries()) void read(agent, i);
  return {
    answers,
    failures,
    close() {
      state.open = false;
      for (const agent of agents) agent.destroy();
    },
  };
}

export interface Clock extends Crowd {
  /** Of each tick heard: how much later it was than one period after the tick before, in ms, by the engine's own clock. */
  readonly lateness: readonly number[];
  /** Ticks that the engine left out, or that were not heard. */
  readonly lost: number;
}

/** Listens to the ticks of the engine's node. */
export async function listenToClock(target: CrowdTarget, scope: string): Promise<Clock> {
  const lateness: number[] = [];
  const clock = { lateness, lost: 0, close: () => socket.close() };
  const socket = new WebSocket(`${target.url.replace('http', 'ws')}/api/v1/live`);
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  let period = 0;
  let last: number | null = null;
  const heard = new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') {
        const event = JSON.parse(data) as { type: string; period?: number };
        if (event.type === 'hello') period = event.period!;
        return;
      }
      const { sequence, interval } = decodeFrame(new Uint8Array(data as ArrayBuffer));
      if (last !== null) {
        lateness.push(Math.max(0, interval - period));
        clock.lost += sequence - last - 1 + Math.max(0, Math.round(interval / period) - 1);
      }
      last = sequence;
      resolve();
    });
  });
  socket.send(JSON.stringify({ type: 'auth', token: target.token }));
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, scope }));
  await heard;
  return clock;
}
