/** The store's threads: the one that writes, messages in and answers out, and the one that only reads. */

import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { AgeClock, heldText } from './age-clock.ts';
import { restNoted } from './care/aside.ts';
import { isShared, noteDamage, openSound, prepareDirectory } from './database.ts';
import { isDamage, isPassing } from './errors.ts';
import { collectGarbage } from '../garbage.ts';
import type { RetentionState } from '../../shared/api/store.ts';
import { AlarmRows } from './alarm-records.ts';
import { Keeps } from './keeps.ts';
import { lockDirectory, type StoreLock } from './lock.ts';
import type { CallMessage, FromWorker, ReaderOptions, StoreOptions, ToWorker } from './messages.ts';
import { StoreOpenError } from './open-error.ts';
import { answerLong, isLong } from './questions.ts';
import { QuietCollector } from './quiet-collector.ts';
import { serveReader } from './reader-thread.ts';
import { aboutOf } from './profiles/card.ts';
import { removeOld } from './retention.ts';
import { retentionState } from './retention-state.ts';
import { SqliteStore } from './sqlite.ts';
import type { TableState } from './store.ts';
import { Writer } from './writer.ts';

const RETENTION_EVERY = 600_000;
const RETENTION_FIRST = 60_000;
/** What an earlier start has left is sealed so long after this one; what failed is tried again after so long, ms. */
const SEAL_FIRST = 2000;
const SEAL_AGAIN = 10_000;
/** Cards of runs that have none follow so long after the start, ms. */
const ARRANGE_FIRST = 200;

/** After the start, in ms: what only opening needed is given back. */
const COMPACT_AFTER = 3000;
setTimeout(collectGarbage, COMPACT_AFTER).unref();

const data = workerData as StoreOptions | ReaderOptions;
const port = parentPort!;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

