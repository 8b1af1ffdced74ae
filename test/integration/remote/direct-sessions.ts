/** Sessions that reach "over there" on this machine: what is behind SSH without SSH. Channels are real sockets. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type {
  ConnectionPrompter,
  Executed,
  HopStatus,
  Session,
  Sessions,
  SessionState,
} from '../../../src/engine/remote/types.ts';

export class DirectSession implements Session {
  state: SessionState = 'connecting';
  reason: string | null = null;
  problem: string | null = null;
  since = Date.now();
  readonly #open = new Set<Socket>();
  readonly #listeners = new Set<() => void>();
  readonly #env: NodeJS.ProcessEnv;
  readonly host: string;
  readonly prompter: ConnectionPrompter;
  /** Unix sockets that a dial of another one ends at. */
  readonly instead = new Map<string, string>();
  #received = 0;
  #sent = 0;

  constructor(host: string, prompter: ConnectionPrompter, env: NodeJS.ProcessEnv) {
    this.host = host;
    this.prompter = prompter;
    this.#env = env;
  }

  get channels(): number {
    return this.#open.size;
  }

  become(state: SessionState, reason: string | null = null): void {
    this.state = state;
    this.reason = reason;
    this.since = Date.now();
    if (state !== 'up') this.cut();
    for (const listener of this.#listeners) listener();
  }

  /** The connection is gone, and everything in it. */
  cut(): void {
    for (const one of this.#open) one.destroy();
  }

  async #dialled(socket: Socket, signal: AbortSignal): Promise<Duplex> {
    if (this.state !== 'up') {
      socket.destroy();
      throw new Error('the connection is not up');
    }
    await once(socket, 'connect', { signal });
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#received += socket.bytesRead;
      this.#sent += socket.bytesWritten;
      this.#open.delete(socket);
    });
    return socket;
  }

  dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#dialled(connect({ host, port }), signal);
  }

  dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
    return this.#dialled(connect({ path: this.instead.get(path) ?? path }), signal);
  }

  async exec(command: string, signal: AbortSignal): Promise<Executed> {
    signal.throwIfAborted();
    const child = spawn('/bin/sh', ['-c', command], { env: this.#env, stdio: 'pipe' });
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      code,
      close: () => void child.kill('SIGKILL'),
    };
  }

  hops(): HopStatus[] {
    const { state, reason, host } = this;
    return [{ name: host, host: `me@${host}:22`, state, reason, latency: 1, fingerprint: null, through: 'ssh2' }];
  }

  traffic() {
    let [received, sent] = [this.#received, this.#sent];
    for (const { bytesRead, bytesWritten } of this.#open) {
      received += bytesRead;
      sent += bytesWritten;
    }
    return { in: received, out: sent };
  }

  log() {
    return [{ time: this.since, text: `${this.host}: connected` }];
  }

  onState(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.state = 'closed';
    this.cut();
  }
}

export class DirectSessions implements Sessions {
  readonly opened: DirectSession[] = [];
  readonly #env: NodeJS.ProcessEnv;
  readonly #began: (session: DirectSession) => void;

  /** `env`: of commands over there. `began`: what becomes of a session; default: it is up in the next turn. */
  constructor(
    env: NodeJS.ProcessEnv,
    began = (session: DirectSession): void => void setImmediate(() => session.become('up')),
  ) {
    this.#env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...env };
    this.#began = began;
  }

  get last(): DirectSession {
    return this.opened.at(-1)!;
  }

  open(host: string, prompter: ConnectionPrompter): DirectSession {
    const session = new DirectSession(host, prompter, this.#env);
    this.opened.push(session);
    this.#began(session);
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.opened) await session.close();
  }
}
