/** What an analysis says, in words and places: pure functions. */

import type { FootprintAxis, Imbalance, Phase, Verdict } from '../../../../shared/api/profile-analysis.ts';
import { Series } from '../../../../shared/model/described-series.ts';
import type { CsvCell } from '../../../format/csv.ts';
import { formatValue, NO_VALUE, threeDigits } from '../../../format/units.ts';

/** A value with its unit; ratios are shares, in percent. Units that the page does not know stand as they are. */
export function amountText(value: number | null, unit: string, perSecond = false): string {
  if (unit === 'ratio' && !perSecond) return formatValue(value === null ? null : 100 * value, '%');
  const known = Series.shape.unit.safeParse(unit);
  if (known.success) return formatValue(value, known.data, perSecond);
  if (value === null || !Number.isFinite(value)) return NO_VALUE;
  return `${threeDigits(value)}${unit === '' ? '' : ` ${unit.slice(0, 20)}`}${perSecond ? '/s' : ''}`;
}

export interface Light {
  /** Stands beside the word; neither it nor its colour says anything alone. */
  readonly sign: string;
  readonly word: string;
}

export const LIGHTS: Readonly<Record<Verdict, Light>> = {
  good: { sign: '✓', word: 'good' },
  watch: { sign: '▲', word: 'watch' },
  bad: { sign: '✕', word: 'bad' },
  unknown: { sign: '–', word: 'not compared' },
};

/** Values of an axis as parts of the usual one, turned so that more is worse; null: there is nothing to hold it against. */
export interface Relative {
  readonly value: number;
  /** Null: not known. */
  readonly best: number | null;
}

export function relativeOf({ value, usual, best, better }: FootprintAxis): Relative | null {
  if (value === null || usual === null || !(value >= 0) || !(usual > 0)) return null;
  const part = (one: number): number => (better === 'less' ? one / usual : one > 0 ? usual / one : Infinity);
  return { value: part(value), best: best === null || !(best >= 0) ? null : part(best) };
}

/** What the engine says, as a sentence of its own. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return whole === '' || /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** `1.42 ×`: the largest value to the mean. */
export const unevenText = ({ imbalance }: Pick<Imbalance, 'imbalance'>): string => `${(1 + imbalance).toFixed(2)} ×`;

/** Below this the ranks differ by nothing that matters. */
const EVEN = 0.005;

/** Those that are not as good as even. */
export const unevenOnes = (rows: readonly Imbalance[]): Imbalance[] =>
  rows.filter(({ imbalance, min, max }) => imbalance >= EVEN && min !== max);

/** How much of the strip a phase takes, in percent from the left. Nothing of it is outside. */
export interface Stretch {
  readonly left: number;
  readonly width: number;
}

export function stretchOf({ from, to }: Pick<Phase, 'from' | 'to'>, run: { from: number; to: number }): Stretch {
  const span = run.to - run.from;
  if (!(span > 0)) return { left: 0, width: 100 };
  const at = (time: number): number => Math.max(0, Math.min(100, (100 * (time - run.from)) / span));
  const left = at(from);
  return { left, width: Math.max(0, at(to) - left) };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Phases of the same words are of one kind: its number, from 0 on in the order of their first. */
export function kindsOf(phases: readonly Phase[]): number[] {
  const known = new Map<string, number>();
  return phases.map(({ words }) => {
    const kind = known.get(words) ?? known.size;
    known.set(words, kind);
    return kind;
  });
}

/** `A`, `B`, …, `Z`, `A2`, … */
export function kindName(kind: number): string {
  const round = Math.floor(kind / LETTERS.length);
  return `${LETTERS[kind % LETTERS.length]}${round === 0 ? '' : round + 1}`;
}

export function imbalanceCells(rows: readonly Imbalance[]): CsvCell[][] {
  const titles = ['series', 'unit', 'ranks', 'max_over_mean', 'min', 'min_rank', 'mean', 'max', 'max_rank', 'lost_s'];
  return [
    ['name', ...titles],
    ...rows.map((row) => [
      ...[row.name, row.key, row.unit, row.ranks, 1 + row.imbalance, row.min, row.min_rank],
      ...[row.mean, row.max, row.max_rank, row.lost],
    ]),
  ];
}
