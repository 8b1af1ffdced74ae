/**
 * The reader's thread: long questions in turns, so that a short one need not wait until a long one is answered. Each is
 * answered on a connection of its own that only reads, out of one view of the database, however much is written or sealed
 * meanwhile. Mostly one is enough: a new question goes first, and most are answered within their first turn.
 */

import type { MessagePort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { databasePath } from './database.ts';
import type { FromReader, ReaderOptions, ToReader } from './messages.ts';
import { answerLong, type LongMessage } from './questions.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** Questions that are answered in turns; each may hold some 50 MB of an answer. */
const MOST_AT_ONCE = 4;
/** How long one goes on while others wait, ms. */
const TURN = 50;
/** Connections beyond the first are closed when nobody has asked for so long, ms. */
const SPARE_FOR = 5000;

/** Lets messages be handled first: a question may be taken back. */
const messages = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Connection {
  readonly db: Database.Database;
  readonly read: SqliteReader;
}

interface Question {
  readonly id: number;
  readonly on: Connection;
  readonly steps: ReturnType<typeof answerLong>;
}

export function serveReader(port: MessagePort, { directory }: ReaderOptions): void {
  const send = (message: FromReader, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const free: Connection[] = [connect()];
  let most = MOST_AT_ONCE;
  const waiting: LongMessage[] = [];
  /** Begun and not answered, in the order of their turns. */
  const going: Question[] = [];
  const taken = new Set<number>();
  let busy = false;
  let closed = false;
  let spare: NodeJS.Timeout | null = null;

  function connect(): Connection {
    const db = new Database(databasePath(directory), { readonly: true, fileMustExist: true, timeout: 2000 });
    db.pragma('cache_size = -4096');
    return { db, read: new SqliteReader(db, (block) => send({ type: 'damage', block })) };
  }

  /** Null: it cannot begin now. */
  function begin(message: LongMessage): Question | null {
    let on = free.pop();
    try {
      on ??= connect();
    } catch {
      // No more files, or memory: those that there are have to do.
      most = Math.max(1, going.length);
      return null;
    }
    return { id: message.id, on, steps: answerLong(on.read, message) };
  }

  /** Answered, failed or taken back. */
  function end({ id, on, steps }: Question): void {
    taken.delete(id);
    free.push(on);
    // One that was taken back still has to let go of what it has read: the next one sees another state.
    steps.return([null, []]);
    // Some errors end the transaction by themselves.
    if (on.db.inTransaction) on.db.exec('COMMIT');
  }

  /** Goes on with one for a turn; true: it is over. */
  async function goOn(question: Question): Promise<boolean> {
    const { id, on, steps } = question;
    const until = performance.now() + TURN;
    try {
      if (!on.db.inTransaction) on.db.exec('BEGIN');
      for (;;) {
        const step = steps.next();
        if (step.done === true) {
          const [value, transfer] = step.value;
          send({ type: 'answer', id, value }, transfer);
          return true;
        }
        await messages();
        if (closed || !taken.has(id)) return true;
        const isAwaited = going.length > 0 || (waiting.length > 0 && most > 1);
        if (isAwaited && performance.now() >= until) return false;
      }
    } catch (error) {
      send({ type: 'failed', id, message: (error as Error).message });
      return true;
    }
  }

  async function work(): Promise<void> {
    busy = true;
    if (spare) clearTimeout(spare);
    for (;;) {
      if (closed) break;
      if (going.length < most) {
        const next = waiting.shift();
        if (next && taken.has(next.id)) {
          const begun = begin(next);
          if (begun) going.unshift(begun);
          else waiting.unshift(next);
        } else if (next) continue;
      }
      const question = going.shift();
      if (!question) break;
      if (await goOn(question)) end(question);
      else going.push(question);
    }
    busy = false;
    if (closed) stop();
    else spare = setTimeout(() => disconnect(1), SPARE_FOR).unref();
  }

  /** All but so many of those that nobody uses. */
  function disconnect(but: number): void {
    for (const { db } of free.splice(but)) db.close();
  }

  function stop(): void {
    for (const question of going.splice(0)) end(question);
    if (spare) clearTimeout(spare);
    disconnect(0);
    port.close();
  }

  port.on('message', (message: ToReader) => {
    if (message.type === 'cancel') taken.delete(message.id);
    else if (message.type === 'close') {
      closed = true;
      waiting.length = 0;
      if (!busy) stop();
    } else {
      taken.add(message.id);
      waiting.push(message as LongMessage);
      if (!busy) void work();
    }
  });
}
