/** Work that is given up when the one who asked for it is gone. */

import type { ServerResponse } from 'node:http';
import { ApiError } from '../../shared/errors.ts';

export async function whileAsked<T>(answer: ServerResponse, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const leave = (): void => {
    // Nobody reads it.
    if (!answer.writableFinished) gone.abort(new ApiError('store_unavailable', 'nobody waits for this answer'));
  };
  answer.once('close', leave);
  try {
    return await work(gone.signal);
  } finally {
    answer.off('close', leave);
  }
}
