/**
 * Passwords and passphrases that a person wants kept: in the desktop's keyring where there is one, else in memory until
 * the engine stops. They are kept once a login has worked with them, and thrown away when one did not. They are in no file
 * of the engine, no log, no answer of the API.
 */

import { createHash } from 'node:crypto';
import type { Prompt } from '../../shared/api/connections.ts';

/** The desktop's, which encrypts what it keeps. Names say nothing to others. Nothing here rejects for want of a keyring. */
export interface Keyring {
  /** Why nothing can be kept, in words; null: it can. May ask the person to open their keyring. */
  problem(): Promise<string | null>;
  /** Of what is kept: known without opening the keyring. */
  names(): Promise<readonly string[]>;
  /** Null: it is not there, or cannot be read any more. */
  get(name: string): Promise<string | null>;
  /** Why it could not be kept, in words; null: it is. */
  put(name: string, secret: string): Promise<string | null>;
  forget(names: readonly string[]): Promise<void>;
}

interface Held {
  readonly name: string;
  readonly secret: string;
}

const HEADLESS = 'an engine without a desktop around it has no keyring';
/** More than a person has keys and hosts on one way. */
const MOST_OF_ONE = 64;

export class KeptSecrets {
  readonly #keyring: Keyring | null;
  readonly #warn: (message: string) => void;
  readonly #changed: () => void;
  readonly #memory = new Map<string, string>();
  /** In the keyring. */
  #names: ReadonlySet<string> = new Set();
  /** Given for a login that is not over, by connection. */
  readonly #held = new Map<string, Held[]>();

  constructor(keyring: Keyring | null, warn: (message: string) => void, changed: () => void) {
    this.#keyring = keyring;
    this.#warn = warn;
    this.#changed = changed;
  }

  /** What is kept of these connections is known from now on, and what is of others forgotten. */
  async open(connections: readonly string[]): Promise<void> {
    if (this.#keyring === null) return;
    const names = await this.#keyring.names();
    const isOurs = (name: string): boolean => connections.some((id) => isOf(name, id));
    this.#names = new Set(names.filter(isOurs));
    const others = names.filter((name) => !isOurs(name));
    if (others.length > 0) await this.#keyring.forget(others);
    if (this.#names.size > 0) this.#changed();
  }

  /** The name under which a connection's answer is kept: nobody who sees it knows of which host it is. */
  nameOf(connection: string, keep: string): string {
    const hash = createHash('sha256').update(keep).digest('hex').slice(0, 32);
    return `${connection}/${hash}`;
  }

  async place(): Promise<NonNullable<Prompt['keep']>> {
    const why = this.#keyring === null ? HEADLESS : await this.#keyring.problem();
    return { where: why === null ? 'keyring' : 'memory', why };
  }

  async find(name: string): Promise<string | null> {
    const here = this.#memory.get(name);
    if (here !== undefined) return here;
    return this.#names.has(name) ? ((await this.#keyring?.get(name)) ?? null) : null;
  }

  /** A person typed it and wants it kept, when the login works with it. */
  hold(connection: string, name: string, secret: string): void {
    if (secret === '') return;
    const others = (this.#held.get(connection) ?? []).filter((one) => one.name !== name);
    this.#held.set(connection, [...others, { name, secret }].slice(-MOST_OF_ONE));
  }

  /** The login worked. */
  async confirm(connection: string): Promise<void> {
    const held = this.#held.get(connection) ?? [];
    if (held.length === 0) return;
    const { where } = await this.place();
    // Forgotten while the person was asked for their keyring.
    if (this.#held.get(connection) !== held) return;
    this.#held.delete(connection);
    for (const { name, secret } of held) {
      const why = where === 'keyring' ? ((await this.#keyring?.put(name, secret)) ?? null) : null;
      if (where === 'keyring' && why === null) {
        this.#names = new Set([...this.#names, name]);
        this.#memory.delete(name);
        continue;
      }
      if (why !== null) this.#warn(`a password is kept until the engine stops only: ${why}`);
      this.#memory.set(name, secret);
    }
    this.#changed();
  }

  /** The login did not come to its end. */
  drop(connection: string): void {
    this.#held.delete(connection);
  }

  /** It is wrong. */
  async reject(connection: string, name: string): Promise<void> {
    const held = this.#held.get(connection);
    if (held)
      this.#held.set(
        connection,
        held.filter((one) => one.name !== name),
      );
    await this.#forget([name]);
  }

  /** All of a connection. */
  async forget(connection: string): Promise<void> {
    this.drop(connection);
    await this.#forget([...this.#memory.keys(), ...this.#names].filter((name) => isOf(name, connection)));
  }

  async #forget(names: readonly string[]): Promise<void> {
    const kept = names.filter((name) => this.#names.has(name));
    const known = names.filter((name) => this.#memory.delete(name)).length + kept.length;
    this.#names = new Set([...this.#names].filter((name) => !kept.includes(name)));
    if (kept.length > 0) await this.#keyring?.forget(kept);
    if (known > 0) this.#changed();
  }

  count(connection: string): number {
    return new Set([...this.#memory.keys(), ...this.#names].filter((name) => isOf(name, connection))).size;
  }

  close(): void {
    this.#memory.clear();
    this.#held.clear();
  }
}

const isOf = (name: string, connection: string): boolean => name.startsWith(`${connection}/`);
