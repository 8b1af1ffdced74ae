/** How the old proxies answer: plain JSON, and errors as `{operation, success: false}` with status 400. */

import type { FastifyReply } from 'fastify';
import type { JobDesc } from '../../../shared/model/job.ts';
import { bareJob, MAIN_JOB, NODE_JOB_PREFIX } from '../../../shared/model/job.ts';
import type { Kind } from '../../../shared/model/values.ts';

/** A query parameter that a client may have sent any number of times, as one text; empty when it did not. */
export const oneText = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 256) : '');

export const compatRoute = { config: { compat: true }, schema: { hide: true } } as const;
/** One that takes parameters in a body, and changes nothing. */
export const readingRoute = { config: { compat: true, reads: true }, schema: { hide: true } } as const;
/** One that changes something. Its GET is for --compat only, and it has no HEAD: that would change the same. */
export const changingRoute = {
  config: { compat: true, changes: true, tells: ['key'] },
  schema: { hide: true },
  exposeHeadRoute: false,
} as const;

export function refuse(reply: FastifyReply, operation: string, status = 400): FastifyReply {
  return reply.code(status).send({ operation, success: false });
}

export const succeed = (operation: string): { operation: string; success: true } => ({ operation, success: true });

/** A counter's `ts` is µs since the epoch. */
export type CompatType =
  { Counter: { ts: number; value: number } } | { Gauge: { min: number; max: number; hits: number; total: number } };

export interface CompatCounter {
  readonly name: string;
  readonly doc: string;
  readonly ctype: CompatType;
}

export interface CompatJob {
  readonly desc: JobDesc;
  readonly counters: readonly CompatCounter[];
}

/** Gauges nobody has set are zeros there. */
export function compatType(
  kind: Kind,
  counter: number,
  gauge: { min: number | null; max: number | null; hits: number; total: number } | null,
  changedMs: number,
): CompatType {
  if (kind === 'counter') return { Counter: { ts: Math.round(changedMs * 1000), value: counter } };
  if (!gauge || !(gauge.hits > 0)) return { Gauge: { min: 0, max: 0, hits: 0, total: 0 } };
  return { Gauge: { min: gauge.min ?? 0, max: gauge.max ?? 0, hits: gauge.hits, total: gauge.total } };
}

export const isZeroCounter = (c: CompatCounter): boolean => 'Counter' in c.ctype && c.ctype.Counter.value === 0;

export const mainDesc = (): JobDesc => ({ ...bareJob(MAIN_JOB), command: 'Sum of all Jobs' });
export const nodeDesc = (host: string): JobDesc => ({
  ...bareJob(`${NODE_JOB_PREFIX}${host}`),
  command: `Sum of all Jobs running on ${host}`,
  nodelist: host,
});

/** Only the fields of a job description: a run has more. */
export function jobDesc(run: JobDesc): JobDesc {
  const { jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time } = run;
  return { jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time };
}
