/**
 * Passwords that people want kept, encrypted with a key of their desktop's keyring (Electron's safeStorage). Only what is
 * encrypted is on the disk, in one file of the window's folder. Where there is no keyring nothing is kept: `basic_text`,
 * which Chromium falls back to on Linux, encrypts with a key that everybody knows.
 */

import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { MAX_SECRETS, type KeyringAnswer, type KeyringAsk } from '../shared/host.ts';

/** What is used of Electron's safeStorage. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(encrypted: Buffer): string;
  /** Newer runtimes, on Linux. */
  getSelectedStorageBackend?(): string;
}

/** How Chromium on Linux marks what it encrypted with a key of a keyring; `v10` is the key that everybody knows. */
const OF_KEYRING = 'v11';
const FAKES = ['basic_text', 'unknown'];

const NO_KEYRING =
  'this desktop has no open keyring (GNOME Keyring, KWallet); where one runs and is not found, start Vigie with --password-store=gnome-libsecret';

const Kept = z.object({
  version: z.literal(1),
  /** Encrypted, base64, by name. */
  secrets: z.record(z.string().max(128), z.string().max(100_000)),
});

export class SecretFile {
  readonly #path: string;
  readonly #safe: SafeStorage;
  readonly #platform: NodeJS.Platform;
  #secrets: Map<string, string> | null = null;

  constructor(path: string, safe: SafeStorage, platform: NodeJS.Platform = process.platform) {
    this.#path = path;
    this.#safe = safe;
    this.#platform = platform;
  }

  /** Never throws: what is wrong is in the answer. */
  answer(ask: KeyringAsk): KeyringAnswer {
    const { id } = ask;
    try {
      return { type: 'keyring', id, problem: null, names: [], secret: null, ...this.#do(ask) };
    } catch {
      // Not its message: nobody knows what a keyring puts into that.
      return { type: 'keyring', id, problem: 'the keyring cannot be used now', names: [], secret: null };
    }
  }

  #do(ask: KeyringAsk): Partial<KeyringAnswer> {
    switch (ask.ask) {
      case 'problem':
        return { problem: this.#problem() };
      case 'names':
        return { names: [...this.#all().keys()].slice(0, MAX_SECRETS) };
      case 'get':
        return { secret: this.#get(ask.name) };
      case 'put':
        return { problem: this.#put(ask.name, ask.secret) };
      case 'forget': {
        const secrets = this.#all();
        if (ask.names.filter((name) => secrets.delete(name)).length > 0) this.#write();
        return {};
      }
    }
  }

  #problem(): string | null {
    if (!this.#safe.isEncryptionAvailable()) {
      return this.#platform === 'linux' ? NO_KEYRING : 'the keyring of this desktop cannot be used now';
    }
    if (this.#platform !== 'linux') return null;
    const backend = this.#safe.getSelectedStorageBackend?.();
    if (backend !== undefined && FAKES.includes(backend)) return NO_KEYRING;
    return isOfKeyring(this.#safe.encryptString('?')) ? null : NO_KEYRING;
  }

  #get(name: string): string | null {
    const text = this.#all().get(name);
    // What is there was not put there without a keyring; where that is gone nothing is to be read.
    if (text === undefined || this.#problem() !== null) return null;
    return this.#safe.decryptString(Buffer.from(text, 'base64'));
  }

  #put(name: string, secret: string): string | null {
    const problem = this.#problem();
    if (problem !== null) return problem;
    const secrets = this.#all();
    if (!secrets.has(name) && secrets.size >= MAX_SECRETS) return 'there are too many passwords in it';
    secrets.set(name, this.#safe.encryptString(secret).toString('base64'));
    return this.#write();
  }

  #all(): Map<string, string> {
    this.#secrets ??= new Map(Object.entries(this.#read()));
    return this.#secrets;
  }

  #read(): Record<string, string> {
    try {
      return Kept.parse(JSON.parse(readFileSync(this.#path, 'utf8'))).secrets;
    } catch {
      // None yet, or not ours: what was in it is typed again.
      return {};
    }
  }

  #write(): string | null {
    const temporary = `${this.#path}.new`;
    try {
      rmSync(temporary, { force: true });
      const kept = { version: 1, secrets: Object.fromEntries(this.#all()) } satisfies z.infer<typeof Kept>;
      writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
      chmodSync(temporary, 0o600);
      renameSync(temporary, this.#path);
      return null;
    } catch (error) {
      return `${this.#path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'failed'})`;
    }
  }
}

const isOfKeyring = (encrypted: Buffer): boolean => encrypted.subarray(0, OF_KEYRING.length).toString() === OF_KEYRING;
