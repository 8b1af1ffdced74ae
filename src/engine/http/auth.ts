/**
 * Who may talk to the engine. One place: every request passes through `authorize` before any route sees it.
 *
 * On the engine's own socket the directory is the authorisation. Over TCP every answer with data needs the token, the
 * Host must be one of ours (against DNS rebinding), and an Origin, if sent, must be the host itself (against other tabs).
 * A token that may only view is refused by `checkRole`, which `authorize` calls for every request, too.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { BlockList, isIP, type Socket } from 'node:net';
import { ApiError } from '../../shared/errors.ts';
import { OWNER, type Role } from '../../shared/model/role.ts';
import { makeDirectory } from '../directory.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { StoredToken } from '../tokens/tokens-file.ts';

const TOKEN_BYTES = 32;
const TOKEN = /^[\x21-\x7e]{16,1024}$/;

/** Reads the token, or makes one. The file holds the bare token and a newline, and only its owner can read it. */
export function loadToken(path: string): string {
  // Not "exists": a link that leads nowhere must be refused, not followed.
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found) {
    if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
      throw new Error(`${path} must be a file that only you can read (chmod 600); or give --token-file another path`);
    }
    const token = readFileSync(path, 'utf8').trim();
    if (!TOKEN.test(token))
      throw new Error(`${path} holds no usable token (16 or more printable characters); remove it to get a new one`);
    return token;
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  makeDirectory(dirname(path));
  writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares without telling by its duration how much was right, nor how long the right one is. */
export class TokenCheck {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digest(token);
  }

  matches(candidate: string): boolean {
    return timingSafeEqual(digest(candidate), this.#digest);
  }
}

/** The token in an Authorization header, or null. */
const bearer = (value: string | undefined): string | null => /^Bearer +(\S+) *$/i.exec(value ?? '')?.[1] ?? null;

/** Who asks, and what they may. */
export interface Identity {
  readonly role: Role;
  readonly by: 'token' | 'socket';
  /** The token's name, or the user that the socket belongs to. */
  readonly name: string;
  /** An added token, which can be revoked; null: it cannot. */
  readonly added: StoredToken | null;
}

/** The desktop window around this engine. */
const OWN_WINDOW: Identity = { role: 'control', by: 'token', name: 'window', added: null };
const OWN_TOKEN: Identity = { role: 'control', by: 'token', name: OWNER, added: null };
/** Only its user, and root, can enter the socket's directory; Node cannot ask the system for more. */
const OWN_SOCKET: Identity = { role: 'control', by: 'socket', name: `uid ${process.getuid?.() ?? 0}`, added: null };

/** What a route says of itself, as far as roles are concerned. */
export interface RouteRole {
  /** Its GET changes something. */
  readonly changes?: true;
  /** Only for those who may control, also when it is read. */
  readonly control?: true;
  /** Nothing is changed by any of its methods. */
  readonly reads?: true;
}

const READING = ['GET', 'HEAD', 'OPTIONS'];

/** True when a request to this route would change something. */
export const changesState = (method: string, route: RouteRole): boolean =>
  route.changes === true || (route.reads !== true && !READING.includes(method));

/** Refuses what a token that may only view must not do: the one place that decides it. */
export function checkRole({ role, name }: Identity, method: string, route: RouteRole): void {
  if (role === 'control' || !(route.control === true || changesState(method, route))) return;
  throw new ApiError('forbidden_role', `the token "${name}" may only view; this needs one with the role control`);
}

const hostName = (header: string): string => header.replace(/:\d+$/, '').toLowerCase();

export interface AuthOptions {
  /** The owner's: the one in the token file. */
  readonly token: TokenCheck;
  /** One that is worth something to this start of the engine only. */
  readonly passing?: TokenCheck | null;
  /** Those that were added; absent: there are none. */
  readonly tokens?: Tokens;
  readonly allowHosts: readonly string[];
  /** Compatible routes are open to loopback clients. */
  readonly compat: boolean;
  /** And to those in these networks, such as `10.1.0.0/16`. */
  readonly compatNetworks?: readonly string[];
  /** Wall clock, ms since the epoch; default the system's. */
  readonly now?: () => number;
}

export class Auth {
  readonly #token: TokenCheck;
  readonly #passing: TokenCheck | null;
  readonly #tokens: Tokens | null;
  readonly #hosts: ReadonlySet<string>;
  readonly #compat: boolean;
  readonly #compatNetworks = new BlockList();
  /** Connections of the engine's own socket. */
  readonly #trusted = new WeakSet<Socket>();
  readonly #now: () => number;
  #proven: (socket: Socket) => void = () => undefined;
  /** When the owner's token was last used since the start, ms since the epoch; 0: never. */
  ownerUsed = 0;

