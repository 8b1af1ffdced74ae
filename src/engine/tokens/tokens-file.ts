/**
 * The file of added tokens: names, roles and hashes, private to its owner. The engine and `vigie token` write it, at the
 * same time if need be: each change reads it anew under a lock, and is put in its place whole.
 */

import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { ApiError } from '../../shared/errors.ts';
import type { NewToken } from '../../shared/api/tokens.ts';
import { Role, TokenName } from '../../shared/model/role.ts';
import { makeDirectory } from '../directory.ts';

const TOKEN_BYTES = 32;
/** Each of them is compared with every token that comes in. */
const MAX_TOKENS = 100;
/** The largest file that is read, in bytes: several times what so many tokens take. */
const MAX_BYTES = 256 * 1024;
/** A change takes milliseconds: a lock of this age, in ms, was left by a program that died. */
const STALE_LOCK = 10_000;
const LOCK_POLL = 20;
const LOCK_WITHIN = 20_000;

const Stored = z.strictObject({
  name: TokenName,
  role: Role,
  /** SHA-256 of the token, which is random and long: nothing slower is needed to keep it from being guessed. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Milliseconds since the epoch. */
  created: z.number().nonnegative(),
  /** The same; 0: never. */
  last_used: z.number().nonnegative(),
});
export type StoredToken = Readonly<z.infer<typeof Stored>>;

const Contents = z.strictObject({ version: z.literal(1), tokens: z.array(Stored).max(MAX_TOKENS) });

/** Where the added tokens are: beside the token file, `DATA/tokens.json` by default. */
export function tokensPath(tokenFile: string): string {
  const name = basename(tokenFile);
  return join(dirname(tokenFile), name === 'token' ? 'tokens.json' : `${name}.tokens.json`);
}

export const newToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const unavailable = (detail: string): ApiError => new ApiError('tokens_unavailable', detail);

/** The tokens in the file; none when there is no file. Throws `tokens_unavailable` with what is wrong with it. */
export function readTokens(path: string): readonly StoredToken[] {
  let text: string;
  try {
    // Not "exists": a link must be refused, not followed.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) return [];
    if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
      throw unavailable(`${path} must be a file that only you can read (chmod 600)`);
    }
    if (found.size > MAX_BYTES) throw unavailable(`${path} is too large for a file of tokens`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw unavailable(`${path} cannot be read: ${(error as Error).message}`);
  }
  const parsed = Contents.safeParse(jsonOf(text));
  if (!parsed.success) throw unavailable(`${path} is no file of tokens; remove it to begin a new one`);
  const { tokens } = parsed.data;
  if (new Set(tokens.map(({ name }) => name)).size !== tokens.length) {
    throw unavailable(`${path} has two tokens of one name; remove one of them`);
  }
  return tokens;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Puts another list in place of the one in the file. Throws `tokens_unavailable`, and whatever `change` does. */
export async function changeTokens(
  path: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<readonly StoredToken[]> {
  const release = await lock(path);
  try {
    const next = change(readTokens(path));
    const temporary = `${path}.new`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, `${JSON.stringify({ version: 1, tokens: next }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
    return next;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw unavailable(`${path} cannot be written: ${(error as Error).message}`);
  } finally {
    release();
  }
}

async function lock(path: string): Promise<() => void> {
  const file = `${path}.lock`;
  const until = performance.now() + LOCK_WITHIN;
  try {
    makeDirectory(dirname(path));
    for (;;) {
      try {
        closeSync(openSync(file, 'wx', 0o600));
        return () => rmSync(file, { force: true });
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const held = lstatSync(file, { throwIfNoEntry: false });
      if (held && Math.abs(Date.now() - held.mtimeMs) > STALE_LOCK) rmSync(file, { force: true });
      else if (performance.now() > until) throw new Error(`${file} is held by another program`);
      else await delay(LOCK_POLL);
    }
  } catch (error) {
    throw unavailable(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** Adds a token and tells it. Errors: `token_exists`, `bad_request` when there are too many, `tokens_unavailable`. */
export async function addToken(path: string, { name, role }: NewToken, now: number): Promise<Added> {
  const token = newToken();
  const stored: StoredToken = { name, role, hash: hashOf(token).toString('hex'), created: now, last_used: 0 };
  const tokens = await changeTokens(path, (before) => {
    if (before.some((each) => each.name === name)) {
      throw new ApiError('token_exists', `a token is called ${name} already; choose another name, or revoke that one`);
    }
    if (before.length >= MAX_TOKENS) {
      throw new ApiError('bad_request', `there may be ${MAX_TOKENS} tokens; revoke one that nobody needs`);
    }
    return [...before, stored];
  });
  return { token, stored, tokens };
}

interface Added {
  readonly token: string;
  readonly stored: StoredToken;
  readonly tokens: readonly StoredToken[];
}

/** Errors: `token_not_found`, `tokens_unavailable`. */
export function revokeToken(path: string, name: string): Promise<readonly StoredToken[]> {
  return changeTokens(path, (before) => {
    const left = before.filter((each) => each.name !== name);
    if (left.length === before.length) throw new ApiError('token_not_found', `no added token is called ${name}`);
    return left;
  });
}
