/** The store's thread: messages in, answers out. */

import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { isPassing, noteDamage, openDatabase, prepareDirectory } from './database.ts';
import { lockDirectory, type StoreLock } from './lock.ts';
import type { CallMessage, FromWorker, Packed, StoreOptions, ToWorker } from './messages.ts';
import { StoreOpenError } from './open-error.ts';
import { QuietCollector } from './quiet-collector.ts';
import { removeOld } from './retention.ts';
import { SqliteStore } from './sqlite.ts';
import type { TableState } from './store.ts';
import { Writer } from './writer.ts';

const RETENTION_EVERY = 3_600_000;
const RETENTION_FIRST = 60_000;

/** After the start, in ms: what only opening needed is given back (bin/vigie passes --expose-gc). */
const COMPACT_AFTER = 3000;
setTimeout(() => globalThis.gc?.(), COMPACT_AFTER).unref();

const options = workerData as StoreOptions;
const port = parentPort!;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

/** Lets waiting messages be handled first. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start(): void {
  const warnings: string[] = [];
  let lock: StoreLock | null = null;
  try {
    prepareDirectory(options.directory);
    lock = lockDirectory(options.directory);
    const fsType = options.fsType === null ? {} : { fsType: options.fsType };
    serve(
      openDatabase(options.directory, fsType, warnings, (db) => begin(db, warnings)),
      lock,
      warnings,
    );
  } catch (error) {
    lock?.release();
    const refused = error instanceof StoreOpenError ? error : new StoreOpenError('store_failed', String(error));
    send({ type: 'refused', code: refused.code, message: refused.message });
    port.close();
  }
}

interface Begun {
  readonly db: Database.Database;
  readonly store: SqliteStore;
  readonly interrupted: ReturnType<SqliteStore['interrupted']>;
  readonly tables: readonly TableState[];
}

function begin(db: Database.Database, warnings: string[]): Begun {
  const store = new SqliteStore(db);
  const interrupted = store.interrupted();
  const tables = store.tables();
  try {
    store.saveEpoch();
  } catch (error) {
    // A full disk does not stop the start: the number is stored with the first write that succeeds.
    if (!isPassing(error)) throw error;
    warnings.push(`the start could not be noted in the database: ${(error as Error).message}`);
  }
  return { db, store, interrupted, tables };
}

function serve({ db, store, interrupted, tables }: Begun, lock: StoreLock, warnings: string[]): void {
  let closed = false;
  const writer = new Writer(store, options.retryFor, {
    done: (left, durableUntil) => send({ type: 'done', left, durableUntil }),
    trouble: (error) => send({ type: 'trouble', error }),
    damage: (error) => noteDamage(options.directory, error),
  });

  for (const profile of interrupted.unended) {
    const body = new TextEncoder().encode(JSON.stringify(profile));
    writer.take({ type: 'profile', run: profile.run, body }, false);
  }
  const { engineId, epoch } = store;
  send({ type: 'opened', engineId, epoch, interrupted: interrupted.all, tables, warnings });

  const collector = new QuietCollector();

  // Long questions one after the other, so that only one of them holds memory.
  let long: Promise<unknown> = Promise.resolve();
  async function finish<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await turn();
      if (closed) throw new Error('the store is closed');
    }
  }
  const inTurn = <T>(steps: () => Generator<void, T>): Promise<T> => {
    const result = long.then(() => finish(steps()));
    long = result.catch(() => {});
    return result;
  };

  const retain = (): void => {
    void inTurn(() => removeOld(db, Date.now() - options.keepFor, (row) => store.isLive(row))).catch(() => {
      // Tried again at the next turn; a disk that fails is reported by the writes.
    });
  };
  const first = setTimeout(retain, RETENTION_FIRST);
  const hourly = setInterval(retain, RETENTION_EVERY);

  async function call(message: CallMessage): Promise<void> {
    const { id } = message;
    try {
      const [value, transfer] = await answer(message);
      if (!closed) send({ type: 'answer', id, value }, transfer);
    } catch (error) {
      if (!closed) send({ type: 'failed', id, message: (error as Error).message });
    }
  }

  async function answer(message: CallMessage): Promise<[value: unknown, transfer?: ArrayBuffer[]]> {
    const { read } = store;
    switch (message.method) {
      case 'runs':
        return [read.runs(message.argument)];
      case 'run':
        return [read.run(message.argument)];
      case 'audit':
        return [read.audit(message.argument)];
      case 'profile':
        return [read.profile(message.argument)];
      case 'latestProfile':
        return [read.latestProfile(message.argument)];
      case 'snapshot':
        return [read.snapshot(message.argument.scope, message.argument.time)];
      case 'query': {
        const columns = await inTurn(() => read.query(message.argument));
        if (!columns) return [null];
        const { times, min, avg, max, last } = columns;
        return [columns, [times, min, avg, max, last].map((column) => column.buffer)];
      }
      case 'frames': {
        const { scope, from, to, limit } = message.argument;
        const packed = pack(await inTurn(() => read.frames(scope, from, to, limit)));
        return [packed, [packed.bytes.buffer]];
      }
      case 'flush':
        await writer.flush();
        return [null];
    }
  }

  async function close(): Promise<void> {
    clearTimeout(first);
    clearInterval(hourly);
    collector.close();
    closed = true;
    await long;
    writer.close();
    store.close();
    lock.release();
    send({ type: 'closed' });
    port.close();
  }

  port.on('message', (message: ToWorker) => {
    if (closed) return;
    if (message.type === 'call') void call(message);
    else if (message.type === 'close') void close();
    else {
      writer.take(message, true);
      if (message.type !== 'tick') collector.note();
    }
  });
}

function pack({ frames, truncated }: { frames: Uint8Array[]; truncated: boolean }): Packed {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.byteLength;
  }
  return { lengths: frames.map((frame) => frame.byteLength), bytes, truncated };
}

start();
