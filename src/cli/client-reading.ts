/** What `vigie client` reads: the present values of `main`, the sum of this node and of all its runs. */

import { z } from 'zod';
import { EngineError, type EngineClient } from '../client/http.ts';
import { parseMetric } from '../shared/model/metric.ts';
import { gaugeValue, type Kind } from '../shared/model/values.ts';

/** A number that JSON cannot write comes as null. */
const number = z.number().nullable();
const Counter = z.object({ Counter: z.object({ ts: z.number(), value: number }) });
const Gauge = z.object({ Gauge: z.object({ min: number, max: number, hits: number, total: number }) });
const MainJob = z.object({
  counters: z.array(z.object({ name: z.string(), doc: z.string(), ctype: z.union([Counter, Gauge]) })),
});
const Refusal = z.object({ operation: z.string() });

export interface Metric {
  readonly name: string;
  /** Canonical spelling of the name. */
  readonly key: string;
  readonly doc: string;
  readonly kind: Kind;
  /** Counter: the total. Gauge: total / hits, 0 when nothing was observed. */
  readonly value: number;
  /** Last change as far as this answer tells it, ms since the epoch on the engine's clock; 0: it does not. */
  readonly changed: number;
}

function metricOf({ name, doc, ctype }: z.output<typeof MainJob>['counters'][number]): Metric[] {
  const { key } = parseMetric(name);
  if ('Counter' in ctype) {
    const { ts, value } = ctype.Counter;
    return value === null ? [] : [{ name, key, doc, kind: 'counter', value, changed: ts / 1000 }];
  }
  const { min, max, hits, total } = ctype.Gauge;
  if (min === null || max === null || hits === null || total === null) return [];
  return [{ name, key, doc, kind: 'gauge', value: gaugeValue({ min, max, hits, total }) || 0, changed: 0 }];
}

/** All metrics with the values of this moment, not of the last tick. Throws {@link EngineError} when it is refused. */
export async function readMetrics(client: EngineClient): Promise<Metric[]> {
  const { status, body } = await client.raw('/job?job=main&fresh=1');
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new EngineError(status, 'not_json', `what answers is no Vigie engine (status ${status})`);
  }
  if (status !== 200) {
    const said = z.object({ code: z.string(), detail: z.string() }).safeParse(json).data;
    const words = said?.detail ?? Refusal.safeParse(json).data?.operation ?? `status ${status}`;
    throw new EngineError(status, said?.code ?? 'unknown', words);
  }
  return MainJob.parse(json).counters.flatMap(metricOf);
}

/**
 * When metrics of this node and of live runs last changed, by key, ms since the epoch. Asks once per live run; what
 * nobody changes any more is not in it.
 */
export async function readChanges(client: EngineClient): Promise<Map<string, number>> {
  const changes = new Map<string, number>();
  const scopes = (await client.nodes()).nodes.map((node) => node.scope);
  for (const run of (await client.runs({ state: 'live', limit: 1 })).runs) scopes.push(run.scope);
  for (const scope of scopes) {
    try {
      for (const { key, changed } of (await client.series(scope)).series) {
        changes.set(key, Math.max(changed, changes.get(key) ?? 0));
      }
    } catch (error) {
      // The run has ended, and is forgotten already.
      if (!(error instanceof EngineError && error.code === 'scope_not_found')) throw error;
    }
  }
  return changes;
}
