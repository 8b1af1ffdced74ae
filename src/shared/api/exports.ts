import { z } from 'zod';

/** Files that programs read, one for each kind of program; docs/exports.md describes them. */
export const ExportFormat = z.enum(['csv', 'json', 'parquet', 'openmetrics', 'trace', 'extrap', 'html']);
export type ExportFormat = z.infer<typeof ExportFormat>;

export interface FormatEntry {
  /** For people. */
  readonly title: string;
  /** What opens it, in a few words. */
  readonly use: string;
  /** Of the file's name, without the dot. */
  readonly extension: string;
  readonly type: string;
  /** `samples`: values over time. `profiles`: last values of runs; it takes neither scopes nor a resolution. */
  readonly of: 'samples' | 'profiles';
}

/** In the order in which people are offered them. */
export const EXPORT_FORMATS: Readonly<Record<ExportFormat, FormatEntry>> = {
  html: {
    title: 'Report',
    use: 'one page for a browser or a mail: what ran, its values, its slow parts, plots',
    extension: 'html',
    type: 'text/html; charset=utf-8',
    of: 'profiles',
  },
  parquet: {
    title: 'Parquet',
    use: 'pandas, Polars, DuckDB, Spark: small, and each column has its type',
    extension: 'parquet',
    type: 'application/vnd.apache.parquet',
    of: 'samples',
  },
  csv: {
    title: 'CSV',
    use: 'spreadsheets, R, any program',
    extension: 'csv',
    type: 'text/csv; charset=utf-8',
    of: 'samples',
  },
  json: {
    title: 'JSON',
    use: 'programs of your own: descriptions, last values, and values over time',
    extension: 'json',
    type: 'application/json; charset=utf-8',
    of: 'samples',
  },
  trace: {
    title: 'Trace',
    use: 'Perfetto (ui.perfetto.dev), chrome://tracing: a process for each rank, a track for each metric',
    extension: 'trace.json',
    type: 'application/json; charset=utf-8',
    of: 'samples',
  },
  openmetrics: {
    title: 'OpenMetrics',
    use: 'Prometheus: promtool tsdb create-blocks-from openmetrics',
    extension: 'om.txt',
    type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    of: 'samples',
  },
  extrap: {
    title: 'Extra-P',
    use: 'Extra-P, how metrics grow with the size: several runs of one command',
    extension: 'extrap.jsonl',
    type: 'application/x-ndjson; charset=utf-8',
    of: 'profiles',
  },
};

/** Stored samples as they are, or buckets of a minute or an hour. */
export const ExportResolution = z.enum(['raw', '1m', '1h']);
export type ExportResolution = z.infer<typeof ExportResolution>;

/** May stand once or many times. */
const texts = (most: number, length: number): z.ZodType<string[], string | string[] | undefined> =>
  z
    .union([z.string().min(1).max(length), z.array(z.string().min(1).max(length)).max(most)])
    .optional()
    .transform((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]));
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional();

/** Chosen by who asks, so that progress can be asked for and the work ended. */
export const ExportId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/**
 * GET /api/v1/export, the file itself. At least one run or scope. Times are ms since the epoch; without them all of a
 * run, and of a scope all that is kept.
 */
export const ExportQuery = z.object({
  format: ExportFormat,
  /** Run ids: their descriptions and last values, their own numbers and those of their ranks over time. */
  run: texts(500, 256),
  /** Scopes, such as `node/HOST`. */
  scope: texts(100, 1024),
  from: z.coerce.number().nonnegative().optional(),
  to: z.coerce.number().nonnegative().optional(),
  /** Canonical keys; without these and the next: all. */
  series: texts(2000, 4096),
  /** Series that match: `node_cpu{mode=~"user|system"}`. */
  select: texts(100, 4096),
  /** Without: samples if all of them are kept, else the finest that has all of the time. */
  resolution: ExportResolution.optional(),
  /** The runs' ranks, each by itself; default true. */
  ranks: flag,
  /** The runs' nodes, as long as each run lasted; default false. */
  nodes: flag,
  id: ExportId.optional(),
});
export type ExportQuery = z.output<typeof ExportQuery>;

/** GET /api/v1/export/estimate — the same question, answered by how much it would be. */
export const ExportEstimate = z.object({
  runs: z.number().int().nonnegative(),
  /** Runs, ranks, nodes: each has series of its own. */
  scopes: z.number().int().nonnegative(),
  series: z.number().int().nonnegative(),
  /** Values; about. */
  samples: z.number().nonnegative(),
  /** Of the file; about. */
  bytes: z.number().nonnegative(),
  /** First and last time, ms since the epoch; null: there is nothing. */
  from: z.number().nullable(),
  to: z.number().nullable(),
  /** Null: the format has none. */
  resolution: ExportResolution.nullable(),
  /** What is left out, for people: samples that are no longer kept, ranks of a large run. */
  notes: z.array(z.string()),
});
export type ExportEstimate = z.infer<typeof ExportEstimate>;

/** GET /api/v1/exports/ID — how far an export is. Ended ones are known for some minutes. DELETE ends its work. */
export const ExportState = z.object({
  id: z.string(),
  format: ExportFormat,
  /** Of the file. */
  name: z.string(),
  /** `waiting`: nobody has begun to read it. */
  state: z.enum(['waiting', 'running', 'done', 'cancelled', 'failed']),
  /** Milliseconds since the epoch. */
  started: z.number(),
  ended: z.number().nullable(),
  /** Values written, and how many there will be, about; for profiles, runs. */
  done: z.number().nonnegative(),
  total: z.number().nonnegative(),
  bytes: z.number().nonnegative(),
  /** Why it failed, for people. */
  error: z.string().nullable(),
});
export type ExportState = z.infer<typeof ExportState>;

/** GET /api/v1/exports, newest first. */
export const ExportList = z.object({ exports: z.array(ExportState) });
export type ExportList = z.infer<typeof ExportList>;

/**
 * POST /api/v1/exports with an ExportQuery: for pages, whose links carry no token. `path` may be fetched once, within a
 * minute, without one.
 */
export const NewExport = z.object({ id: z.string(), name: z.string(), path: z.string() });
export type NewExport = z.infer<typeof NewExport>;
