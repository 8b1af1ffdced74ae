/**
 * A link carried by the user's own `ssh`: for what the built-in SSH cannot do. One child authenticates and is the master
 * (ControlMaster) of a socket in a private directory; all else goes through it. A destination is forwarded once, to a
 * socket in the same directory: no port is opened, and no process is started for each channel.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import { fingerprint } from '../fingerprint.ts';
import type { Executed, HostKeys, ResolvedHost } from '../types.ts';
import { askpassOf, serveAskpass, type Asked, type Askpass } from './askpass.ts';
import { checkedName, masterArguments, type ChildWay } from './child-arguments.ts';
import { keyName } from './connect.ts';
import { SshFailure, type FailureKind } from './failure.ts';
import type { Link } from './link.ts';
import type { ConnectionLog } from './log.ts';
import { timeoutFailure, type Timeouts } from './phases.ts';
import { cleanText, type Hop, type Prompter } from './prompts.ts';

export interface ChildOptions extends ChildWay {
  readonly hop: Hop;
  readonly hostKeysFor: (host: ResolvedHost) => HostKeys;
  readonly prompter: Prompter;
  readonly timeouts: Timeouts;
  readonly log: ConnectionLog;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

const LOOK_EVERY = 50;
const MOST_STDERR = 16 * 1024;
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Reasons in what ssh says, the first that fits. */
type Said = readonly [RegExp | null, FailureKind, SshFailure['phase']];

const SAID: readonly Said[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|marked as revoked/, 'host-key', 'host-key'],
  [/Permission denied|Too many authentication failures/, 'refused', 'authentication'],
  [/Could not resolve hostname/, 'unreachable', 'dns'],
  [/Connection refused|No route to host|Network is unreachable|timed out/, 'unreachable', 'tcp'],
  [/Unable to negotiate/, 'refused', 'key-exchange'],
];

class ChildLink implements Link {
  readonly through = 'ssh';
  readonly ended: Promise<SshFailure | null>;
  readonly latency = null;
  readonly #options: ChildOptions;
  readonly #folder: string;
  readonly #end: (failure: SshFailure | null) => void;
  readonly #sockets = new Set<net.Socket>();
  readonly #forwards = new Map<string, Promise<string>>();
  #asked: Askpass | null = null;
  #child: ChildProcess | null = null;
  #stderr = '';
  #over = false;
  /** Fingerprints of keys that are to be kept, by hop from 0: one's answer is not another's. */
  readonly #keep = new Map<number, Set<string>>();
  /** Grows: a name is not used again when a forward was refused. */
  #named = 0;
  #commands = 0;
  readonly #past = { in: 0, out: 0 };

  constructor(options: ChildOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    const { promise, resolve } = Promise.withResolvers<SshFailure | null>();
    this.ended = promise;
    this.#end = resolve;
  }

  get #control(): string {
    return path.join(this.#folder, 'c');
  }

  #known(hop: number): string {
    return path.join(this.#folder, `k${hop}`);
  }

  get channels(): number {
    return this.#sockets.size + this.#commands;
  }

