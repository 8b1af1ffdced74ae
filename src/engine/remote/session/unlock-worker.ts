/** A thread that opens one key file and ends: the key derivation takes half a second and more of a core. */

import { parentPort } from 'node:worker_threads';

import { openKeyFile } from './key-file.ts';

export interface ToUnlock {
  readonly text: string;
  readonly passphrase: string;
}

export type FromUnlock =
  | { readonly type: 'opened'; readonly pem: string; readonly blob: Uint8Array }
  | { readonly type: 'wrong' }
  | { readonly type: 'failed'; readonly message: string };

function work({ text, passphrase }: ToUnlock): FromUnlock {
  try {
    const key = openKeyFile(text, passphrase);
    return key === null ? { type: 'wrong' } : { type: 'opened', pem: key.pem, blob: key.blob };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
parentPort?.once('message', (message: ToUnlock) => parentPort?.postMessage(work(message)));
