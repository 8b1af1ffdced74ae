/**
 * One GET of a target, which is not trusted: how long each phase takes, how much comes, packed and unpacked, and where
 * it leads are limited. The answer is handed on in pieces as it comes; only all of it is an answer.
 */

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createGunzip, type Gunzip } from 'node:zlib';
import { freeArray } from '../live/columns.ts';
import { VERSION } from '../version.ts';
import { isPrivateAddress, lookupFor, privateRefused } from './fetch-address.ts';
import { ENGINES_HEADER, readEngines } from '../engines-header.ts';
import { connectionsOf, type Connections } from './fetch-tls.ts';
import { requestFailed, statusInWords, timedOut, tooLarge, type Phase } from './fetch-words.ts';
import { bracketed, withPath } from './url.ts';
import { TargetError, type Access, type TargetUrl } from './type.ts';

/** Redirects that are followed, all on the same host. */
const MAX_REDIRECTS = 3;
/** Part of the time after which there must be a connection, and a byte after the last one. */
const PHASE_PART = 0.5;
/**
 * Connections are kept open between questions that are no further apart, ms. An open one takes some 20 kB here and a file on
 * both sides; a new one costs next to nothing, unless keys have to be agreed on.
 */
const KEEP_ALIVE_UP_TO = { 'http:': 5000, 'https:': 60_000 } as const;

export interface Reader {
  readonly accept: string;
  /** Looks at the kind of answer, without parameters, in lower case; may throw. Called before the first piece. */
  begin(contentType: string, parameters: string): void;
  /** A piece of the answer, unpacked. Not to be kept. May throw, which ends the request. */
  chunk(bytes: Buffer): void;
}

/** Asks one target, one question at a time. */
export class Fetcher {
  readonly #access: Access;
  readonly #connections: Connections;
  #engines: readonly string[] = [];

  /** `periodMs`: how far apart questions are. */
  constructor(url: TargetUrl, access: Access, periodMs: number) {
    this.#access = access;
    this.#connections = connectionsOf(url, access, periodMs <= KEEP_ALIVE_UP_TO[url.protocol]);
  }

  /** Ids of the engines whose numbers the last answer has, as it says itself. */
  get engines(): readonly string[] {
    return this.#engines;
  }

  close(): void {
    this.#connections.close();
  }

  /** Returns the answer's size in bytes, unpacked. Throws {@link TargetError}, what `reader` throws, or the signal's reason. */
  async get(url: TargetUrl, reader: Reader, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    checkPlace(url, this.#access);
    let at = url;
    const end = performance.now() + this.#access.timeoutMs;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(at, reader, signal, end);
      if (typeof answer === 'number') return answer;
      if (redirects === MAX_REDIRECTS) {
        throw new TargetError('refused', `it redirects again and again, last to ${answer.to.path}`);
      }
      at = answer.to;
    }
  }

  async #once(url: TargetUrl, reader: Reader, signal: AbortSignal, end: number): Promise<number | { to: TargetUrl }> {
    let exchange = new Exchange(url, this.#access, this.#connections, reader, end);
    try {
      return await exchange.run(signal);
    } catch (error) {
      // The other side may close a connection that it kept in the moment in which it is used again.
      if (!exchange.wasStale) throw error;
      exchange = new Exchange(url, this.#access, this.#connections, reader, end);
      return await exchange.run(signal);
    } finally {
      this.#engines = exchange.engines;
    }
  }
}

function checkPlace({ ssh, socketPath, hostname }: TargetUrl, { limits }: Access): void {
  if (limits.allowPrivate) return;
  // What a name stands for over there, nobody here can tell.
  if (ssh !== null) throw new TargetError('refused', "this engine's settings forbid targets by SSH (allow_private)");
  if (socketPath !== null)
    throw new TargetError('refused', "this engine's settings forbid unix sockets (allow_private)");
  if (isIP(hostname) !== 0 && isPrivateAddress(hostname)) throw privateRefused(hostname);
}

/** Nothing is gained by packing what does not leave this machine. */
const isLocal = ({ ssh, socketPath, hostname }: TargetUrl): boolean =>
  ssh === null &&
  (socketPath !== null || hostname === 'localhost' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname));

