import { z } from 'zod';
import { RangeResult } from './query.ts';

export const CheckLevel = z.enum(['ok', 'warning', 'problem']);
export type CheckLevel = z.infer<typeof CheckLevel>;

export const CheckArea = z.enum(['engine', 'sockets', 'files', 'disk', 'versions', 'clock', 'limits', 'port']);
export type CheckArea = z.infer<typeof CheckArea>;

/** One thing that was looked at. */
export const Check = z.object({
  /** Stable, for programs: `socket_stale`. */
  id: z.string(),
  area: CheckArea,
  level: CheckLevel,
  /** What was found, for people. */
  found: z.string(),
  /** What to do; null when nothing need be done. */
  advice: z.string().nullable(),
});
export type Check = z.infer<typeof Check>;

/** GET /api/v1/diagnosis, and what `vigie doctor --json` prints. */
export const Diagnosis = z.object({
  /** When it was made, ms since the epoch. */
  time: z.number(),
  /** The worst level of all checks. */
  level: CheckLevel,
  checks: z.array(Check),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** A line of the engine's log. */
export const BundleLogLine = z.object({
  /** ms since the epoch. */
  time: z.number(),
  level: z.string(),
  text: z.string(),
});
export type BundleLogLine = z.infer<typeof BundleLogLine>;

/**
 * GET /api/v1/bundle, and what `vigie bundle` writes: what somebody who helps needs to know. Names of users, hosts, jobs,
 * commands and paths are replaced by pseudonyms, the same name always by the same one; tokens are left out.
 */
export const Bundle = z.object({
  format: z.literal('vigie-bundle/1'),
  /** ms since the epoch. */
  time: z.number(),
  made_by: z.enum(['engine', 'command']),
  version: z.string(),
  notice: z.string(),
  machine: z.object({
    system: z.string(),
    architecture: z.string(),
    node: z.string(),
    cores: z.number(),
    /** Bytes. */
    memory: z.number(),
    memory_free: z.number(),
  }),
  /** As /api/v1/status answers; null when no engine runs. */
  status: z.record(z.string(), z.unknown()).nullable(),
  diagnosis: Diagnosis,
  configuration: z.record(z.string(), z.unknown()),
  /** The engine's last lines; empty where they are not known. */
  log: z.array(BundleLogLine),
  /** The engine's own figures over the last hour; null when no engine runs, or its store does not answer. */
  metrics: RangeResult.omit({ scope: true }).nullable(),
});
export type Bundle = z.infer<typeof Bundle>;

/** A bundle as a file: indented, so that people can look through it, with columns of numbers on one line each. */
export function bundleText(bundle: Bundle): string {
  const text = JSON.stringify(bundle, null, 1);
  return `${text.replace(/\[\s+(?:(?:null|-?\d[\d.e+-]*),?\s+)+\]/g, (column) => column.replace(/\s+/g, ''))}\n`;
}
