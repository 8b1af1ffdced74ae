/** A link over ssh2's client, once it is authenticated: channels, commands, signs of life. */

import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';

import type { Client, ClientChannel } from 'ssh2';

import type { Executed, ResolvedHost } from '../types.ts';
import type { Drained } from './batch.ts';
import { ChannelStream } from './channel.ts';
import { SshFailure } from './failure.ts';
import { ping } from './internals.ts';
import type { Counts, Link } from './link.ts';
import { timeoutFailure, type Timeouts } from './phases.ts';
import { cleanText } from './prompts.ts';

/** Where a configuration says nothing. OpenSSH sends none then, and learns of a broken way after hours. */
const ALIVE_INTERVAL = 15;
/** After a sleep the other side has this long, ms: most of the time it is gone, and somebody sits there and waits. */
const CHECK_WITHIN = 10_000;

type OpenChannel = (answer: (error: Error | undefined, channel: ClientChannel) => void) => void;

/** Codes of RFC 4254, 5.1. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'its sshd does not allow it (AllowTcpForwarding, AllowStreamLocalForwarding, PermitOpen)',
  2: 'the connection was refused there: nothing listens, or it cannot be reached from that host',
  3: 'its sshd does not know this kind of channel',
  4: 'it has no room for another one',
};

export class Ssh2Link implements Link {
  readonly through = 'ssh2';
  readonly ended: Promise<SshFailure | null>;
  readonly #client: Client;
  readonly #host: ResolvedHost;
  readonly #timeouts: Timeouts;
  readonly #drained: Drained;
  readonly #counts: Counts = { channels: 0, in: 0, out: 0 };
  readonly #end: (failure: SshFailure | null) => void;
  #latency: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #over = false;
  /** Not by `ended`: a promise holds what waits for it, and with that each channel there ever was, until it is settled. */
  readonly #atEnd = new Set<() => void>();

  /** `drained`: of the stream that carries it. */
  constructor(client: Client, host: ResolvedHost, timeouts: Timeouts, drained: Drained) {
    this.#client = client;
    this.#drained = drained;
    this.#host = host;
    this.#timeouts = timeouts;
    const { promise, resolve } = Promise.withResolvers<SshFailure | null>();
    this.ended = promise;
    this.#end = resolve;
    client.on('error', (error) => this.#lost(cleanText(error.message)));
    client.on('close', () => this.#lost('the connection was closed by the other side'));
    client.on('end', () => this.#lost('the connection was closed by the other side'));
    // At once: how far away it is, is worth knowing from the start.
    this.#ask();
    this.#schedule();
  }

  get channels(): number {
    return this.#counts.channels;
  }

  get latency(): number | null {
    return this.#latency;
  }

  get traffic(): { readonly in: number; readonly out: number } {
    return this.#counts;
  }

  async dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const open: OpenChannel = (answer) => this.#client.forwardOut('127.0.0.1', 0, host, port, answer);
    return new ChannelStream(await this.#open(where, open, signal), this.#counts, this.#drained);
  }

  async dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
    const open: OpenChannel = (answer) => this.#client.openssh_forwardOutStreamLocal(path, answer);
    return new ChannelStream(await this.#open(path, open, signal), this.#counts, this.#drained);
  }

  async exec(command: string, signal: AbortSignal): Promise<Executed> {
    let result: number | null = null;
    // At once: a command that is over quickly tells how in the same piece in which it was begun.
    const listen = (error: Error | undefined, channel: ClientChannel | undefined): void => {
      if (error === undefined) channel?.on('exit', (status: number | null) => (result = status));
    };
    const begin: OpenChannel = (answer) =>
      this.#client.exec(command, (error, channel) => {
        listen(error, channel);
        answer(error, channel);
      });
    const channel = await this.#open('a command', begin, signal);
    const { promise: code, resolve } = Promise.withResolvers<number | null>();
    let open = true;
    const finish = (): void => {
      if (!open) return;
      open = false;
      this.#counts.channels--;
      this.#atEnd.delete(finish);
      signal.removeEventListener('abort', close);
      resolve(result);
    };
    const close = (): void => {
      // Whoever closes reads no more; unread bytes would keep the channel from ending.
      channel.resume();
      channel.stderr.resume();
      channel.close();
      channel.destroy();
      finish();
    };
    this.#counts.channels++;
    channel.on('error', () => undefined);
    channel.once('close', finish);
    if (this.#over) finish();
    else this.#atEnd.add(finish);
    signal.addEventListener('abort', close, { once: true });
    return { stdin: channel, stdout: channel, stderr: channel.stderr, code, close };
  }

  #open(what: string, open: OpenChannel, signal: AbortSignal): Promise<ClientChannel> {
    const { name } = this.#host;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (error: SshFailure | null, channel?: ClientChannel): void => {
        settled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        this.#atEnd.delete(lost);
        if (error !== null) reject(error);
        else if (channel !== undefined) resolve(channel);
      };
      const cancel = (): void => settle(new SshFailure('cancelled', 'channel', name, `${name}: cancelled`));
      const ms = this.#timeouts.channel;
      const timer = setTimeout(() => settle(timeoutFailure('channel', `${what} on ${name}`, ms)), ms);
      const lost = (): void =>
        settle(new SshFailure('lost', 'channel', name, `${name}: the connection went while ${what} was opened`));
      if (signal.aborted) return cancel();
      if (this.#over) return lost();
      signal.addEventListener('abort', cancel, { once: true });
      this.#atEnd.add(lost);
      try {
        open((error, channel) => {
          if (error !== undefined) settle(this.#refusal(what, error));
          // Cancelled, or too late: nobody would ever read it.
          else if (settled || this.#over) channel.destroy();
          else settle(null, channel);
        });
      } catch (error) {
        settle(new SshFailure('lost', 'channel', name, `${name}: ${(error as Error).message}`, { cause: error }));
      }
    });
  }

  #refusal(what: string, error: Error): SshFailure {
    const { name } = this.#host;
    const { reason } = error as { reason?: unknown };
    const said = cleanText(error.message.replace(/^\(SSH\) Channel open failure: ?/, ''));
    const full =
      what === 'a command'
        ? 'it opens no more sessions on this connection (MaxSessions), or allows none'
        : typeof reason === 'number'
          ? REFUSALS[reason]
          : undefined;
    const words = full === undefined ? said : said === '' ? full : `${full} (${said})`;
    return new SshFailure('remote', 'channel', name, `${what} on ${name}: ${words}`, { cause: error });
  }

  check(): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    this.#ask();
    this.#timer = setTimeout(() => {
      if (this.#unanswered > 0) this.#lost('did not answer when it was asked whether it is still there');
      else this.#schedule();
    }, CHECK_WITHIN).unref();
  }

  #schedule(): void {
    const seconds = this.#host.serverAliveInterval > 0 ? this.#host.serverAliveInterval : ALIVE_INTERVAL;
    if (!this.#over) this.#timer = setTimeout(() => this.#beat(), seconds * 1000).unref();
  }

  #beat(): void {
    if (this.#over) return;
    const most = Math.max(1, this.#host.serverAliveCountMax);
    if (this.#unanswered >= most) {
      return this.#lost(`did not answer to ${this.#unanswered} signs of life: the way to it is broken, or it hangs`);
    }
    this.#ask();
    this.#schedule();
  }

  #ask(): void {
    const sent = performance.now();
    this.#unanswered++;
    ping(this.#client, () => {
      if (this.#over) return;
      this.#unanswered = 0;
      this.#latency = performance.now() - sent;
    });
  }

  #lost(why: string): void {
    this.#finish(new SshFailure('lost', 'connected', this.#host.name, `${this.#host.name}: ${why}`));
  }

  #finish(failure: SshFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#end(failure);
    for (const listener of [...this.#atEnd]) listener();
    this.#atEnd.clear();
    this.#client.end();
    // A host that hangs reads nothing of a goodbye: without this its channels would wait for ever.
    setImmediate(() => this.#client.destroy());
  }

  close(): void {
    this.#finish(null);
  }
}
