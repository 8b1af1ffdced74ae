import { createServer, createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child.ts';
import { getJson, startEngine, temporaryFolder } from './engine.ts';

/** Whatever reads the messages: a fresh process for each run. */
export interface Consumer {
  readonly pid: number;
  readonly socket: string;
  /** Sum of every counter of the job so far, by name. Null when it does not add them up. */
  readonly sums: ((job: string) => Promise<ReadonlyMap<string, number>>) | null;
  stop(): Promise<void>;
}

export type StartConsumer = () => Promise<Consumer>;

/** A read takes what came in meanwhile: the shortest CPU time per message of the pauses tried from 0 to 5 ms. */
const READER_PAUSE_US = 100;

/** Shape of `/job/?job=`, the same with every proxy of this family. */
interface JobAnswer {
  readonly counters: readonly {
    readonly name: string;
    readonly ctype: { readonly Counter?: { readonly value: number } };
  }[];
}

function sumsOf(answer: unknown): ReadonlyMap<string, number> {
  const { counters } = answer as JobAnswer;
  return new Map(counters.flatMap(({ name, ctype }) => (ctype.Counter ? [[name, ctype.Counter.value] as const] : [])));
}

/** Vigie's engine, without what it does besides: no store on disk, no sources of its own. */
export async function startVigie(): Promise<Consumer> {
  const engine = await startEngine(['--memory', '--no-node']);
  return {
    pid: engine.pid,
    socket: engine.legacySocket,
    sums: async (job) => sumsOf(await engine.get(`/job/?job=${encodeURIComponent(job)}`)),
    stop: engine.stop,
  };
}

/** The smallest consumer one would write, on the same Node. */
export async function startMinimal(): Promise<Consumer> {
  const folder = temporaryFolder('minimal');
  const socket = join(folder.path, 'socket');
  const child = startChild(process.execPath, [join(import.meta.dirname, '../load/minimal-consumer.mjs'), socket]);
  await child.line(20_000);
  return {
    pid: child.pid,
    socket,
    async sums() {
      child.say('sums');
      return new Map(Object.entries(JSON.parse(await child.line(20_000)) as Record<string, number>));
    },
    async stop() {
      await child.stop();
      folder.remove();
    },
  };
}

/** A C program that reads and does nothing else: what the kernel alone takes on the reader's account. */
export function startReader(program: string): StartConsumer {
  return async () => {
    const folder = temporaryFolder('reader');
    const socket = join(folder.path, 'socket');
    const child = startChild(program, [socket, String(READER_PAUSE_US)]);
    await child.line(20_000);
    return {
      pid: child.pid,
      socket,
      sums: null,
      async stop() {
        await child.stop();
        folder.remove();
      },
    };
  };
}

/**
 * Another proxy, by its command line, in which `{socket}` and `{port}` stand for its Unix socket and its HTTP port on
 * loopback. It is split at blanks; no shell is involved.
 */
export function startPeer(commandLine: string): StartConsumer {
  return async () => {
    const folder = temporaryFolder('peer');
    const socket = join(folder.path, 'socket');
    const port = await freePort();
    const words = commandLine.split(/\s+/).filter((word) => word !== '');
    const [command = '', ...args] = words.map((word) =>
      word.replaceAll('{socket}', socket).replaceAll('{port}', `${port}`),
    );
    const child = startChild(command, args, { cwd: folder.path, env: { HOME: folder.path } });
    const stop = async (): Promise<void> => {
      await child.stop();
      folder.remove();
    };
    try {
      await waitForSocket(socket, 20_000);
    } catch (error) {
      await stop();
      throw error;
    }
    const url = `http://127.0.0.1:${port}/job/?job=`;
    return { pid: child.pid, socket, sums: async (job) => sumsOf(await getJson(url + encodeURIComponent(job))), stop };
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function waitForSocket(path: string, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = createConnection(path, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (connected) return;
    if (performance.now() > end) throw new Error(`nothing listens on ${path}`);
    await sleep(50);
  }
}
