/** Opens a store in a process of its own, whose page cache the caller has emptied, and asks. */

import { openWorkerStore } from '../../src/engine/store/client.ts';
import { median } from '../support/report.ts';
import type { Store } from '../../src/engine/store/store.ts';
import type { Answered, AskSpec, Asked, Question } from './spec.ts';

async function once(store: Store, question: Question): Promise<Omit<Answered, 'coldMs' | 'warmMs'> & { ms: number }> {
  const began = performance.now();
  const { scopes, series, from, to, maxPoints } = question;
  const range = { from, to, maxPoints };
  // Of many scopes: their sum, as one.
  const answer =
    scopes.length === 1
      ? await store.query({ scope: scopes[0]!, series: [...series], ...range })
      : await store.merge({ scope: [...scopes], series: series[0]!, operation: 'sum', ...range });
  const took = performance.now() - began;
  if (!answer) throw new Error('a scope is not known');
  const last = answer.series.reduce((sum, each) => sum + (each.last.findLast((value) => value !== null) ?? 0), 0);
  return { name: question.name, ms: took, points: answer.times.length, series: answer.series.length, last };
}

export async function ask(spec: AskSpec): Promise<void> {
  const began = performance.now();
  const { store } = await openWorkerStore({ dataDir: spec.data });
  const openMs = performance.now() - began;
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
