/** A node's month in a store: a sample a minute, and an hour of it with one a second. */

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../src/engine/store/store.ts';
import { gauge, Teller, tick } from '../unit/engine/store/support.ts';
import { withStore } from './past.ts';

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Month {
  readonly from: number;
  readonly to: number;
  /** The hour with a sample a second. */
  readonly hour: { readonly from: number; readonly to: number };
  /** In this one second of the hour there were a million context switches, else a thousand a second. */
  readonly spike: number;
  /** Hours without any sample. */
  readonly hole: { readonly from: number; readonly to: number };
}

/** The month that ended at `now`; all its times are whole minutes. */
export function monthBefore(now: number): Month {
  const to = Math.floor(now / MINUTE) * MINUTE - 5 * MINUTE;
  const start = to - 2 * DAY;
  return {
    from: to - 30 * DAY,
    to,
    hour: { from: start, to: start + HOUR },
    spike: start + HOUR / 2,
    hole: { from: to - 9 * DAY, to: to - 8 * DAY },
  };
}

/** Makes the data directory of an engine that has seen the month. Written in memory: each tick waits for the disk. */
export async function makeMonth(data: string, host: string, month: Month): Promise<void> {
  const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vigie-'));
  try {
    await withStore(path.join(folder, 'data'), (store) => putMonth(store, host, month));
    cpSync(path.join(folder, 'data'), data, { recursive: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes it as samples of a node's own series, which a live engine on that node goes on with. */
async function putMonth(store: Store, host: string, month: Month): Promise<void> {
  const teller = new Teller(`node/${host}`);
  let switches = 0;
  let before = month.from;
  let queued = 0;
  for (let time = month.from; time <= month.to;) {
    const gap = time - before > MINUTE;
    switches += time - before + (time === month.spike ? 999_000 : 0);
    before = time;
    const hours = (time - month.from) / HOUR;
    const scope = teller.at(
      time,
      {
        proxy_context_switches_total: switches,
        proxy_forks_total: Math.floor((time - month.from) / 500),
        proxy_load1: gauge(2 + Math.sin(hours / 4)),
      },
      gap,
    );
    // The queue is bounded: a tick that it does not take is offered again.
    while (!store.append(tick(time, scope))) await sleep(2);
    if (++queued % 2000 === 0) await store.flush();
    const step = time >= month.hour.from && time < month.hour.to ? 1000 : MINUTE;
    time += step;
    if (time >= month.hole.from && time < month.hole.to) time = month.hole.to;
  }
  await store.flush();
}