  get traffic(): { readonly in: number; readonly out: number } {
    const sum = { ...this.#past };
    for (const socket of this.#sockets) {
      sum.in += socket.bytesRead;
      sum.out += socket.bytesWritten;
    }
    return sum;
  }

  async start(): Promise<void> {
    const { ssh, host, env, log, signal, timeouts } = this.#options;
    const { before } = this.#options;
    const files = {
      control: this.#control,
      known: (hop: number) => this.#known(hop),
      askpass: (hop: number) => askpassOf(this.#folder, hop),
    };
    const args = await masterArguments(this.#options, files);
    const asked = await serveAskpass(this.#folder, before.length + 1, (question) => this.#ask(question));
    this.#asked = asked;
    const child = spawn(ssh, args, {
      // A session of its own: it finds no terminal to ask on.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...env, ...asked.env },
    });
    this.#child = child;
    child.on('error', (error) =>
      this.#finish(new SshFailure('unsupported', 'tcp', host.name, `ssh: ${error.message}`)),
    );
    child.on('exit', () => this.#finish(this.#why()));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-MOST_STDERR);
      log.add(host.name, `ssh: ${chunk.toString()}`);
    });
    const cancel = (): void =>
      this.#finish(new SshFailure('cancelled', 'authentication', host.name, `${host.name}: cancelled`));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      if (signal.aborted) cancel();
      await this.#untilUp(timeouts);
      log.add(host.name, `let ${host.user} in`);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    await this.#keepKeys();
  }

  #waitingSince = Date.now();
  #asking = 0;

  /** The control socket appears when the child is let in. */
  async #untilUp(timeouts: Timeouts): Promise<void> {
    const { host } = this.#options;
    const most = timeouts.tcp + timeouts['key-exchange'] + timeouts.authentication;
    this.#waitingSince = Date.now();
    while (!this.#over) {
      const up = await stat(this.#control).then(
        (found) => found.isSocket(),
        () => false,
      );
      if (up) return;
      if (this.#asking > 0) this.#waitingSince = Date.now();
      else if (Date.now() - this.#waitingSince > most) this.#finish(timeoutFailure('authentication', host.name, most));
      await Promise.race([wait(LOOK_EVERY), this.ended]);
    }
    throw (await this.ended) ?? new SshFailure('cancelled', 'authentication', host.name, `${host.name}: cancelled`);
  }

  async #ask({ hop: at, text, kind }: Asked): Promise<string | null> {
    const { host, before, prompter, log, signal } = this.#options;
    const hops = [...before, host];
    const asking = hops[at];
    if (asking === undefined) return null;
    const hop: Hop = { host: asking.name, hop: at + 1, path: hops.map(({ name }) => name) };
    // Only shown (touch the key): it goes away when the child goes on.
    if (kind === 'none') {
      log.add(asking.name, `ssh: ${text}`);
      return new Promise(() => undefined);
    }
    this.#asking++;
    try {
      // As ssh itself begins: what a host asks stands behind its name, or is none of these.
      const print = /^The authenticity of host [\s\S]*?(SHA256:[A-Za-z0-9+/=]+)/.exec(text)?.[1];
      if (print !== undefined && /\(yes\/no/.test(text)) {
        const type = /^([A-Z0-9-]+) key fingerprint/m.exec(text)?.[1] ?? '';
        const answer = await prompter.trust({ ...hop, keyType: type, fingerprint: print, others: [] }, signal);
        if (answer === 'always') this.#keep.set(at, (this.#keep.get(at) ?? new Set()).add(print));
        return answer === 'no' ? 'no' : 'yes';
      }
      const said = cleanText(text);
      const what = said.startsWith('Enter passphrase for ')
        ? 'passphrase'
        : /^\S+'s password:/.test(said)
          ? 'password'
          : 'interactive';
      const fields = [{ text: said, echo: false }];
      const answers = await prompter.ask(
        { ...hop, kind: what, title: `ssh asks for ${asking.name}`, instruction: '', fields, failed: 0 },
        signal,
      );
      const answer = answers?.[0];
      if (answer === undefined) {
        this.#finish(new SshFailure('cancelled', 'authentication', host.name, `${host.name}: cancelled`));
        return null;
      }
      log.hide(answer);
      return answer;
    } finally {
      this.#asking--;
    }
  }

  /** Writes accepted keys down where the built-in SSH would have. */
  async #keepKeys(): Promise<void> {
    const { host, before, hostKeysFor, log } = this.#options;
    const hops = [...before, host];
    for (const [at, prints] of this.#keep) {
      const hop = hops[at];
      if (hop === undefined) continue;
      const text = await readFile(this.#known(at), 'utf8').catch(() => '');
      const base64 = text.split('\n').at(0)?.split(' ')[2];
      const key = Buffer.from(base64 ?? '', 'base64');
      if (!prints.has(fingerprint(key))) continue;
      try {
        await hostKeysFor(hop).add(keyName(hop), key);
      } catch (error) {
        log.add(hop.name, `its key could not be written down: ${(error as Error).message}`);
      }
    }
  }

  #why(): SshFailure {
    const { host } = this.#options;
    const lines = this.#stderr.split('\n').map((line) => line.trim());
    const said = cleanText(
      lines
        .filter((line) => line !== '' && !/^@+$/.test(line))
        .slice(-4)
        .join(' '),
    );
    const unknown: Said = [null, 'lost', 'connected'];
    const [, kind, phase] = SAID.find(([pattern]) => pattern?.test(this.#stderr)) ?? unknown;
    const words = `${host.name}: ${said === '' ? 'ssh ended' : `ssh says: ${said}`}`;
    return new SshFailure(kind, phase, host.name, words);
  }

  dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#dial(`${bracketed(host)}:${port}`, signal);
  }

  dialUnix(remote: string, signal: AbortSignal): Promise<Duplex> {
    const { name } = this.#options.host;
    if (!/^\/[^:\\\s]*$/.test(remote)) {
      return Promise.reject(
        new SshFailure('remote', 'channel', name, `${name}: ssh cannot forward to ${cleanText(remote)}`),
      );
    }
    return this.#dial(remote, signal);
  }

  async #dial(to: string, signal: AbortSignal): Promise<Duplex> {
    const { host } = this.#options;
    let forward = this.#forwards.get(to);
    if (forward === undefined) {
      forward = this.#forward(to);
      this.#forwards.set(to, forward);
      forward.catch(() => this.#forwards.delete(to));
    }
    const local = await forward;
    return new Promise((resolve, reject) => {
      const socket = net.connect({ path: local, signal });
      this.#sockets.add(socket);
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error) =>
        reject(new SshFailure('lost', 'channel', host.name, `${host.name}: ${error.message}`)),
      );
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#past.in += socket.bytesRead;
        this.#past.out += socket.bytesWritten;
      });
    });
  }

