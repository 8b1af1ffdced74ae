import { EXPORT_FORMATS, type ExportQuery } from '../../../shared/api/exports.ts';
import type { Run } from '../../../shared/api/runs.ts';

const LONGEST = 60;

/** Of characters that any file system and any shell takes as they are. */
const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, LONGEST);

/** `vigie-JOB-2026-11-21T081503.csv`: what is in it, and from when, UTC. */
export function fileName(query: ExportQuery, runs: readonly Run[], from: number | null): string {
  const [run] = runs;
  const what =
    runs.length > 1
      ? `${runs.length}-runs`
      : plain(run ? run.jobid : query.scope.length > 1 ? `${query.scope.length}-scopes` : (query.scope[0] ?? ''));
  const time = run?.start_time || from;
  const when = time === null ? '' : `-${new Date(time).toISOString().slice(0, 19).replaceAll(':', '')}`;
  return `vigie-${what || 'export'}${when}.${EXPORT_FORMATS[query.format].extension}`;
}
