/**
 * The way to what is reached by SSH. All of `remote/` is loaded when a connection is on the list or somebody asks for one:
 * an engine on a compute node has none, and shares its memory with a job.
 */

import { join } from 'node:path';
import type { Remote } from './open.ts';

/** Where the list of connections is kept. */
export const connectionsFile = (data: string): string => join(data, 'connections.json');

export class RemoteGate {
  readonly #open: () => Promise<Remote>;
  #opening: Promise<Remote> | null = null;
  #remote: Remote | null = null;
  #closed = false;
  /** Why it could not be opened, in words; null: nothing went wrong. */
  problem: string | null = null;

  constructor(open: () => Promise<Remote>) {
    this.#open = open;
  }

  /** Null: nothing was asked for yet, so there is nothing. */
  get loaded(): Remote | null {
    return this.#remote;
  }

  /** What is being loaded is waited for; null: nobody asked for anything. */
  async begun(): Promise<Remote | null> {
    return (await this.#opening?.catch(() => null)) ?? null;
  }

  load(): Promise<Remote> {
    this.#opening ??= this.#load();
    return this.#opening;
  }

  async #load(): Promise<Remote> {
    if (this.#closed) throw new Error('the engine stops');
    try {
      const remote = await this.#open();
      this.#remote = remote;
      this.problem = null;
      return remote;
    } catch (error) {
      // Asked for again it may be there.
      this.#opening = null;
      this.problem = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const remote = await this.#opening?.catch(() => null);
    await remote?.close();
  }
}
