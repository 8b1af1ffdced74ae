import type { Series } from './described-series.ts';
import { describeFamily } from './naming.ts';
import { parseMetric } from './metric.ts';
import type { Kind } from './values.ts';

/** What is kept of a series; all else follows from its name. */
export interface SeriesDef {
  readonly kind: Kind;
  /** Place among the scope's series of this kind. */
  readonly index: number;
  /** As the client spelled it. */
  readonly name: string;
  readonly doc: string;
}

/** A series as the API shows it. */
export function describeSeries(def: SeriesDef): Series {
  const metric = parseMetric(def.name);
  return {
    kind: def.kind,
    index: def.index,
    name: def.name,
    key: metric.key,
    family: metric.family,
    labels: Object.fromEntries(metric.labels),
    doc: def.doc,
    ...describeFamily(metric.family),
  };
}
