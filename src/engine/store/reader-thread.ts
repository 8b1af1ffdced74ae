/**
 * The reader's thread: long questions, one after another, on a connection that only reads. Each is answered out of one
 * view of the database, however much is written or sealed meanwhile.
 */

import type { MessagePort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { databasePath } from './database.ts';
import type { FromReader, ReaderOptions, ToReader } from './messages.ts';
import { answerLong, type LongMessage } from './questions.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** Lets messages be handled first: a question may be taken back. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function serveReader(port: MessagePort, { directory }: ReaderOptions): void {
  const send = (message: FromReader, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const db = new Database(databasePath(directory), { readonly: true, fileMustExist: true, timeout: 2000 });
  db.pragma('cache_size = -4096');
  const read = new SqliteReader(db, (block) => send({ type: 'damage', block }));
  const waiting: LongMessage[] = [];
  const taken = new Set<number>();
  let busy = false;
  let closed = false;

  async function answer(message: LongMessage): Promise<void> {
    const steps = answerLong(read, message);
    try {
      db.exec('BEGIN');
      for (;;) {
        const step = steps.next();
        if (step.done) {
          const [value, transfer] = step.value;
          return send({ type: 'answer', id: message.id, value }, transfer);
        }
        await turn();
        if (closed || !taken.has(message.id)) return;
      }
    } catch (error) {
      send({ type: 'failed', id: message.id, message: (error as Error).message });
    } finally {
      // One that was taken back still has to let go of what it has read: the next one sees another state.
      steps.return([null, []]);
      // Some errors end the transaction by themselves.
      if (db.inTransaction) db.exec('COMMIT');
    }
  }

  async function work(): Promise<void> {
    busy = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (!taken.has(next.id)) continue;
      await answer(next);
      taken.delete(next.id);
    }
    busy = false;
    if (closed) end();
  }

  function end(): void {
    db.close();
    port.close();
  }

  port.on('message', (message: ToReader) => {
    if (message.type === 'cancel') taken.delete(message.id);
    else if (message.type === 'close') {
      closed = true;
      waiting.length = 0;
      if (!busy) end();
    } else {
      taken.add(message.id);
      waiting.push(message as LongMessage);
      if (!busy) void work();
    }
  });
}
