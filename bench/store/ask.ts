/** Opens a store in a process of its own, whose page cache the caller has emptied, and asks. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import type { RangeResult } from '../../src/shared/api/query.ts';
import { median } from '../support/report.ts';
import type { Store } from '../../src/engine/store/store.ts';
import type { Answered, AskSpec, Asked, Question } from './spec.ts';

async function once(store: Store, question: Question): Promise<Omit<Answered, 'coldMs' | 'warmMs'> & { ms: number }> {
  const began = performance.now();
  const { scopes, series, from, to, maxPoints } = question;
  const range = { from, to, maxPoints };
  // Of many scopes: their sum, as one. Of one: the bytes that are sent.
  const told =
    scopes.length === 1
      ? await store.queryJson({ scope: scopes[0]!, series: [...series], ...range })
      : await store.merge({ scope: [...scopes], series: series[0]!, operation: 'sum', ...range });
  const took = performance.now() - began;
  if (!told) throw new Error('a scope is not known');
  const answer = told instanceof Uint8Array ? (JSON.parse(new TextDecoder().decode(told)) as RangeResult) : told;
  const last = answer.series.reduce((sum, each) => sum + (each.last.findLast((value) => value !== null) ?? 0), 0);
  return { name: question.name, ms: took, points: answer.times.length, series: answer.series.length, last };
}

/** From the page's first requests to the question about history, ms. */
const WAKE_MS = 300;

export async function ask(spec: AskSpec): Promise<void> {
  const began = performance.now();
  const { store } = await openWorkerStore({ dataDir: spec.data });
  const openMs = performance.now() - began;
  // As the first request of a view does, before its question comes.
  store.wake();
  await sleep(WAKE_MS);
  const answers: Answered[] = [];
  for (const question of spec.questions) {
    const { ms: coldMs, ...answer } = await once(store, question);
    const warm: number[] = [];
    for (let i = 0; i < question.again; i++) warm.push((await once(store, question)).ms);
    answers.push({ ...answer, coldMs, warmMs: warm.length === 0 ? NaN : median(warm) });
  }
  await store.close();
  const asked: Asked = { openMs, answers };
  process.stdout.write(`${JSON.stringify(asked)}\n`);
}
