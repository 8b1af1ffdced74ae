/** `vigie client` once: the metrics there are, or their present values. */

import { writeFileSync } from 'node:fs';
import { timedValues } from './client-changes.ts';
import type { ReadEngine } from './client-engine.ts';
import type { Format } from './client-format.ts';
import { metricsText, valuesText } from './client-formats.ts';
import type { WantedName } from './client-names.ts';
import { readChanges, readMetrics, type Metric } from './client-reading.ts';

interface Output {
  readonly format: Format;
  /** Null: standard output. */
  readonly file: string | null;
}

function put(text: string, file: string | null): void {
  if (file === null) process.stdout.write(text);
  else writeFileSync(file, text);
}

/** In the order in which they were asked for. */
export function chosen(metrics: readonly Metric[], names: readonly WantedName[]): Metric[] {
  const byKey = new Map(metrics.map((metric) => [metric.key, metric]));
  return names.flatMap(({ key }) => byKey.get(key) ?? []);
}

export function missing(metrics: readonly Metric[], names: readonly WantedName[]): WantedName[] {
  const keys = new Set(metrics.map((metric) => metric.key));
  return names.filter(({ key }) => !keys.has(key));
}

export async function listMetrics({ client }: ReadEngine, { format, file }: Output): Promise<void> {
  put(metricsText(format, await readMetrics(client)), file);
}

/** `names`: null is all that are not 0. Ends with status 1 when one of the names is not there. */
export async function showValues(
  { client }: ReadEngine,
  names: readonly WantedName[] | null,
  { format, file }: Output,
): Promise<void> {
  const all = await readMetrics(client);
  // After the values: one that changes in between is told a moment late, not with the time of some change before.
  const changes = await readChanges(client);
  const metrics = names === null ? all.filter(({ value }) => value !== 0) : chosen(all, names);
  put(valuesText(format, timedValues(metrics, changes)), file);
  for (const { typed } of missing(all, names ?? [])) {
    console.error(`vigie: there is no metric ${typed} (\`vigie client -l\` lists them)`);
    process.exitCode = 1;
  }
}
