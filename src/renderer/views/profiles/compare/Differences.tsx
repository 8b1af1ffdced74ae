import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import { formatCount } from '../../../format/units.ts';
import { ranked } from './model.ts';
import type { RankedBy } from './model.ts';
import type { Comparison } from './useComparison.ts';
import { differenceOf } from './words.ts';

const MOST = 40;

const ORDERS = [
  { value: 'share', label: 'By share of run time' },
  { value: 'relative', label: 'Relative' },
];

/** What changed most against the baseline, in words. Each shows its chart. */
export function Differences({ compared, by, measure, label, set }: Comparison) {
  const { shown, rest } = useMemo(() => {
    const order = ranked(compared.series, by);
    const all = order.slice(0, MOST).flatMap((series) => {
      const difference = differenceOf(compared, series);
      return difference ? [{ series, difference }] : [];
    });
    return { shown: all, rest: order.length - MOST };
  }, [compared, by]);
  const most = Math.max(...shown.map(({ difference }) => sizeOf(difference, by)), 0);
  return (
    <section className="v-card" aria-label="What changed most">
      <div className="v-toolbar v-flush">
        <h2>What changed most</h2>
        <div className="v-spacer" />
        <SegmentedControl
          size="xs"
          aria-label="Ranked"
          data={ORDERS}
          value={by}
          onChange={(value) => set({ by: value === 'share' ? null : value })}
        />
      </div>
      {shown.length === 0 ? (
        <p className="v-muted v-none">
          {by === 'share'
            ? compared.series.every(({ share_of_time: share }) => share === null)
              ? 'No metric of these runs is a time. Relative shows what else changed.'
              : 'Of what takes time, nothing changed its share of the run time by a thousandth or more.'
            : 'Nothing differs from the baseline.'}
        </p>
      ) : (
        <ol className="v-differences" data-testid="differences">
          {shown.map(({ series, difference }) => (
            <li key={series.key}>
              <button
                type="button"
                aria-pressed={measure.id === series.key}
                onClick={() => set({ m: measure.id === series.key ? null : series.key, run: null })}
              >
                <span className="v-difference-name">
                  <bdi>{difference.name}</bdi>
                </span>
                <span className="v-difference-text">
                  {difference.text}
                  {difference.share === null ? null : <>; {difference.share}</>}
                  {compared.runs.length > 2 ? (
                    <span className="v-muted">
                      {' '}
                      (<bdi>{label(difference.run)}</bdi>)
                    </span>
                  ) : null}
                </span>
                <span className="v-difference-bar" aria-hidden="true">
                  <span style={{ width: `${most > 0 ? Math.max(1, (100 * sizeOf(difference, by)) / most) : 0}%` }} />
                </span>
              </button>
            </li>
          ))}
          {rest > 0 ? <li className="v-muted">and {formatCount(rest)} smaller ones, among All series</li> : null}
        </ol>
      )}
    </section>
  );
}

/** Of the bar; relative ones grow slower, since one of a thousand times would leave nothing of the others. */
const sizeOf = (
  { change, shareChange }: { readonly change: number; readonly shareChange: number | null },
  by: RankedBy,
): number => (by === 'share' ? Math.abs(shareChange ?? 0) : Math.log1p(Math.abs(change)));