function headersOf(url: TargetUrl, { bearer, basic, timeoutMs }: Access, accept: string): Record<string, string> {
  const headers: Record<string, string> = {
    accept,
    'accept-encoding': isLocal(url) ? 'identity' : 'gzip',
    'user-agent': `vigie/${VERSION}`,
    'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
  };
  if (bearer !== undefined) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(bearer)) {
      throw new TargetError('refused', 'its token has characters that cannot be sent, such as an end of line');
    }
    headers['authorization'] = `Bearer ${bearer}`;
  }
  if (bearer === undefined && basic) {
    headers['authorization'] = `Basic ${Buffer.from(`${basic.user}:${basic.password}`, 'utf8').toString('base64')}`;
  }
  return headers;
}

/** One request and its answer. */
class Exchange {
  readonly #url: TargetUrl;
  readonly #access: Access;
  readonly #connections: Connections;
  readonly #reader: Reader;
  readonly #end: number;
  #phase: Phase = 'connect';
  #received = 0;
  #unpacked = 0;
  #request: ClientRequest | null = null;
  #gunzip: Gunzip | null = null;
  #resolve: (result: number | { to: TargetUrl }) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #settled = false;
  /** Failed before anything came, on a connection that an earlier question had used. */
  wasStale = false;
  engines: readonly string[] = [];

  constructor(url: TargetUrl, access: Access, connections: Connections, reader: Reader, end: number) {
    this.#url = url;
    this.#access = access;
    this.#connections = connections;
    this.#reader = reader;
    this.#end = end;
  }

  async run(signal: AbortSignal): Promise<number | { to: TargetUrl }> {
    const { timeoutMs } = this.#access;
    const abort = (): void => this.#fail(signal.reason);
    const phase = setTimeout(() => {
      // Waiting for the first byte may take all of the time.
      if (this.#phase !== 'wait') this.#timeOut(PHASE_PART * timeoutMs);
    }, PHASE_PART * timeoutMs);
    const total = setTimeout(() => this.#timeOut(timeoutMs), Math.max(1, this.#end - performance.now()));
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#send(phase);
      });
    } finally {
      clearTimeout(phase);
      clearTimeout(total);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Of another cause than a host that does not answer. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    this.#phase = 'lookup';
    lookupFor(this.#access.limits)(hostname, options, (...answer) => {
      if (this.#phase === 'lookup') this.#phase = 'connect';
      callback(...answer);
    });
  };

