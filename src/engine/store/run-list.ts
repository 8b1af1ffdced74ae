/** How lists of runs are searched and paged, the same in every store. */

import type { Run, RunState } from '../../shared/api/runs.ts';

/** Newest first: by start, and of equal starts the one stored later. */
export interface RunPosition {
  readonly start: number;
  /** Grows with each run stored. */
  readonly number: number;
}

export const isEnded = (state: RunState): boolean => state === 'finished' || state === 'interrupted';

/** Whose run it is, by its id: `ENGINE.RUN` of another engine, whose runs are kept here; empty: this one's. */
export const engineOf = (id: string): string => id.slice(0, Math.max(0, id.indexOf('.')));

/** What {@link RunListQuery}'s `search` looks in. The separator keeps a match within one field. */
export function searchText(run: Run): string {
  return [run.jobid, run.command, run.nodelist, run.cluster].join('\u001f').toLowerCase();
}

export const formatCursor = ({ start, number }: RunPosition): string => `${start}_${number}`;

/** Null when the text is not a cursor of ours. */
export function parseCursor(text: string): RunPosition | null {
  const match = /^(\d{1,16}(?:\.\d{1,16})?)_(\d{1,15})$/.exec(text);
  return match ? { start: Number(match[1]), number: Number(match[2]) } : null;
}
