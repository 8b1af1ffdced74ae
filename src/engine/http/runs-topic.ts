/** The `runs` topic: the complete list of live runs once, then only what changed, with each run's present rate. */

import type { LiveEvent, LiveRun as Row } from '../../shared/api/live.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../live/runs.ts';

export class RunsTopic {
  readonly #engine: EngineContext;
  /** What was last sent of each run. */
  readonly #sent = new Map<string, string>();
  #first = true;
  /** Of the runs of targets that ended, the next one to tell of. */
  #elsewhere: number;

  constructor(engine: EngineContext) {
    this.#engine = engine;
    this.#elsewhere = engine.endedElsewhere.next;
  }

  next(): LiveEvent | null {
    const rows: Row[] = [];
    const present = new Set<string>();
    for (const { row, text } of presentRows(this.#engine)) {
      present.add(row.id);
      if (this.#sent.get(row.id) === text) continue;
      this.#sent.set(row.id, text);
      rows.push(row);
    }
    for (const id of this.#sent.keys()) {
      if (present.has(id)) continue;
      this.#sent.delete(id);
      const ended = this.#engine.recentlyEnded(id);
      if (ended) rows.push({ ...ended, rate: null });
    }
    const { endedElsewhere } = this.#engine;
    for (const run of endedElsewhere.from(this.#elsewhere)) rows.push({ ...run, rate: null });
    this.#elsewhere = endedElsewhere.next;
    const all = this.#first;
    this.#first = false;
    return all || rows.length > 0 ? { type: 'runs', all, runs: rows } : null;
  }
}

interface PresentRow {
  readonly row: Row;
  /** Small, and equality is all that is asked of it. */
  readonly text: string;
}

/** The live runs of this turn of the loop: all readers are told at the same moment, so they are looked at once. */
const present = new WeakMap<EngineContext, readonly PresentRow[]>();

function presentRows(engine: EngineContext): readonly PresentRow[] {
  const known = present.get(engine);
  if (known) return known;
  const rows = Array.from(engine.runs.live.values(), (run): PresentRow => {
    const row: Row = { ...run.describe(), rate: headlineRate(run) };
    return { row, text: JSON.stringify(row) };
  });
  present.set(engine, rows);
  // Before anything else is read or ticks.
  queueMicrotask(() => present.delete(engine));
  return rows;
}

/** Increase per second of the headline counter over the last period; the value itself of a gauge. */
function headlineRate(run: LiveRun): number | null {
  const place = run.headline === null ? null : run.scope.find(run.headline);
  if (!place) return null;
  if (place.kind === 'counter') return run.headlineRate;
  const { hits, total } = run.scope.gauge(place.index);
  return hits > 0 ? total / hits : null;
}
