/** Rows of the list by command: commands, and below those that are opened their runs. */

import type { ProfileGroup, ProfileSummary } from '../../../../shared/api/profiles.ts';

/** Runs that stand below an opened command; the others have a page of their own. */
export const OPENED_RUNS = 12;

export type ListRow =
  | { readonly kind: 'group'; readonly id: string; readonly group: ProfileGroup; readonly open: boolean }
  | { readonly kind: 'run'; readonly id: string; readonly run: ProfileSummary; readonly of: ProfileGroup }
  | {
      readonly kind: 'note';
      readonly id: string;
      readonly of: ProfileGroup;
      readonly text: string;
      readonly more: boolean;
    };

/** Runs of an opened command, as far as they are known. */
export interface Opened {
  readonly runs: readonly ProfileSummary[] | undefined;
  readonly error: Error | null;
}

export function rowsOf(groups: readonly ProfileGroup[], opened: ReadonlyMap<string, Opened>): ListRow[] {
  const rows: ListRow[] = [];
  for (const group of groups) {
    const inside = opened.get(group.group);
    rows.push({
      kind: 'group',
      id: `group ${group.last.engine ?? ''} ${group.group}`,
      group,
      open: inside !== undefined,
    });
    if (!inside) continue;
    const { runs, error } = inside;
    for (const run of runs ?? [])
      rows.push({ kind: 'run', id: `run ${run.id} ${group.last.engine ?? ''}`, run, of: group });
    const note = (text: string, more = false): number =>
      rows.push({ kind: 'note', id: `note ${group.last.engine ?? ''} ${group.group}`, of: group, text, more });
    if (runs === undefined) note(error ? error.message : 'Loading…');
    else if (group.runs > runs.length) note(`All ${group.runs} runs of this command`, true);
  }
  return rows;
}

/** The row of a command, from one of its runs too. */
export const groupRowOf = (rows: readonly ListRow[], at: number): number => {
  const row = rows[at];
  if (!row || row.kind === 'group') return row ? at : -1;
  return rows.findIndex((one) => one.kind === 'group' && one.group.group === row.of.group);
};
