/** Which targets do not answer, as series of the node: for alarms that name the target. Only those that ever failed have one. */

import type { TargetState } from '../shared/api/targets.ts';
import { formatMetric } from '../shared/model/metric.ts';
import type { SourceWriter } from './sources/source.ts';

/** Series of a node are never forgotten: of a list that changes all day only so many are told apart. */
const MAX_TOLD = 1000;

/** What is looked at of a target. */
export interface TargetSeen {
  readonly id: string;
  readonly record: { readonly url: string; readonly paused: boolean };
  readonly condition: { readonly state: TargetState };
}

export class TargetUp {
  readonly #out: SourceWriter;
  /** By URL. */
  readonly #handles = new Map<string, number>();
  /** Of those that are told of now. */
  #told = new Set<string>();

  constructor(out: SourceWriter) {
    this.#out = out;
  }

  /** Once per tick. */
  sample(targets: Iterable<TargetSeen>): void {
    const told = new Set<string>();
    for (const { record, condition } of targets) {
      const { url, paused } = record;
      const fails = condition.state === 'down' || condition.state === 'refused';
      if (paused || (!fails && !this.#told.has(url))) continue;
      const handle = this.#handleOf(url);
      if (handle === null) continue;
      told.add(url);
      // One that was changed, and not asked since, is as it was.
      if (condition.state !== 'new') this.#out.setGauge(handle, fails ? 0 : 1);
    }
    for (const url of this.#told) if (!told.has(url)) this.#out.clearGauge(this.#handles.get(url)!);
    this.#told = told;
  }

  #handleOf(url: string): number | null {
    const known = this.#handles.get(url);
    if (known !== undefined) return known;
    if (this.#handles.size >= MAX_TOLD) return null;
    try {
      const handle = this.#out.gauge(
        formatMetric('vigie_target_up', [['target', url]]),
        'Whether this target answers, of those that once did not: 1 or 0',
      );
      this.#handles.set(url, handle);
      return handle;
    } catch {
      // Its address is longer than a name may be, or the node's scope is full.
      return null;
    }
  }
}
