/**
 * Passwords, tokens and keys of channels: apart from all else, in DATA/alarm-secrets.json, which only its owner may read
 * (0600) and which is put in its place whole. Without a data directory they live as long as the engine.
 */

import { closeSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeDirectory } from '../../directory.ts';

const MAX_BYTES = 4 * 1024 * 1024;

const Contents = z.object({
  version: z.literal(1),
  /** By channel, then by the setting's name. */
  secrets: z.record(z.string(), z.record(z.string(), z.string())),
});

export type ChannelSecrets = Readonly<Record<string, string>>;

export const alarmSecretsFile = (data: string): string => join(data, 'alarm-secrets.json');

export class Secrets {
  readonly #data: string | null;
  #secrets = new Map<string, ChannelSecrets>();

  /** A file that cannot be used is put aside, never written over: `warn` says where. */
  constructor(data: string | null, warn: (message: string) => void) {
    this.#data = data;
    if (data !== null) this.#secrets = read(alarmSecretsFile(data), warn);
  }

  of(channel: string): ChannelSecrets {
    return this.#secrets.get(channel) ?? {};
  }

  /** Null forgets them. Throws where they cannot be written. */
  set(channel: string, secrets: ChannelSecrets | null): void {
    const next = new Map(this.#secrets);
    if (secrets === null || Object.keys(secrets).length === 0) next.delete(channel);
    else next.set(channel, secrets);
    this.#write(next);
  }

  /** Forgets those of channels that are no more: the engine was killed before it could. */
  keepOnly(channels: ReadonlySet<string>): void {
    const next = new Map([...this.#secrets].filter(([id]) => channels.has(id)));
    if (next.size < this.#secrets.size) this.#write(next);
  }

  #write(secrets: Map<string, ChannelSecrets>): void {
    const nothing = secrets.size === 0 && this.#secrets.size === 0;
    if (this.#data !== null && !nothing) {
      write(alarmSecretsFile(this.#data), this.#data, { version: 1, secrets: Object.fromEntries(secrets) });
    }
    this.#secrets = secrets;
  }
}

function read(path: string, warn: (message: string) => void): Map<string, ChannelSecrets> {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) return new Map();
    if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
      throw new Error('it must be a file that only you can read (chmod 600)');
    }
    if (found.size > MAX_BYTES) throw new Error('it is too large');
    return new Map(Object.entries(Contents.parse(JSON.parse(readFileSync(path, 'utf8'))).secrets));
  } catch (error) {
    // What is wrong with the text is not said: the message might show some of it.
    const known = error instanceof Error && /^it (must|is)/.test(error.message);
    const reason = known ? error.message : 'it is no file of secrets';
    const aside = `${path}.unusable`;
    try {
      renameSync(path, aside);
      warn(`${path} cannot be used (${reason}): it is now ${aside}; set the secrets of the channels anew`);
    } catch {
      warn(`${path} cannot be used: ${reason}`);
    }
    return new Map();
  }
}

function write(path: string, directory: string, contents: z.infer<typeof Contents>): void {
  makeDirectory(directory);
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(contents, null, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
