/** One line for each format; what is not asked for is not loaded. */

import type { ExportFormat } from '../../../shared/api/exports.ts';
import type { ExportJob } from './job.ts';
import type { Out } from './out.ts';

/** Writes all of the file. Waits for `out.drained()` whenever `out.full`. Rejects with Stopped. */
export type WriteExport = (job: ExportJob, out: Out) => Promise<void>;

export const FORMATS: Readonly<Record<ExportFormat, () => Promise<WriteExport>>> = {
  csv: async () => (await import('./csv.ts')).writeCsv,
  json: async () => (await import('./json.ts')).writeJson,
  parquet: async () => (await import('./parquet.ts')).writeParquet,
  openmetrics: async () => (await import('./openmetrics.ts')).writeOpenMetrics,
  trace: async () => (await import('./trace.ts')).writeTrace,
  extrap: async () => (await import('./extrap.ts')).writeExtrap,
  html: async () => (await import('./report.ts')).writeReport,
};
