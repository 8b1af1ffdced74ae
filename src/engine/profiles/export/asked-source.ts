/** Asks the engine, where nobody else may read the database, or there is none. */

import type { Profile } from '../../../shared/api/profiles.ts';
import type { RangeQuery } from '../../../shared/api/query.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import type { RangeColumns } from '../../store/aggregate.ts';
import { Replay } from '../../store/replay.ts';
import { InOrder } from '../../store/tail.ts';
import { framePieces } from './frame-pieces.ts';
import type { Asked } from './messages.ts';
import type { Extent, SampleRows, SampleSource } from './source.ts';

export type Ask = <M extends keyof Asked>(method: M, argument: Asked[M][0]) => Promise<Asked[M][1]>;

/** Of one answer. */
const MOST_FRAMES = 1000;
/** Span of the first question, ms; it becomes shorter where there is more in it. */
const SPAN = 3_600_000;
const LEAST_SPAN = 1000;

export class AskedSource implements SampleSource {
  readonly damaged = 0;
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  profile(run: string): Promise<Profile | null> {
    return this.#ask('profile', run);
  }

  ranks(run: string): Promise<number[]> {
    return this.#ask('ranks', run);
  }

  series(scope: ScopeId): Promise<readonly (readonly SeriesDef[])[]> {
    return this.#ask('series', scope);
  }

  extent(scope: ScopeId, from: number, to: number): Promise<Extent | null> {
    return this.#ask('extent', { scope, from, to });
  }

  range(query: RangeQuery): Promise<RangeColumns | null> {
    return this.#ask('range', query);
  }

  async *samples(scope: ScopeId, from: number, to: number): AsyncGenerator<SampleRows> {
    let span = SPAN;
    for (let after = from - 1; after < to;) {
      const end = Math.min(to, after + span);
      const asked = { scope, from: after, to: end, limit: MOST_FRAMES };
      const { frames, truncated, defs } = await this.#ask('frames', asked);
      // An answer has the newest ones: the oldest have to come first.
      if (truncated && span > LEAST_SPAN) {
        span = Math.max(LEAST_SPAN, span / 4);
        continue;
      }
      const order = new InOrder();
      for (const frame of frames) order.add(frame);
      // The first frame of each answer is full.
      yield* framePieces(order.frames, new Replay(), after, end, defs);
      after = end;
      if (frames.length < MOST_FRAMES / 8) span = Math.min(SPAN, span * 2);
    }
  }

  close(): void {}
}
