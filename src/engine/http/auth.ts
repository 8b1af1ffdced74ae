/**
 * Who may talk to the engine. One place: every request passes through `authorize` before any route sees it.
 *
 * On the engine's own socket the directory is the authorisation. Over TCP every answer with data needs the token, the
 * Host must be one of ours (against DNS rebinding), and an Origin, if sent, must be the host itself (against other tabs).
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Socket } from 'node:net';
import { ApiError } from '../../shared/errors.ts';
import { makeDirectory } from '../directory.ts';

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

  /** The Authorization header is `Bearer` and the token. */
  header(value: string | undefined): boolean {
    const match = /^Bearer +(\S+) *$/i.exec(value ?? '');
    return match !== null && this.matches(match[1]!);
  }
}

const hostName = (header: string): string => header.replace(/:\d+$/, '').toLowerCase();

export interface AuthOptions {
  readonly token: TokenCheck;
  readonly allowHosts: readonly string[];
  /** Compatible routes are open to loopback clients. */
  readonly compat: boolean;
}

export class Auth {
  readonly token: TokenCheck;
  readonly #hosts: ReadonlySet<string>;
  readonly #compat: boolean;
  /** Connections of the engine's own socket. */
  readonly #trusted = new WeakSet<Socket>();

  constructor(options: AuthOptions) {
    this.token = options.token;
    this.#compat = options.compat;
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

  /** True when the request may see and change what the API offers. */
  authorized(request: IncomingMessage): boolean {
    return this.trusts(request) || this.token.header(request.headers.authorization);
  }

  /** True when a compatible route may answer without a token. */
  compatible(request: IncomingMessage): boolean {
    return this.#compat && isLoopback(request.socket.remoteAddress);
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}