  /** `-F none`, and a way that leads nowhere: should the master be gone, nothing is connected anew behind our back. */
  #client(...args: string[]): string[] {
    return ['-F', 'none', '-S', this.#control, '-o', 'ProxyCommand=false', '-o', 'BatchMode=yes', ...args];
  }

  async #forward(to: string): Promise<string> {
    const { ssh, host, timeouts } = this.#options;
    const local = path.join(this.#folder, `f${this.#named++}`);
    const child = spawn(ssh, this.#client('-O', 'forward', '-L', `${local}:${to}`, '--', checkedName(host)), {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: timeouts.channel,
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    const code = await new Promise<number | null>((resolve) => {
      child.once('close', resolve);
      child.once('error', () => resolve(null));
    });
    if (code === 0) return local;
    const words = `${to} on ${host.name}: ssh would not forward to it: ${cleanText(said)}`;
    throw new SshFailure('remote', 'channel', host.name, words);
  }

  exec(command: string, signal: AbortSignal): Promise<Executed> {
    const { ssh, host } = this.#options;
    const child = spawn(ssh, this.#client('-T', '--', checkedName(host), command), { stdio: 'pipe' });
    this.#commands++;
    const { promise: code, resolve } = Promise.withResolvers<number | null>();
    child.once('error', () => resolve(null));
    child.once('close', (status) => resolve(status));
    const close = (): void => void child.kill();
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    void code.then(() => {
      this.#commands--;
      signal.removeEventListener('abort', close);
    });
    child.stdin.on('error', () => undefined);
    return Promise.resolve({ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, code, close });
  }

  check(): void {
    // ssh looks by itself (ServerAliveInterval).
  }

  #finish(failure: SshFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#asked?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#end(failure);
    const child = this.#child;
    const clean = (): void => void rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
    const isOver = child === null || child.exitCode !== null || child.signalCode !== null;
    if (!isOver) {
      child.once('exit', clean);
      child.kill();
    }
    try {
      // At once: an engine that stops does not wait for the child.
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // It writes there at this moment: when it has ended.
    }
    if (isOver) return clean();
    // One that waits for a program of its own may not hear the first.
    setTimeout(() => child.kill('SIGKILL'), 5000).unref();
  }

  close(): void {
    this.#finish(null);
  }
}

/** @throws {SshFailure} */
export async function connectByChild(options: ChildOptions): Promise<Link> {
  const { host } = options;
  if (process.platform === 'win32') {
    const words = `${host.name}: ssh would be needed, and on Windows it cannot share a connection`;
    throw new SshFailure('refused', 'tcp', host.name, words);
  }
  // Socket paths are short (104 bytes on some systems), and ssh adds 17 of its own to its socket's.
  const base = os.tmpdir().length > 60 ? '/tmp' : os.tmpdir();
  const link = new ChildLink(options, await mkdtemp(path.join(base, 'vigie-ssh-')));
  try {
    await link.start();
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}
