/** What `vigie store` says to people. */

import { bytesText } from '../engine/diagnosis/check.ts';
import type { FileReport } from '../engine/import/files.ts';
import type { CheckReport, Damage } from '../engine/store/care/check.ts';
import { describeReport } from '../engine/store/care/rebuild.ts';
import type { SalvageReport } from '../engine/store/care/salvage.ts';
import type { Span, StoreStats } from '../engine/store/care/stats.ts';
import type { VacuumReport } from '../engine/store/care/vacuum.ts';

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

const timeOf = (ms: number): string =>
  Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 19).replace('T', ' ') : String(ms);

function spanOf({ first, last }: Span): string {
  return first === null || last === null ? '' : `${timeOf(first)} to ${timeOf(last)} UTC`;
}

function damageText({ what, scope, from, to, reason }: Damage): string {
  const span = from === null || to === null ? '' : ` ${spanOf({ first: from, last: to })}`;
  return `  ${what}${scope === null ? '' : ` ${scope}`}${span}: ${reason}`;
}

export function checkText({ path, ok, rows, damage, damaged }: CheckReport & { readonly path: string }): string {
  const seen = Object.entries(rows).filter(([, n]) => n > 0);
  const counts = seen.map(([table, n]) => `${n} of ${table}`).join(', ') || 'nothing in it';
  if (ok) return `${path} is whole (rows: ${counts})`;
  const rest = damaged > damage.length ? [`  and ${damaged - damage.length} more`] : [];
  return [
    `${path} is damaged in ${plural(damaged, 'place')} (rows: ${counts})`,
    ...damage.map(damageText),
    ...rest,
    'What can be read of it goes on in a new database with: vigie store repair',
  ].join('\n');
}

export function statsText(stats: StoreStats): string {
  const { path, bytes, free_bytes, tiers, tail, profiles, runs, samples, bytes_per_sample } = stats;
  const all = Object.values(runs).reduce((sum, n) => sum + n, 0);
  const rows: [string, string, string][] = [
    ['on disk', bytesText(bytes), `${path}; ${bytesText(free_bytes)} not in use`],
    ...tiers.map((tier): [string, string, string] => [
      tier.tier,
      bytesText(tier.bytes),
      `${plural(tier.blocks, 'block')}, ${plural(tier.rows, 'row')}, ${spanOf(tier)}`,
    ]),
    ['not in blocks', bytesText(tail.bytes), `${plural(tail.rows, 'row')} ${spanOf(tail)}`.trim()],
    [
      'runs',
      String(all),
      Object.entries(runs)
        .map(([state, n]) => `${n} ${state}`)
        .join(', '),
    ],
    ['profiles', String(profiles.count), bytesText(profiles.bytes)],
    ['series', String(stats.series), `${plural(stats.names, 'name')}, ${plural(stats.scopes, 'scope')}`],
  ];
  if (stats.frames > 0)
    rows.push(['old frames', String(stats.frames), 'of an earlier version, moved into blocks as it runs']);
  if (bytes_per_sample !== null) {
    rows.push(['per sample', `${bytes_per_sample.toFixed(2)} B`, `of about ${samples} samples, everything counted`]);
  }
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(([a, b, c]) => `${a.padEnd(widths[0]!)}  ${b.padStart(widths[1]!)}  ${c}`.trimEnd()).join('\n');
}

export const backupText = ({ path }: { readonly path: string }): string =>
  `${path} is a copy; put it in an empty data directory as vigie.sqlite to use it`;

export function repairText(done: {
  readonly path: string;
  readonly repaired: boolean;
  readonly aside: string | null;
  readonly report: SalvageReport | null;
}): string {
  if (!done.repaired || !done.report) return `${done.path} is whole: there is nothing to repair`;
  return `${describeReport(done.report)}\nThe damaged database is kept as ${done.aside}; remove it when you do not need it.`;
}

export const vacuumText = ({ before, after }: VacuumReport): string =>
  `${bytesText(before)} before, ${bytesText(after)} now`;

export function importText({ files, runs }: { readonly files: number; readonly runs: readonly FileReport[] }): string {
  const of = (outcome: FileReport['outcome']): FileReport[] => runs.filter((run) => run.outcome === outcome);
  if (files === 0) return 'there is nothing to import: no database, no *.profile and no *.trace';
  const told = runs
    .filter(({ outcome, notes }) => outcome === 'failed' || notes.length > 0)
    .map(
      ({ files: own, notes, outcome }) =>
        `  ${outcome === 'failed' ? 'failed' : 'note'}: ${own.join(', ')}: ${notes.join('; ')}`,
    );
  const samples = runs.reduce((sum, run) => sum + run.samples, 0);
  const counts = [
    `${plural(of('imported').length, 'run')} imported with ${plural(samples, 'sample')}`,
    `${of('known').length} there already`,
    `${of('failed').length} failed`,
  ];
  return [counts.join(', '), ...told].join('\n');
}
