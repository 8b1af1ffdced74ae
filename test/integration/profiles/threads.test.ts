/** The threads of exports: none is cut off in what it does, and none is left when the engine has stopped. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { makeExportStore, SIZES } from '../../support/export-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { startHere, withToken } from '../http/here.ts';

const ALL = SIZES.map((size) => `run=r${size}`).join('&');
const NAME = 'vigie-export';

/** Threads of exports that begin from here on: how each ended, null as long as it has not. */
function watchThreads(): { readonly code: number | null }[] {
  const threads: { code: number | null }[] = [];
  const note = (message: unknown): void => {
    const { worker } = message as { worker: Worker };
    // Its name stands nowhere else.
    if (!(worker as Worker & { threadName?: string }).threadName?.includes(NAME)) return;
    const thread: (typeof threads)[number] = { code: null };
    threads.push(thread);
    worker.once('exit', (code) => (thread.code = code));
  };
  subscribe('worker_threads', note);
  onTestFinished(() => void unsubscribe('worker_threads', note));
  return threads;
}

// Some have just begun to load what they need, which is where it would end this process to cut them off.
test.each([0, 20, 60, 120, 250, 500])(
  'an engine that stops while files are made waits for their threads: after %i ms',
  { timeout: 120_000 },
  async (after) => {
    const folder = temporaryFolder();
    makeExportStore(join(folder, 'data'));
    const where = await startHere({ data: join(folder, 'data') }, folder);
    const threads = watchThreads();
    const ask = (path: string): Promise<unknown> =>
      fetch(`${where.url}/api/v1/${path}&${ALL}`, { headers: withToken(where) }).then(
        (answer) => answer.arrayBuffer(),
        () => undefined,
      );
    const asked = ['export?format=csv', 'export?format=parquet', 'export/estimate?format=openmetrics'].map(ask);
    const limit = Date.now() + 60_000;
    while (threads.length === 0 && Date.now() < limit) await sleep(1);
    await sleep(after);
    await where.engine.close();
    expect(threads.length).toBeGreaterThan(0);
    // Terminated it would be 1.
    expect(threads.map(({ code }) => code)).toEqual(threads.map(() => 0));
    await Promise.allSettled(asked);
  },
);
