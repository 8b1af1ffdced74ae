/**
 * Passwords, tokens and keys of channels: apart from all else, in DATA/alarm-secrets.json, which only its owner may read
 * (0600) and which is put in its place whole. Without a data directory they live as long as the engine.
 */

import { join } from 'node:path';
import { z } from 'zod';
import { PrivateFileError, putAside, readPrivateFile, writePrivateFile } from '../../private-file.ts';

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
      writePrivateFile(alarmSecretsFile(this.#data), { version: 1, secrets: Object.fromEntries(secrets) });
    }
    this.#secrets = secrets;
  }
}

function read(path: string, warn: (message: string) => void): Map<string, ChannelSecrets> {
  try {
    const contents = readPrivateFile(path, MAX_BYTES);
    return new Map(contents === undefined ? [] : Object.entries(Contents.parse(contents).secrets));
  } catch (error) {
    // What is wrong with the text is not said: the message might show some of it.
    const reason = error instanceof PrivateFileError ? error.message : 'it is no file of secrets';
    const aside = putAside(path);
    warn(
      aside === null
        ? `${path} cannot be used: ${reason}`
        : `${path} cannot be used (${reason}): it is now ${aside}; set the secrets of the channels anew`,
    );
    return new Map();
  }
}
