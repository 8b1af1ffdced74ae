/**
 * Added tokens, as a running engine knows them. The file is the truth: it is looked at once a second, and when a token
 * comes that nobody knows, so that what `vigie token` does needs no restart.
 */

import { timingSafeEqual } from 'node:crypto';
import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ApiError } from '../../shared/errors.ts';
import type { NewToken } from '../../shared/api/tokens.ts';
import { addToken, changeTokens, hashOf, readTokens, revokeToken, type StoredToken } from './tokens-file.ts';

const LOOK_EVERY = 1000;
/** When a token was last used is written at most this often, in ms. */
const NOTE_EVERY = 60_000;

export interface TokensOptions {
  readonly path: string;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Somebody else added or revoked a token in the file. */
  readonly onEdited?: (what: 'added' | 'revoked', token: StoredToken) => void;
  /** The file cannot be used: nobody comes in with its tokens. Null: it can again. */
  readonly onTrouble?: (problem: string | null) => void;
}

export class Tokens {
  readonly #options: TokensOptions;
  readonly #listeners = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  /** By name. */
  #tokens: ReadonlyMap<string, Known> = new Map();
  /** Last uses by name that are not in the file yet. */
  readonly #unsaved = new Map<string, number>();
  #noting: NodeJS.Timeout | null = null;
  #noted = -Infinity;
  #trouble: string | null = null;
  /** What tells one state of the file from another. */
  #seen = '';
  #looking = false;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#look(false);
    this.#timer = setInterval(() => void this.#lookLater(), LOOK_EVERY);
    this.#timer.unref();
  }

  /** What is listed. Throws `tokens_unavailable` when the file cannot be used. */
  list(): StoredToken[] {
    this.#look(true);
    if (this.#trouble !== null) throw new ApiError('tokens_unavailable', this.#trouble);
    return [...this.#tokens.values()]
      .map(({ stored }) => ({ ...stored, last_used: Math.max(stored.last_used, this.#unsaved.get(stored.name) ?? 0) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The token that this text is, if it is one. */
  find(candidate: string): StoredToken | null {
    const hash = hashOf(candidate);
    const known = this.#match(hash) ?? (this.#look(true) ? this.#match(hash) : null);
    if (known) this.#note(known.name);
    return known;
  }

  #match(hash: Buffer): StoredToken | null {
    let found: StoredToken | null = null;
    // All of them, whichever it is: the time it takes tells nothing.
    for (const { digest, stored } of this.#tokens.values()) if (timingSafeEqual(digest, hash)) found = stored;
    return found;
  }

  /** False when it was revoked, or another one has its name now. */
  holds({ name, hash, role }: StoredToken): boolean {
    const known = this.#tokens.get(name)?.stored;
    return known?.hash === hash && known.role === role;
  }

  /** Tells when tokens were added or revoked. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async add(wanted: NewToken): Promise<{ token: string; stored: StoredToken }> {
    const { token, stored, tokens } = await addToken(this.#options.path, wanted, this.#options.now());
    this.#take(tokens, new Set([wanted.name]));
    return { token, stored };
  }

  async revoke(name: string): Promise<void> {
    this.#take(await revokeToken(this.#options.path, name), new Set([name]));
  }

  /** Notes the last uses that are not in the file yet. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#noting) clearTimeout(this.#noting);
    await this.#save();
  }

  /** The disk may be slow: nobody waits for this one. */
  async #lookLater(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const found = await stat(this.#options.path).catch(() => null);
    this.#looking = false;
    if (stateOf(found) !== this.#seen) this.#look(true);
  }

  /** Reads the file if it is not as it was seen last; true when it was read. */
  #look(tell: boolean): boolean {
    let state: string;
    try {
      state = stateOf(statSync(this.#options.path, { throwIfNoEntry: false }) ?? null);
    } catch {
      state = 'unreadable';
    }
    if (state === this.#seen) return false;
    this.#seen = state;
    let problem: string | null = null;
    const worked = this.#trouble === null;
    let tokens: readonly StoredToken[] = [];
    try {
      tokens = readTokens(this.#options.path);
    } catch (error) {
      problem = (error as Error).message;
    }
    if (problem !== this.#trouble) {
      this.#trouble = problem;
      this.#options.onTrouble?.(problem);
    }
    // A file that cannot be used lets nobody in; but nobody has revoked what stands in it.
    this.#take(tokens, tell && worked && problem === null ? new Set() : null);
    return true;
  }

  /** `own`: names whose change is told by whoever made it; null: no change is. */
  #take(tokens: readonly StoredToken[], own: ReadonlySet<string> | null): void {
    const before = this.#tokens;
    this.#tokens = new Map(tokens.map((stored) => [stored.name, knownOf(stored)]));
    const added = tokens.filter(({ name, hash, role }) => {
      const was = before.get(name)?.stored;
      return was?.hash !== hash || was.role !== role;
    });
    const revoked = [...before.values()].map(({ stored }) => stored).filter((stored) => !this.holds(stored));
    for (const { name } of revoked) this.#unsaved.delete(name);
    if (own) {
      for (const stored of revoked) if (!own.has(stored.name)) this.#options.onEdited?.('revoked', stored);
      for (const stored of added) if (!own.has(stored.name)) this.#options.onEdited?.('added', stored);
    }
    if (added.length + revoked.length > 0) for (const listener of [...this.#listeners]) listener();
  }

  #note(name: string): void {
    this.#unsaved.set(name, this.#options.now());
    if (this.#noting) return;
    const wait = Math.max(0, this.#noted + NOTE_EVERY - performance.now());
    this.#noting = setTimeout(() => void this.#save(), wait);
    this.#noting.unref();
  }

  /** When a token was last used is not worth a message when it cannot be written. */
  async #save(): Promise<void> {
    this.#noting = null;
    if (this.#unsaved.size === 0) return;
    this.#noted = performance.now();
    const used = new Map(this.#unsaved);
    this.#unsaved.clear();
    await changeTokens(this.#options.path, (tokens) =>
      tokens.map((each) => ({ ...each, last_used: Math.max(each.last_used, used.get(each.name) ?? 0) })),
    ).catch(() => {
      // With the next use.
      for (const [name, time] of used) if (!this.#unsaved.has(name)) this.#unsaved.set(name, time);
    });
  }
}

interface Known {
  readonly stored: StoredToken;
  readonly digest: Buffer;
}

const knownOf = (stored: StoredToken): Known => ({ stored, digest: Buffer.from(stored.hash, 'hex') });

const stateOf = (found: Stats | null): string =>
  found ? [found.ino, found.size, found.mtimeMs, found.mode, found.uid].join(' ') : 'none';
