/** Opens a store in a process of its own, whose page cache the caller has emptied, and asks. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import type { RangeResult } from '../../src/shared/api/query.ts';
import { cpuSeconds } from '../support/proc.ts';
import { median } from '../support/report.ts';
import type { Store } from '../../src/engine/store/store.ts';
import type { Answered, AskSpec, Asked, Question } from './spec.ts';

interface Once extends Omit<Answered, 'coldMs' | 'warmMs' | 'warmCpuMs'> {
  readonly ms: number;
  /** CPU of looking at the answer, ms. */
  readonly lookMs: number;
}

async function once(store: Store, question: Question): Promise<Once> {
  const began = performance.now();
  const { scopes, series, from, to, maxPoints } = question;
  const range = { from, to, maxPoints };
  // Of many scopes: their sum, as one. Of one: the bytes that are sent.
  const told =
    scopes.length === 1
      ? await store.queryJson({ scope: scopes[0]!, series: [...series], ...range })
      : await store.merge({ scope: [...scopes], series: series[0]!, operation: 'sum', ...range });
  const took = performance.now() - began;
  const looking = process.threadCpuUsage();
  if (!told) throw new Error('a scope is not known');
  const answer = told instanceof Uint8Array ? (JSON.parse(new TextDecoder().decode(told)) as RangeResult) : told;
  const last = answer.series.reduce((sum, each) => sum + (each.last.findLast((value) => value !== null) ?? 0), 0);
  const { user, system } = process.threadCpuUsage(looking);
  const counts = { points: answer.times.length, series: answer.series.length, last };
  return { name: question.name, ms: took, lookMs: (user + system) / 1000, ...counts };
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
    const cpu: number[] = [];
    for (let i = 0; i < question.again; i++) {
      const before = cpuSeconds(process.pid);
      const asked = await once(store, question);
      warm.push(asked.ms);
      cpu.push(1000 * (cpuSeconds(process.pid) - before) - asked.lookMs);
    }
    const none = warm.length === 0;
    answers.push({ ...answer, coldMs, warmMs: none ? NaN : median(warm), warmCpuMs: none ? NaN : median(cpu) });
  }
  await store.close();
  const asked: Asked = { openMs, answers };
  process.stdout.write(`${JSON.stringify(asked)}\n`);
}