/** Lets waiting messages be handled first. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function start(options: StoreOptions): Promise<void> {
  const warnings: string[] = [];
  let lock: StoreLock | null = null;
  try {
    prepareDirectory(options.directory);
    lock = lockDirectory(options.directory);
    const fsType = options.fsType === null ? {} : { fsType: options.fsType };
    const use = (db: Database.Database): Begun => begin(db, warnings);
    let begun = openSound(options.directory, fsType, warnings, use);
    if (begun === null) {
      const { openDatabase } = await import('./mending.ts');
      // What was said of the attempt is said again.
      warnings.length = 0;
      begun = openDatabase(options.directory, fsType, warnings, use);
    }
    serve(begun, lock, warnings, options);
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
  const store = new SqliteStore(db, (block) => send({ type: 'damage', block }));
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

function serve(begun: Begun, lock: StoreLock, warnings: string[], options: StoreOptions): void {
  const { db, store, interrupted, tables } = begun;
  let closed = false;
  const writer = new Writer(store, options.retryFor, {
    done: (left, durableUntil) => {
      send({ type: 'done', left, durableUntil });
      seal();
    },
    trouble: (error) => send({ type: 'trouble', error }),
    damage: (error) => noteDamage(options.directory, error),
  });

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
  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const result = long.then(work);
    long = result.catch(() => {});
    return result;
  };
  /** Each step in turn with questions, which so need not wait for more than one, and behind what waits to be written. */
  async function stepwise<T>(steps: Generator<unknown, T>): Promise<T> {
    for (;;) {
      const step = await inTurn(() => steps.next());
      if (step.done) return step.value;
      await turn();
      if (closed) throw new Error('the store is closed');
    }
  }

  // What moves from the tail into a block while it is read would be there twice or not at all: step by step with questions.
  let sealing = false;
  let sealAfter = 0;
  const seal = (): void => {
    if (sealing || closed || !writer.isIdle || Date.now() < sealAfter || !store.sealing.isDue(Date.now())) return;
    sealing = true;
    stepwise(store.sealing.seal(Date.now(), () => writer.isIdle))
      .catch((error: unknown) => {
        sealAfter = Date.now() + SEAL_AGAIN;
        if (isDamage(error)) noteDamage(options.directory, error);
      })
      .finally(() => {
        sealing = false;
      });
  };
  const older = setTimeout(seal, SEAL_FIRST).unref();

  // Blocks of a damaged database that follow into this one: a step at a time, as the sealing.
  async function takeRest(): Promise<void> {
    if (restNoted(db) === undefined) return;
    const [{ restOf }, { emptyReport }] = await Promise.all([import('./care/rebuild.ts'), import('./care/salvage.ts')]);
    const steps = restOf(db, options.directory);
    if (!steps || closed) return;
    try {
      await stepwise(steps);
    } finally {
      steps.return(emptyReport());
    }
  }
  takeRest().catch(() => {
    // Goes on at the next start.
  });

  // Cards that are missing, and groups by rules that were changed: a step at a time, as the sealing.
  let arranging = false;
  let arrangeAgain = false;
  async function arrange(): Promise<void> {
    arrangeAgain = true;
    if (arranging || closed) return;
    arranging = true;
    try {
      while (arrangeAgain) {
        arrangeAgain = false;
        await stepwise(store.cards.fill());
        await stepwise(store.cards.regroup());
      }
    } catch (error) {
      if (isDamage(error)) noteDamage(options.directory, error);
      // Else at the next start.
    } finally {
      arranging = false;
    }
  }
  const arranged = setTimeout(() => void arrange(), ARRANGE_FIRST).unref();

  const alarms = new AlarmRows(db);
  const keeps = new Keeps(db);
  let kept = keeps.retention(options.retention);
  const ages = new AgeClock(db, Date.now(), performance.now());
  /** The time by which ages count. */
  const judged = (): number => {
    const judgement = ages.now(Date.now(), performance.now());
    send({ type: 'held', reason: heldText(judgement, Date.now()) });
    return judgement.time;
  };
  const state = (): Promise<RetentionState> => stepwise(retentionState(db, kept, options.retention, judged()));
  // A step at a time, as the sealing.
  let retaining = false;
  async function retain(): Promise<void> {
    if (retaining || closed) return;
    retaining = true;
    try {
      const now = judged();
      ages.save();
      await stepwise(removeOld(db, now, kept, (row) => store.isLive(row)));
      await stepwise(store.orders.purge(now));
    } catch {
      // Tried again at the next turn; a disk that fails is reported by the writes.
    } finally {
      retaining = false;
    }
  }
  const first = setTimeout(() => void retain(), RETENTION_FIRST);
  const hourly = setInterval(() => void retain(), RETENTION_EVERY);

  for (const profile of interrupted.unended) {
    const body = new TextEncoder().encode(JSON.stringify(profile));
    writer.take({ type: 'profile', run: profile.run, about: aboutOf(profile), body }, false);
  }
  send({
    type: 'opened',
    engineId: store.engineId,
    epoch: store.epoch,
    interrupted: interrupted.all,
    tables,
    warnings,
    shared: isShared(db),
    retention: kept,
  });

  async function call(message: CallMessage): Promise<void> {
    const { id } = message;
    try {
      const [value, transfer] = await answer(message);
      if (!closed) send({ type: 'answer', id, value }, transfer);
    } catch (error) {
      if (!closed) send({ type: 'failed', id, message: (error as Error).message });
    }
  }

  async function answer(message: CallMessage): Promise<readonly [value: unknown, transfer?: ArrayBuffer[]]> {
    const { read } = store;
    if (isLong(message)) return inTurn(() => finish(answerLong(read, message)));
    switch (message.method) {
      case 'run':
        return [read.lists.run(message.argument)];
      case 'audit':
        return [read.lists.audit(message.argument)];
      case 'profile':
        return [read.lists.profile(message.argument)];
      case 'latestProfile':
        return [read.lists.latestProfile(message.argument)];
      case 'retention':
        return [await state()];
      case 'setRetention': {
        const { change, reset } = message.argument;
        keeps.change(change, reset);
        kept = keeps.retention(options.retention);
        send({ type: 'retention', retention: kept });
        void retain();
        return [await state()];
      }
      case 'keeps':
        return [keeps.list(message.argument)];
      case 'addKeep':
        return [keeps.add(message.argument)];
      case 'removeKeep':
        return [keeps.remove(message.argument)];
      case 'alarms':
        // What is written does not wait for what is read.
        if (message.argument.ask === 'events') return [await inTurn(() => finish(alarms.answer(message.argument)))];
        return [await finish(alarms.answer(message.argument))];
      case 'orderProfiles': {
        const answered = store.orders.obey(message.argument);
        if (message.argument.order === 'setRules') void arrange();
        return [answered];
      }
      case 'barrier':
        return [null];
      case 'flush':
        await writer.flush();
        return [null];
    }
  }

  async function close(): Promise<void> {
    clearTimeout(first);
    clearTimeout(older);
    clearTimeout(arranged);
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

if ('reader' in data) serveReader(port, data);
else void start(data);
