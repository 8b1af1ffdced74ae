/** A real sshd for measurements: two hosts, one behind the other, a configuration that leads to them, and the user's ssh. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../scripts/lib/components.mjs';
import { openSshSessions } from '../../src/engine/remote/session/sessions.ts';
import type { ConnectionPrompter, Session, Sessions } from '../../src/engine/remote/types.ts';
import { freePort, SshSite, type Sshd } from '../../test/support/sshd.ts';
import { startChild, type Child } from './child.ts';

/** Nobody is asked anything here: what would ask fails. */
const NOBODY: ConnectionPrompter = {
  ask: () => Promise.resolve(null),
  trust: () => Promise.resolve('no'),
  allow: () => Promise.resolve(false),
  refused: () => undefined,
};

export interface SshBench {
  readonly site: SshSite;
  readonly key: string;
  readonly gate: Sshd;
  readonly inner: Sshd;
  /** `gate`, `inner` through it, and `direct`, which is inner without a hop. */
  readonly config: string;
  readonly ssh: string;
  readonly sessions: Sessions;
  close(): Promise<void>;
}

export async function startSshBench(): Promise<SshBench> {
  const ssh = findProgram('ssh');
  if (process.getuid?.() !== 0 || ssh === undefined || findProgram('sshd') === undefined) {
    throw new Error('an sshd with users of its own needs root, openssh-server and openssh-client');
  }
  const site = new SshSite();
  const key = site.key('user');
  site.authorize(key);
  const [gate, inner] = [await site.sshd(), await site.sshd()];
  const [config, known] = [site.file(), site.file()];
  const lines = [
    ...['Host gate', `Port ${gate.port}`, 'Host inner', `Port ${inner.port}`, 'ProxyJump gate'],
    ...['Host direct', `Port ${inner.port}`],
    ...['Host *', 'HostName 127.0.0.1', `User ${site.user}`, `IdentityFile ${key}`, 'IdentitiesOnly yes'],
    ...['IdentityAgent none', `UserKnownHostsFile ${known}`, 'GlobalKnownHostsFile none', 'BatchMode yes'],
    ...['StrictHostKeyChecking accept-new', 'ControlMaster no', 'ControlPath none', ''],
  ];
  writeFileSync(config, lines.join('\n'));
  // Keys become known, so that both find them so.
  execFileSync(ssh, ['-F', config, 'inner', 'true'], { stdio: 'pipe' });
  const sessions = await openSshSessions({ configFile: config });
  const close = async (): Promise<void> => {
    await sessions.close();
    await site.close();
  };
  return { site, key, gate, inner, config, ssh, sessions, close };
}

/** Waits until it is let in. */
export async function openSession({ sessions }: SshBench, host: string): Promise<Session> {
  const session = sessions.open(host, NOBODY);
  while (session.state !== 'up') {
    if (session.state === 'refused' || session.state === 'down') throw new Error(`${host}: ${session.reason ?? ''}`);
    const changed = Promise.withResolvers<void>();
    const stop = session.onState(() => changed.resolve());
    await changed.promise;
    stop();
  }
  return session;
}

/** `ssh -L`: a port of this machine that leads to a port over there. */
export async function startForward(
  { ssh, config }: SshBench,
  host: string,
  to: number,
): Promise<{ port: number; child: Child }> {
  const port = await freePort();
  const child = startChild(ssh, ['-F', config, '-N', '-L', `127.0.0.1:${port}:127.0.0.1:${to}`, host]);
  for (let tries = 0; ; tries++) {
    try {
      (await connectTo(port)).destroy();
      return { port, child };
    } catch (error) {
      if (tries > 200) throw error;
      await sleep(50);
    }
  }
}

export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/**
 * In a process of its own: a port that takes a number of bytes (a line), sends as many and ends; one that takes what it is
 * sent and answers `done` at its end; one that sends back what it is sent.
 */
export class Peer {
  readonly source: number;
  readonly sink: number;
  readonly echo: number;
  readonly #child: Child;

  private constructor(child: Child, [source = 0, sink = 0, echo = 0]: readonly number[]) {
    this.#child = child;
    [this.source, this.sink, this.echo] = [source, sink, echo];
  }

  static async start(): Promise<Peer> {
    const child = startChild(process.execPath, [import.meta.filename]);
    return new Peer(child, JSON.parse(await child.line(60_000)) as number[]);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** Seconds until so many bytes came. */
export async function download(stream: Duplex, bytes: number): Promise<number> {
  const from = performance.now();
  let got = 0;
  stream.write(`${bytes}\n`);
  stream.on('data', (chunk: Buffer) => (got += chunk.length));
  await once(stream, 'end');
  stream.destroy();
  if (got !== bytes) throw new Error(`${got} of ${bytes} bytes came`);
  return (performance.now() - from) / 1000;
}

/** Seconds until all of it was taken over there. */
export async function upload(stream: Duplex, bytes: number): Promise<number> {
  const piece = Buffer.alloc(64 * 1024, 7);
  const from = performance.now();
  const answered = once(stream, 'data');
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!stream.write(piece)) await once(stream, 'drain');
  }
  stream.end();
  await answered;
  stream.destroy();
  return (performance.now() - from) / 1000;
}

/** Milliseconds of each of so many questions, one after the other. */
export async function pingPong(stream: Duplex, count: number): Promise<number[]> {
  const times: number[] = [];
  const question = Buffer.alloc(64, 1);
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    const answered = once(stream, 'data');
    stream.write(question);
    await answered;
    times.push(performance.now() - from);
  }
  stream.destroy();
  return times;
}

async function serve(): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 7);
  const send = (socket: Socket, left: number): void => {
    for (let rest = left; rest > 0;) {
      const part = rest < piece.length ? piece.subarray(0, rest) : piece;
      rest -= part.length;
      if (socket.write(part)) continue;
      socket.once('drain', () => send(socket, rest));
      return;
    }
    socket.end();
  };
  const handlers: ((socket: Socket) => void)[] = [
    (socket) => void socket.once('data', (line: Buffer) => send(socket, Number(line.toString()))),
    (socket) => void socket.on('end', () => socket.end('done')).resume(),
    (socket) => void socket.pipe(socket),
  ];
  const ports: number[] = [];
  for (const handler of handlers) {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      handler(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  console.log(JSON.stringify(ports));
  process.stdin.on('end', () => process.exit()).resume();
}

if (process.argv[1] === import.meta.filename) await serve();
