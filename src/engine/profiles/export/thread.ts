/** The thread of one export: it plans, tells how much it will be, and writes when it is told that there is room. */

import { parentPort, workerData } from 'node:worker_threads';
import { ApiError } from '../../../shared/errors.ts';
import { SelectorError } from '../../store/selector.ts';
import { AskedSource } from './asked-source.ts';
import { FORMATS } from './formats.ts';
import type { Asked, ExportOptions, FromExport, Question, ToExport } from './messages.ts';
import { Out, Stopped } from './out.ts';
import { makePlan, type Plan } from './plan.ts';
import { SharedPieces } from './shared-pieces.ts';
import type { SampleSource } from './source.ts';

const options = workerData as ExportOptions;
const port = parentPort!;
const send = (message: FromExport): void => port.postMessage(message);

const asking = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
let questions = 0;
let plan: Plan | null = null;

const pieces = new SharedPieces();
const out = new Out((bytes) => send({ type: 'bytes', ...pieces.share(bytes), done: plan?.progress.done ?? 0 }), 0);

async function ask<M extends keyof Asked>(method: M, argument: Asked[M][0]): Promise<Asked[M][1]> {
  // Nobody would answer.
  out.check();
  const id = ++questions;
  send({ type: 'ask', id, ...({ method, argument } as Question) });
  return new Promise((resolve, reject) => asking.set(id, { resolve, reject }));
}

/** Lets messages be handled first: it may be ended. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  out.check();
}

async function openSource(): Promise<SampleSource> {
  const { directory, live } = options;
  const asked = new AskedSource(ask);
  if (directory === null) return asked;
  const { DatabaseSource } = await import('./database-source.ts');
  const database = new DatabaseSource(directory);
  // The profile of a run that goes on is in no database yet.
  const stored = database.profile.bind(database);
  database.profile = (run) => (live.includes(run) ? asked.profile(run) : stored(run));
  return database;
}

async function work(): Promise<void> {
  let source: SampleSource | null = null;
  try {
    source = await openSource();
    plan = await makePlan(options, source, turn);
    const { estimate } = plan.job;
    if (options.isEstimate) {
      const { measureBytes } = await import('./measure.ts');
      const bytes = await measureBytes(plan.job, options.query.format, estimate.samples);
      send({ type: 'planned', estimate, bytes });
      return;
    }
    send({ type: 'planned', estimate, bytes: null });
    const write = await FORMATS[options.query.format]();
    // Nothing is read before somebody reads.
    await out.drained();
    await write(plan.job, out);
    out.flush();
    send({ type: 'end', done: plan.progress.done, damaged: source.damaged });
  } catch (error) {
    if (error instanceof Stopped) return;
    if (plan !== null) send({ type: 'failed', message: (error as Error).message });
    else if (error instanceof ApiError) send({ type: 'refused', code: error.code, message: error.message });
    else if (error instanceof SelectorError) send({ type: 'refused', code: 'bad_request', message: error.message });
    else send({ type: 'refused', code: 'store_unavailable', message: (error as Error).message });
  } finally {
    source?.close();
    port.close();
  }
}

port.on('message', (message: ToExport) => {
  if (message.type === 'more') {
    if (message.free !== null) pieces.release(message.free);
    out.more(message.pieces);
  } else if (message.type === 'stop') {
    out.stop();
    for (const { reject } of asking.values()) reject(new Stopped('the export was ended'));
    asking.clear();
  } else {
    const waiting = asking.get(message.id);
    asking.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.value as never);
    else waiting?.reject(new Error(message.message));
  }
});
void work();