  constructor(options: AuthOptions) {
    this.#token = options.token;
    this.#passing = options.passing ?? null;
    this.#tokens = options.tokens ?? null;
    this.#now = options.now ?? Date.now;
    this.#compat = options.compat;
    for (const network of options.compatNetworks ?? []) {
      const [address = '', bits] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.#compatNetworks.addSubnet(
        address,
        bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits),
        family,
      );
    }
    const own = hostname().toLowerCase();
    this.#hosts = new Set([
      'localhost',
      '127.0.0.1',
      '[::1]',
      own,
      own.split('.')[0]!,
      ...options.allowHosts.map((name) => name.toLowerCase()),
    ]);
  }

  /** Tells of connections on which a request was let in by token. One listener. */
  onProven(listener: (socket: Socket) => void): void {
    this.#proven = listener;
  }

  isTrusted(socket: Socket): boolean {
    return this.#trusted.has(socket);
  }

  trust(socket: Socket): void {
    this.#trusted.add(socket);
  }

  trusts(request: IncomingMessage): boolean {
    return this.#trusted.has(request.socket);
  }

  /** Refuses requests that a page of somebody else, or a name that is not ours, sent. */
  checkOrigin(request: IncomingMessage): void {
    if (this.trusts(request)) return;
    const host = request.headers.host ?? '';
    if (!this.#hosts.has(hostName(host))) {
      throw new ApiError(
        'forbidden_host',
        `the host name "${host.slice(0, 200)}" is not served here; use localhost, or add it to allow_hosts`,
      );
    }
    const origin = request.headers.origin;
    if (origin !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() !== host.toLowerCase()) {
      throw new ApiError('forbidden_origin', 'pages of other origins may not use this engine');
    }
  }

  /** Who sends the request; null when it has no token that is accepted. */
  identify(request: IncomingMessage): Identity | null {
    if (this.trusts(request)) return OWN_SOCKET;
    const token = bearer(request.headers.authorization);
    return token === null ? null : this.identifyToken(request, token);
  }

  /** The same for a token that came in another way than a header. */
  identifyToken(request: IncomingMessage, token: string): Identity | null {
    const identity = this.#ownerOf(token);
    if (identity) this.#proven(request.socket);
    return identity;
  }

  #ownerOf(token: string): Identity | null {
    if (this.#token.matches(token)) {
      this.ownerUsed = this.#now();
      return OWN_TOKEN;
    }
    if (this.#passing?.matches(token)) return OWN_WINDOW;
    const added = this.#tokens?.find(token);
    return added ? { role: added.role, by: 'token', name: added.name, added } : null;
  }

  /** Calls when this one's token is revoked. Returns what ends it. */
  onRevoked({ added }: Identity, revoked: () => void): () => void {
    const tokens = this.#tokens;
    if (!tokens || !added) return () => undefined;
    return tokens.onChange(() => {
      if (!tokens.holds(added)) revoked();
    });
  }

  /** True when a compatible route may answer without a token. */
  compatible(request: IncomingMessage): boolean {
    if (!this.#compat) return false;
    if (this.trusts(request)) return true;
    // IPv4 clients of an IPv6 socket, and addresses that name the interface they are valid on.
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=[\d.]+$)|%.*$/gi, '');
    if (isLoopback(address)) return true;
    const family = isIP(address);
    return family !== 0 && this.#compatNetworks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * Refuses a GET that changes something when a page of another site made the browser send it. Such a page needs no
   * answer, and browsers send no Origin with the GET of an image.
   */
  checkSite(request: IncomingMessage): void {
    if (this.trusts(request)) return;
    const site = request.headers['sec-fetch-site'];
    const referer = request.headers.referer;
    const foreign =
      site !== undefined
        ? site !== 'same-origin' && site !== 'none'
        : referer !== undefined && !isOrigin(referer, request.headers.host ?? '');
    if (foreign) throw new ApiError('forbidden_origin', 'pages of other origins may not change anything here');
  }
}

const isOrigin = (url: string, host: string): boolean =>
  URL.canParse(url) && new URL(url).host.toLowerCase() === host.toLowerCase();

function isLoopback(address: string): boolean {
  return /^127\.|^::1$/.test(address);
}
