/** What rules have in common: selections and what is measured of them, as long as a rule needs them. */

import type { RuleSettings } from '../../shared/api/alarms.ts';
import { parseSelector } from './match.ts';
import { cellsOf, DIVISOR_CELLS, Measured } from './measure.ts';
import { Selection, type Binding } from './selection.ts';

/** Numbers kept for windows, rates and ratios, of all rules: 64 MB. */
const MAX_CELLS = 8_000_000;

/** Series of all selections together, each of which has its own columns: 150 to 300 MB. */
const MAX_WATCHED = 12_000_000;

/** What a rule compares, or why there is nothing, in words. */
export type Shared = Measured | string;

export class Sharing {
  readonly #selections = new Map<string, Selection>();
  readonly #measured = new Map<string, Measured>();
  /** Of all selections. */
  readonly #room = { left: MAX_WATCHED };

  selections(): Iterable<Selection> {
    return this.#selections.values();
  }

  measured(): Iterable<Measured> {
    return this.#measured.values();
  }

  /** Names of the merges that rules are about. */
  merges(): Set<string> {
    const names = new Set<string>();
    for (const { scope } of this.#selections.values()) if (scope.kind === 'merge') names.add(scope.name);
    return names;
  }

  /** `added`: gets the selections that were not there before, which have to learn what there is. */
  take({ scope, metric, measure }: RuleSettings, added: Selection[]): Shared {
    const key = JSON.stringify([scope, metric, measure]);
    const known = this.#measured.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const selector = parseSelector(metric);
    if (typeof selector === 'string') return selector;
    const divisor = measure.kind === 'ratio' ? parseSelector(measure.to) : null;
    if (typeof divisor === 'string') return divisor;
    const select = (text: string, by: typeof selector): Selection => {
      const name = JSON.stringify([scope, text]);
      let selection = this.#selections.get(name);
      if (!selection) {
        selection = new Selection(name, scope, by, this.#room);
        this.#selections.set(name, selection);
        added.push(selection);
      }
      selection.users++;
      return selection;
    };
    const to = divisor && measure.kind === 'ratio' ? select(measure.to, divisor) : null;
    const measured = new Measured(key, measure, select(metric, selector), to);
    measured.users = 1;
    this.#measured.set(key, measured);
    return measured;
  }

  release(shared: Shared): void {
    if (typeof shared === 'string' || --shared.users > 0) return;
    this.#measured.delete(shared.key);
    for (const selection of [shared.selection, shared.to]) {
      if (!selection || --selection.users > 0) continue;
      this.#selections.delete(selection.key);
      for (const binding of [...selection.segments.keys()]) selection.drop(binding);
    }
  }

  /** A scope is not watched any more, or (given) not by a selection. */
  unbind(binding: Binding, selection: Selection | null = null): void {
    for (const measured of this.#measured.values()) {
      if (selection === null || measured.selection === selection) measured.columns.delete(binding);
    }
  }

  /** Refuses those for which there is no room; a rule more, or a pattern that means less, changes that. */
  limit(): void {
    let cells = 0;
    for (const measured of this.#measured.values()) {
      const { measure, selection, to } = measured;
      const need = cellsOf(measure) * selection.count + DIVISOR_CELLS * (to?.count ?? 0);
      measured.refused = cells + need > MAX_CELLS;
      if (measured.refused) measured.columns.clear();
      else cells += need;
    }
  }
}
