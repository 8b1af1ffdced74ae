/** A run against the other runs of its command and size. */

import type { FootprintAxis, Verdict } from '../../../shared/api/profile-analysis.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import { elapsedOf, figuresOf, mpiOf, type RunFigures } from '../../../shared/profiles/footprint.ts';
import { median } from '../../../shared/profiles/statistics.ts';
import { againstUsual, mpiWords } from './words.ts';

/** Other runs that a run is compared with: the last so many of its command and size. */
export const MOST_COMPARED = 40;
/** Fewer than these say nothing. */
export const LEAST_COMPARED = 3;
/** Up to so much worse than usual is good, and is worth watching; beyond it is bad. */
const GOOD = 0.05;
const WATCH = 0.2;
/** A share is never measured against less than this: 2 % of the time instead of 1 % is no doubling to worry about. */
const LEAST_SHARE = 0.05;

type Figure = keyof RunFigures;

interface Axis {
  readonly id: string;
  readonly of: Figure;
  readonly name: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** Why there is no value. */
  readonly missing: string;
}

const AXES: readonly Axis[] = [
  {
    ...{ id: 'time', of: 'duration', name: 'Run time', unit: 's', better: 'less' },
    missing: 'when it began or ended is not known',
  },
  {
    ...{ id: 'mpi', of: 'mpi', name: 'In MPI', unit: 'ratio', better: 'less' },
    missing: 'time in MPI was not measured',
  },
  { ...{ id: 'io', of: 'io', name: 'In I/O', unit: 'ratio', better: 'less' }, missing: 'time in I/O was not measured' },
  {
    ...{ id: 'imbalance', of: 'imbalance', name: 'Imbalance of ranks', unit: 'ratio', better: 'less' },
    missing: 'there are no two ranks whose time outside of MPI, or CPU time, is known',
  },
  { ...{ id: 'cpu', of: 'cpu', name: 'CPU use', unit: 'ratio', better: 'more' }, missing: 'CPU time was not measured' },
  { ...{ id: 'memory', of: 'memory', name: 'Memory', unit: 'B', better: 'less' }, missing: 'memory was not measured' },
];

/** How much worse than usual, as a part of it; below 0: better. */
export function worse(value: number, usual: number, { unit, better }: Pick<Axis, 'unit' | 'better'>): number {
  const base = unit === 'ratio' ? Math.max(LEAST_SHARE, usual) : usual;
  if (!(base > 0)) return value > usual ? Infinity : 0;
  return (better === 'less' ? value - usual : usual - value) / base;
}

export function verdictOf(change: number): Verdict {
  if (change <= GOOD) return 'good';
  return change <= WATCH ? 'watch' : 'bad';
}

/** `others`: figures of the other runs, in any order. */
export function footprintAxes(profile: Profile, others: readonly RunFigures[]): FootprintAxis[] {
  const summary = mpiOf(profile);
  const own = figuresOf(profile, summary);
  return AXES.map((axis) => {
    const { id, of, name, unit, better } = axis;
    const known = others.flatMap((each) => each[of] ?? []);
    const value = own[of];
    const usual = median(known);
    const best =
      known.length === 0 ? null : known.reduce((a, b) => (better === 'less' ? Math.min(a, b) : Math.max(a, b)));
    const detail = id === 'mpi' && summary && value !== null ? mpiWords(summary, elapsedOf(profile)) : '';
    const base = { id, name, unit, better, value, usual, best };
    if (value === null) return { ...base, verdict: 'unknown', words: axis.missing };
    if (usual === null || known.length < LEAST_COMPARED) {
      return { ...base, verdict: 'unknown', words: detail === '' ? tooFew(known.length) : detail };
    }
    const compared = againstUsual(value, usual, unit === 'ratio');
    const verdict = verdictOf(worse(value, usual, axis));
    return { ...base, verdict, words: detail === '' ? compared : `${compared}: ${detail}` };
  });
}

const tooFew = (known: number): string =>
  known === 0 ? 'no other run of the command to compare with' : `too few other runs to compare with (${known})`;
