/**
 * What a series is called at the destination: the name that /metrics shows, its own labels, and where it comes from.
 *
 * Two series of a scope never get the same labels, since a destination refuses a whole request for that: own labels that
 * are spelled like one of ours, also with `exported_` before it, get one more `exported_`.
 */

import protobuf from 'protobufjs/minimal.js';
import { parseMetric } from '../../shared/model/metric.ts';
import { exportedLabel, isLegalFamily, legalFamily, NAME_LABEL } from '../../shared/model/prometheus-name.ts';
import { scopeKind, type ScopeId } from '../../shared/model/scope.ts';
import { RESERVED_LABELS } from './reserved.ts';

type Labels = ReadonlyMap<string, string>;

/** Value of the label `job`, which dashboards expect to be there. */
const JOB = 'vigie';

/** Labels of all series of a scope. `jobid` is a run's job; null: the scope has none. */
export function scopeLabels(
  scope: ScopeId,
  host: string,
  jobid: string | null,
  added: Readonly<Record<string, string>>,
): Labels {
  const labels = new Map([['job', JOB], ['instance', host], ...Object.entries(added)]);
  const id = scope.slice(scope.indexOf('/') + 1);
  const kind = scopeKind(scope);
  if (kind === 'target') labels.set('target', id);
  if (kind === 'run') labels.set('run', id);
  if (jobid !== null) labels.set('jobid', jobid);
  return labels;
}

function ownLabel(name: string, scope: Labels): string {
  const bare = name.replace(/^(?:exported_)+/, '');
  if (scope.has(bare) || RESERVED_LABELS.has(bare)) return `exported_${name}`;
  // `__x` becomes `exported__x`: what is called so already must become something else.
  return /^(?:exported)+__/.test(name) ? `exported${name}` : exportedLabel(name);
}

export interface NamedSeries {
  /** With `__name__`, by name. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** A label without a value was left out: to a destination it is none. */
  readonly emptied: boolean;
}

/** All labels of a series, as remote write wants them: sorted by name, none of them empty. */
export function seriesLabels(key: string, scope: Labels): NamedSeries {
  const metric = parseMetric(key);
  const labels = new Map<string, string>();
  let emptied = false;
  for (const [name, value] of metric.labels) {
    if (value === '') emptied = true;
    else labels.set(ownLabel(name, scope), value);
  }
  for (const [name, value] of scope) labels.set(name, value);
  const legal = isLegalFamily(metric.family);
  labels.set('__name__', legal ? metric.family : legalFamily(metric.family));
  if (!legal) labels.set(NAME_LABEL, metric.family);
  return { labels: [...labels].sort(([a], [b]) => (a < b ? -1 : 1)), emptied };
}

/** The field `labels` of a TimeSeries, once for each label. */
export function encodeLabels(labels: NamedSeries['labels']): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [name, value] of labels) {
    writer.uint32(0x0a).fork().uint32(0x0a).string(name).uint32(0x12).string(value).ldelim();
  }
  return writer.finish();
}
