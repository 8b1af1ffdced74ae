import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { Link } from 'wouter';
import { useEngine } from '../../../state/engine.ts';
import { noLines, TICK } from './chartParts.tsx';
import { ranked, rankChanges, seriesName } from './model.ts';
import type { RankChange } from './model.ts';
import type { Comparison } from './useComparison.ts';
import { leastSentence, rankSentence } from './words.ts';
import { runPath } from '../../jobs/columns.tsx';
import { formatValue } from '../../../format/units.ts';

const HEIGHT = 180;
/** Ranks that have bars of their own; of more, those that changed most. */
const MOST_RANKS = 128;

/** Which ranks changed: the metric that is looked at, else the one that changed most, on each rank of two runs. */
export function RankDifference({ compared, base, focus, measure, by, label }: Comparison) {
  const engine = useEngine();
  const run = focus === null ? null : (compared.runs[focus] ?? null);
  const baseline = compared.runs[base] ?? null;
  const series = measure.series ?? ranked(compared.series, by)[0] ?? null;
  const profiles = useQueries({
    queries: [baseline, run].map((one) => ({
      queryKey: [engine.base, 'profile', one?.id ?? ''],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => engine.api.profile(one?.id ?? '', signal),
      enabled: one !== null,
      staleTime: Infinity,
      gcTime: 60_000,
      structuralSharing: false,
    })),
  });
  const [before, after] = profiles.map(({ data }) => data);
  const changes = useMemo(
    () => (before && after && series ? rankChanges(before, after, series.key) : []),
    [before, after, series],
  );
  if (!run || !baseline || !series || changes.length < 2) return null;
  const value = (number: number | null): string => formatValue(number, series.unit);
  const waits = series.group === 'MPI' && series.kind === 'counter' && series.unit === 's';
  const sentences = [rankSentence(changes, value), waits ? leastSentence(changes, value) : null];
  return (
    <section className="v-card" aria-label="Ranks" data-testid="rank-difference">
      <div className="v-toolbar v-flush">
        <h2>
          Ranks: <bdi>{seriesName(series)}</bdi>
        </h2>
        <span className="v-muted">
          <bdi>{label(run)}</bdi> against <bdi>{label(baseline)}</bdi>
        </span>
        <div className="v-spacer" />
        <Link href={`${runPath(run)}?tab=${series.group === 'MPI' ? 'mpi' : 'ranks'}`} className="v-link">
          Its ranks in detail
        </Link>
      </div>
      {sentences.map((sentence) => (sentence === null ? null : <p key={sentence}>{sentence}</p>))}
      <RankBars changes={changes} value={value} names={[label(baseline), label(run)]} name={seriesName(series)} />
    </section>
  );
}

interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly { readonly payload?: unknown }[];
}

const tip =
  (names: RankBarsProps['names'], value: RankBarsProps['value']) =>
  ({ active, payload }: TipProps): ReactNode => {
    const change = payload?.[0]?.payload as RankChange | undefined;
    return !active || !change ? null : (
      <div className="v-plot-tip">
        <b>
          Rank {change.rank} <bdi>{change.node}</bdi>
        </b>
        <span>
          <bdi>{names[0]}</bdi> {value(change.before)}
        </span>
        <span>
          <bdi>{names[1]}</bdi> <b>{value(change.after)}</b>
        </span>
      </div>
    );
  };

interface RankBarsProps {
  readonly changes: readonly RankChange[];
  readonly value: (value: number | null) => string;
  readonly names: readonly [before: string, after: string];
  readonly name: string;
}

function RankBars({ changes, value, names, name }: RankBarsProps) {
  const shown = useMemo(() => {
    if (changes.length <= MOST_RANKS) return changes;
    const size = ({ before, after }: RankChange): number => Math.abs((after ?? 0) - (before ?? 0));
    return [...changes]
      .sort((a, b) => size(b) - size(a))
      .slice(0, MOST_RANKS)
      .sort((a, b) => a.rank - b.rank);
  }, [changes]);
  const text = shown
    .slice(0, 32)
    .map(({ rank, before, after }) => `rank ${rank} ${value(before)}, now ${value(after)}`);
  return (
    <>
      <figure role="img" aria-label={`${name} on each rank: ${text.join('; ')}`} style={{ height: HEIGHT }}>
        <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 900, height: HEIGHT }}>
          <BarChart
            data={[...shown]}
            margin={{ top: 6, right: 12, bottom: 0, left: 4 }}
            accessibilityLayer={false}
            barGap={0}
          >
            <CartesianGrid vertical={false} verticalCoordinatesGenerator={noLines} stroke="var(--v-line-soft)" />
            <XAxis dataKey="rank" tick={TICK} tickLine={false} minTickGap={14} axisLine={{ stroke: 'var(--v-line)' }} />
            <YAxis width={64} tick={TICK} tickLine={false} axisLine={false} tickCount={4} tickFormatter={value} />
            <Tooltip cursor={{ fill: 'var(--v-accent-soft)' }} isAnimationActive={false} content={tip(names, value)} />
            <Bar dataKey="before" className="v-rank-before" isAnimationActive={false} maxBarSize={20} />
            <Bar dataKey="after" className="v-rank-after" isAnimationActive={false} maxBarSize={20} />
          </BarChart>
        </ResponsiveContainer>
      </figure>
      <ul className="v-plot-key" aria-label="Bars">
        <li>
          <span className="v-swatch v-rank-before" aria-hidden="true" /> <bdi>{names[0]}</bdi>, the baseline
        </li>
        <li>
          <span className="v-swatch v-rank-after" aria-hidden="true" /> <bdi>{names[1]}</bdi>
        </li>
        {shown.length < changes.length ? (
          <li className="v-muted">
            the {shown.length} of {changes.length} ranks that changed most
          </li>
        ) : null}
      </ul>
    </>
  );
}
