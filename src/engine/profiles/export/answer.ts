/** What an export asks of the engine, where it cannot read the database itself. */

import type { SeriesDef } from '../../../shared/model/series.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import type { RangeColumns } from '../../store/aggregate.ts';
import type { Asked, Question } from './messages.ts';
import type { Extent } from './source.ts';

/** Points by which first and last time are found. */
const LOOK_POINTS = 1000;
const LOOKS = 3;
const SECOND = 1000;

/** Of a run that lives its present values. */
export async function profileOf(engine: EngineContext, run: string): Promise<Asked['profile'][1]> {
  return engine.liveRun(run)?.profile() ?? (await engine.store.profile(run));
}

export async function answer(engine: EngineContext, question: Question): Promise<Asked[keyof Asked][1]> {
  const { store } = engine;
  switch (question.method) {
    case 'profile':
      return profileOf(engine, question.argument);
    case 'ranks':
      return ((await profileOf(engine, question.argument))?.ranks ?? []).map(({ rank }) => rank);
    case 'series': {
      const snapshot = await store.snapshot(question.argument, Number.MAX_SAFE_INTEGER);
      return snapshot ? [snapshot.series] : [];
    }
    case 'range':
      return store.columns(question.argument);
    case 'frames': {
      const { scope, from, to, limit } = question.argument;
      const found = await store.frames(scope, from, to, limit);
      const defs = found.frames.length === 0 ? [] : ((await store.snapshot(scope, to))?.series ?? []);
      return { ...found, defs };
    }
    case 'extent': {
      const { scope, from, to } = question.argument;
      const [def] = (await store.snapshot(scope, to))?.series ?? [];
      return def ? extentOf(engine, scope, def, from, to) : null;
    }
  }
}

/** By one series of the scope, closer with each look. */
async function extentOf(
  engine: EngineContext,
  scope: string,
  def: SeriesDef,
  from: number,
  to: number,
): Promise<Extent | null> {
  let span = { from, to };
  for (let look = 0; look < LOOKS; look++) {
    const asked = { scope, series: [parseMetric(def.name).key], maxPoints: LOOK_POINTS };
    const columns: RangeColumns | null = await engine.store.columns({ ...asked, ...span });
    const { times, last, step } = columns ?? { times: new Float64Array(), last: new Float64Array(), step: 0 };
    const known = Array.from(times).filter((_, i) => !Number.isNaN(last[i]!));
    if (known.length === 0) return null;
    span = { from: Math.max(from, known[0]!), to: Math.min(to, known.at(-1)! + step) };
    if (step === 0) return { ...span, rows: known.length, width: 0 };
  }
  return { ...span, rows: (span.to - span.from) / SECOND, width: 0 };
}
