import type { IncomingMessage } from 'node:http';
import { formatSize } from '../../../shared/size.ts';
import { NotAnswered } from './channel-agent.ts';

/** All of an answer. @throws {NotAnswered} When it has more than `most` bytes, or is packed. The signal's reason, when it ends. */
export function readLimited(answer: IncomingMessage, most: number, signal: AbortSignal): Promise<Buffer> {
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', leave);
      // First why: that it breaks off is our doing then.
      reject(error);
      answer.destroy();
    };
    const leave = (): void => fail(signal.reason as Error);
    if (signal.aborted) return leave();
    if (encoding !== 'identity') return fail(new NotAnswered('its answer is packed, which nobody asked for'));
    signal.addEventListener('abort', leave);
    answer.on('data', (part: Buffer) => {
      size += part.length;
      if (size > most) fail(new NotAnswered(`its answer has more than ${formatSize(most)}`));
      else parts.push(part);
    });
    answer.once('end', () => {
      signal.removeEventListener('abort', leave);
      resolve(Buffer.concat(parts));
    });
    answer.once('error', fail);
    answer.once('aborted', () => fail(new NotAnswered('its answer broke off')));
  });
}
