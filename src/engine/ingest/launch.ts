/**
 * Launches by vigie-run: which processes are one rank, and which end nobody announced.
 *
 * The process that vigie-run became promises a goodbye on its connection. A connection that closes without one is looked
 * into: the process may have replaced itself, and then connects again; or closed all its descriptors, and then its end
 * is not known; else it was killed. The run stays open meanwhile.
 */

import { z } from 'zod';
import { JobDesc } from '../../shared/model/job.ts';
import type { RankIdentity } from '../live/rank-rows.ts';
import type { Client } from './client.ts';
import { processLives } from './process-stat.ts';

/** Described by the launcher's library when the program leaves by itself, and only then. */
const GOODBYE = 'has_finished';
const KILLED = 'vigie_exit_total{code="killed"}';

/** A process that replaces itself, or whose descriptors are closed as it ends, is looked at again after so many ms. */
const LOOK_AGAIN = 50;
const LONGEST_WAIT = 1000;
/** So many closed connections are looked into at a time; others have just left. */
const MAX_WAITING = 4096;

/** 16 hexadecimal digits at random, pid and start time (field 22 of /proc/PID/stat) of the launch's first process. */
const LAUNCH = /^[0-9a-f]{16}-(\d{1,10})-(\d{1,20})$/;

/** A job's description as Vigie's own clients give it. What is wrong with the further members makes them absent. */
export const ClientJob = JobDesc.extend({
  launch: z.string().regex(LAUNCH).optional().catch(undefined),
  rank: z.int().min(0).max(0x7fff_ffff).optional().catch(undefined),
  goodbye: z.boolean().optional().catch(undefined),
});
export type ClientJob = z.infer<typeof ClientJob>;

/** What clients of one node must have in common to be one rank of a run. */
export const rankIdentity = ({ rank, launch }: ClientJob): RankIdentity => ({ rank, launch });

interface Launched {
  client: Client;
  /** Its connection is gone, and so is whoever waits for a goodbye. */
  timer: NodeJS.Timeout | null;
}

export class Launches {
  readonly #launched = new Map<string, Launched>();
  #waiting = 0;
  #closed = false;

  /** A client that promises a goodbye; the one before it of the same launch is not waited for any more. */
  opened(launch: string, client: Client): void {
    const before = this.#launched.get(launch);
    if (before?.client === client) return;
    this.#launched.set(launch, { client, timer: null });
    if (before?.timer) this.#waitNoMore(before);
  }

  /** The connection of any client has closed. */
  left(client: Client): void {
    const launch = client.launch;
    const launched = launch === null ? undefined : this.#launched.get(launch);
    if (launch === null || launched?.client !== client) return client.close();
    if (this.#closed || this.#waiting >= MAX_WAITING || client.described(GOODBYE) >= 0) {
      this.#launched.delete(launch);
      return client.close();
    }
    this.#waiting++;
    this.#wait(launch, launched, LOOK_AGAIN, false);
  }

  #wait(launch: string, launched: Launched, ms: number, lived: boolean): void {
    launched.timer = setTimeout(() => {
      const [, pid, start] = LAUNCH.exec(launch)!;
      const lives = processLives(pid!, start!);
      if (lives) return this.#wait(launch, launched, Math.min(2 * ms, LONGEST_WAIT), true);
      this.#launched.delete(launch);
      if (!lived) count(launched.client, KILLED, 'Programs that were killed');
      this.#waitNoMore(launched);
    }, ms).unref();
  }

  #waitNoMore({ client, timer }: Launched): void {
    this.#waiting--;
    clearTimeout(timer ?? undefined);
    client.close();
  }

  /** Nobody is waited for any more; the end of the engine is not the end of programs. */
  close(): void {
    this.#closed = true;
    for (const launched of this.#launched.values()) if (launched.timer) this.#waitNoMore(launched);
    this.#launched.clear();
  }
}

function count(client: Client, name: string, doc: string): void {
  if (client.message({ type: 'desc', name, doc, kind: 'counter' }) !== null) return;
  const handle = client.described(name);
  if (handle >= 0) client.counter(handle, 1);
}
