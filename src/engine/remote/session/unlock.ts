/** Opens key files off the main thread, which has numbers to hand out meanwhile. */

import { Worker } from 'node:worker_threads';

import type { OpenedKey } from './key-file.ts';
import type { FromUnlock, ToUnlock } from './unlock-worker.ts';

/** null: the passphrase is wrong. @throws {Error} When the file cannot be read, or the signal aborts. */
export async function unlockKey(text: string, passphrase: string, signal: AbortSignal): Promise<OpenedKey | null> {
  // Run from its sources, the thread is the file beside this one; built, it is a bundle beside the engine's.
  const file = import.meta.url.endsWith('.ts') ? './unlock-worker.ts' : './ssh-unlock.cjs';
  // By a message, not as workerData or argv: nothing of it is seen from outside, or inherited.
  const worker = new Worker(new URL(file, import.meta.url), { name: 'vigie-unlock', stdin: false, env: {} });
  try {
    const answer = await new Promise<FromUnlock>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread that opens keys ended')));
      signal.addEventListener('abort', () => reject(new Error('cancelled')), { once: true });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ text, passphrase } satisfies ToUnlock);
    });
    if (answer.type === 'failed') throw new Error(answer.message);
    return answer.type === 'wrong' ? null : { pem: answer.pem, blob: Buffer.from(answer.blob) };
  } finally {
    await worker.terminate();
  }
}