  #timeOut(ms: number): void {
    this.#fail(timedOut(this.#phase, ms, this.#url, this.#received));
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#connections.abandon();
    this.#request?.destroy();
    this.#gunzip?.destroy();
    this.#reject(error);
  }

  #send(phaseTimer: NodeJS.Timeout): void {
    const url = this.#url;
    const options = {
      agent: this.#connections.agent,
      method: 'GET',
      path: url.path,
      headers: headersOf(url, this.#access, this.#reader.accept),
      ...(url.socketPath === null || url.ssh !== null
        ? { host: url.hostname, port: url.port }
        : { socketPath: url.socketPath, host: 'localhost' }),
      lookup: this.#lookup,
    };
    const sent = url.protocol === 'https:' ? requestTls(options) : request(options);
    this.#request = sent;
    const connected = (): void => {
      this.#phase = 'wait';
    };
    sent.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    sent.on('error', (error) => {
      this.wasStale ||= sent.reusedSocket && this.#phase === 'wait' && !this.#settled;
      this.#fail(requestFailed(error, url));
    });
    sent.on('response', (response) => {
      this.#phase = 'read';
      phaseTimer.refresh();
      response.on('data', () => phaseTimer.refresh());
      response.on('error', (error) => this.#fail(requestFailed(error, url)));
      try {
        this.#respond(response);
      } catch (error) {
        this.#fail(error);
      }
    });
    sent.end();
  }

  #respond(response: IncomingMessage): void {
    const { limits } = this.#access;
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      const to = redirected(this.#url, location, status);
      this.#settled = true;
      // What it says beside it is not read.
      this.#request?.destroy();
      this.#resolve({ to });
      return;
    }
    if (status !== 200) throw statusInWords(status, this.#url, this.#access);
    this.engines = readEngines(response.headers[ENGINES_HEADER]);
    refuseOwn(this.engines, this.#access.engineId);
    const length = Number(response.headers['content-length'] ?? NaN);
    if (length > limits.bytes) throw tooLarge(length, limits.bytes);
    const [kind = '', ...parameters] = (response.headers['content-type'] ?? '').split(';');
    this.#reader.begin(kind.trim().toLowerCase(), parameters.join(';'));
    const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding === 'gzip' || encoding === 'x-gzip') this.#unpack(response);
    else if (encoding === 'identity' || encoding === '') {
      response.on('data', (chunk: Buffer) => {
        this.#receive(chunk.length);
        this.#hand(chunk);
        // The HTTP parser made it for us. Megabytes of them would wait for the collector, and make it go over the whole heap.
        if (chunk.byteLength === chunk.buffer.byteLength) freeArray(chunk);
      });
      response.on('end', () => this.#finish(response));
    } else throw new TargetError('refused', `the answer is packed with ${encoding}, which was not asked for`);
  }

  #receive(length: number): void {
    this.#received += length;
    if (this.#received > this.#access.limits.bytes) this.#fail(tooLarge(null, this.#access.limits.bytes));
  }

  #hand(chunk: Buffer): void {
    if (this.#settled) return;
    this.#unpacked += chunk.length;
    if (this.#unpacked > this.#access.limits.bytes) {
      this.#fail(tooLarge(null, this.#access.limits.bytes));
      return;
    }
    try {
      this.#reader.chunk(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #unpack(response: IncomingMessage): void {
    const gunzip = createGunzip({ chunkSize: 64 * 1024 });
    this.#gunzip = gunzip;
    response.on('data', (chunk: Buffer) => {
      this.#receive(chunk.length);
      if (this.#settled) return;
      if (gunzip.write(chunk)) return;
      response.pause();
      gunzip.once('drain', () => response.resume());
    });
    response.on('end', () => gunzip.end());
    gunzip.on('data', (chunk: Buffer) => this.#hand(chunk));
    gunzip.on('error', (error) => this.#fail(requestFailed(error, this.#url)));
    gunzip.on('end', () => this.#finish(response));
  }

  #finish(response: IncomingMessage): void {
    if (this.#settled) return;
    if (!response.complete) {
      this.#fail(requestFailed(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), this.#url));
      return;
    }
    this.#settled = true;
    this.#resolve(this.#unpacked);
  }
}

/** Whatever name or way leads there: an engine that reads its own sums counts them again each time. */
function refuseOwn([answering, ...behind]: readonly string[], own: string | undefined): void {
  if (own === undefined) return;
  if (answering === own) {
    throw new TargetError('refused', 'this is this engine itself: what it has is here already');
  }
  if (behind.includes(own)) {
    throw new TargetError('refused', 'a circle: that engine pulls from this one, which would count its own sums');
  }
}

/** Where a redirect leads: another path of the same place, or nowhere. */
function redirected(from: TargetUrl, location: string, status: number): TargetUrl {
  const base = `${from.protocol}//${bracketed(from.hostname)}:${from.port}${from.path}`;
  let to: URL;
  try {
    to = new URL(location, base);
  } catch {
    throw new TargetError('refused', `${status}: it redirects to what is no address`);
  }
  if (to.origin !== new URL(base).origin) {
    throw new TargetError(
      'refused',
      `${status}: it redirects to ${to.origin}: add that address instead if it is trusted`,
    );
  }
  return withPath(from, `${to.pathname}${to.search}`);
}
