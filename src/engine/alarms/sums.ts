/** Sums of many scopes as rules read them. */

import type { Kind } from '../../shared/model/values.ts';
import type { MergedView } from '../live/view.ts';
import type { Source } from './match.ts';

/** Another object when what was known of its series is not true any more. */
export interface Sum extends Source {
  readonly view: MergedView;
  readonly version: number;
}

export function sourceOf(name: string, view: MergedView): Sum {
  const { table } = view;
  return {
    ...{ id: `merge/${name}`, view, version: view.version },
    get counterCount() {
      return table.count('counter');
    },
    get gaugeCount() {
      return table.count('gauge');
    },
    get counters() {
      return view.counters;
    },
    get gauges() {
      return view.gauges;
    },
    table: {
      key: (kind: Kind, index: number) => table.key(kind, index),
      name: (kind: Kind, index: number) => table.name(kind, index),
    },
    holders: (place: number) => view.holders(place),
  };
}
