/**
 * Debian's sshd as a real counterpart: on a high port of loopback, with host keys, a user and files of its own, in a
 * folder that goes away with it. Root only, as sshd needs it for passwords (PAM) and for being another user.
 */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { lacksComponent } from './components.ts';
import { processTree } from './processes.ts';
import { eventually } from './wait.ts';

export interface KeyOptions {
  readonly type?: 'ed25519' | 'rsa' | 'ecdsa';
  readonly passphrase?: string;
  /** Of ssh-keygen: `PEM`, `PKCS8`; default: OpenSSH's own. */
  readonly format?: 'PEM' | 'PKCS8';
}

/**
 * Whether suites with sshd are left out; the reason is printed.
 *
 * @throws {Error} With CI=true, when they would be.
 */
export function lacksSshd(): boolean {
  if (lacksComponent('sshd')) return true;
  if (process.getuid?.() === 0) return false;
  if (process.env['CI'] === 'true') throw new Error('an sshd with users of its own needs root');
  console.log('skipped: an sshd with users of its own needs root');
  return true;
}

/** A folder of keys, agents and servers; `close` stops and removes all of it. */
export class SshSite {
  readonly folder: string;
  readonly user: string;
  /** Of the user: random, told to chpasswd by its input. */
  readonly password = randomBytes(12).toString('hex');
  readonly #stops: (() => void | Promise<void>)[] = [];
  #files = 0;

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'vigie-sshd-'));
    // sshd reads the keys of a user as that user.
    chmodSync(this.folder, 0o711);
    this.user = `vg${randomBytes(4).toString('hex')}`;
    mkdirSync('/run/sshd', { recursive: true });
    locked(() => execFileSync('useradd', ['-M', '-d', this.folder, '-s', '/bin/sh', this.user], { stdio: 'pipe' }));
    locked(() =>
      execFileSync('chpasswd', { input: `${this.user}:${this.password}\n`, stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    writeFileSync(path.join(this.folder, 'authorized_keys'), '', { mode: 0o644 });
  }

  file(name = `file${this.#files++}`): string {
    return path.join(this.folder, name);
  }

  onClose(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /** The private key's path; `.pub` is beside it. */
  key(name: string, { type = 'ed25519', passphrase = '', format }: KeyOptions = {}): string {
    const file = this.file(name);
    const bits = type === 'rsa' ? ['-b', '2048'] : [];
    const shape = format === undefined ? [] : ['-m', format];
    execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, ...shape, '-N', passphrase, '-C', name, '-f', file]);
    return file;
  }

  /** The key's blob as it is on the wire. */
  blob(key: string): Buffer {
    return Buffer.from(readFileSync(`${key}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
  }

  /** Exactly these keys let the user in from now on. */
  authorize(...keys: string[]): void {
    const text = keys.map((key) => readFileSync(`${key}.pub`, 'utf8')).join('');
    writeFileSync(path.join(this.folder, 'authorized_keys'), text);
  }

  /** An agent with these keys; gives its socket. */
  async agent(...keys: string[]): Promise<string> {
    const socket = this.file(`agent${this.#files++}`);
    const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    this.onClose(() => void child.kill());
    await eventually(() => reachable({ path: socket }));
    for (const key of keys) {
      execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
    }
    return socket;
  }

  async sshd(options: SshdOptions = {}): Promise<Sshd> {
    const server = new Sshd(this, options);
    this.onClose(() => server.stop());
    await server.start();
    return server;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    locked(() => execFileSync('userdel', ['-f', this.user], { stdio: 'pipe' }));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** /etc/passwd is locked while somebody else, such as another test, changes it. */
function locked(work: () => void): void {
  for (let tries = 0; ; tries++) {
    try {
      work();
      return;
    } catch (error) {
      if (tries >= 50) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
}

function reachable(to: net.NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(to);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

export interface SshdOptions {
  /** Private key files; default: one of its own. */
  readonly hostKeys?: readonly string[];
  /** More lines of sshd_config. */
  readonly lines?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
  /** Where it listens; default: 127.0.0.1. */
  readonly address?: string;
  /** Of `ip netns`: it is started in there. */
  readonly namespace?: string;
}

export class Sshd {
  readonly hostKeys: readonly string[];
  port: number;
  readonly #site: SshSite;
  readonly #lines: readonly string[];
  readonly #address: string;
  readonly #namespace: string | undefined;
  #child: ChildProcess | null = null;
  #log = '';

  constructor(site: SshSite, { hostKeys, lines = [], port = 0, address = '127.0.0.1', namespace }: SshdOptions) {
    this.#site = site;
    this.#lines = lines;
    this.#address = address;
    this.#namespace = namespace;
    this.port = port;
    this.hostKeys = hostKeys ?? [site.key(`host${randomBytes(4).toString('hex')}`)];
  }

  /** What it logged, for messages of tests that fail. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.port ||= await freePort();
    const config = this.#site.file();
    const lines = [
      ...[`Port ${this.port}`, `ListenAddress ${this.#address}`, 'PidFile none', 'UsePAM yes', 'StrictModes no'],
      // First come, first served: a test's lines stand before the rest.
      ...this.#lines,
      ...this.hostKeys.map((key) => `HostKey ${key}`),
      `AuthorizedKeysFile ${path.join(this.#site.folder, 'authorized_keys')}`,
      ...['PasswordAuthentication yes', 'KbdInteractiveAuthentication no', 'AllowTcpForwarding yes'],
      ...['PrintMotd no', 'PrintLastLog no', 'UseDNS no', 'LogLevel VERBOSE', 'MaxStartups 200:30:300'],
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const inside = this.#namespace === undefined ? [] : ['ip', 'netns', 'exec', this.#namespace];
    const command = [...inside, '/usr/sbin/sshd', '-D', '-e', '-f', config];
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    this.#child = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`sshd did not start: ${this.#log}`);
      return reachable({ host: this.#address, port: this.port });
    });
  }

  /** Processes of its connections, which live on when it is gone. */
  sessions(): number[] {
    return processTree(this.pid)
      .map(({ pid }) => pid)
      .filter((pid) => pid !== this.pid);
  }

  /** The server and all its connections at once, as when the machine loses power (but for what the kernel says). */
  signal(name: NodeJS.Signals): void {
    const told = new Set<number>();
    // Until all have it: one that lets somebody in makes another one at that moment.
    for (let before = -1; told.size > before;) {
      before = told.size;
      for (const pid of [...this.sessions(), this.pid]) {
        if (told.has(pid)) continue;
        told.add(pid);
        try {
          process.kill(pid, name);
        } catch {
          // It ended by itself.
        }
      }
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => void child.once('exit', resolve));
    this.signal('SIGKILL');
    await gone;
    this.#child = null;
  }
}
