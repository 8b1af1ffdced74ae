import { MultiSelect, SegmentedControl, Skeleton } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ComparedSeries } from '../../../../shared/api/profile-compare.ts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { unitName } from '../../../format/units.ts';
import { useEngine } from '../../../state/engine.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { CHOICES } from '../choices.ts';
import { align, courseOf, topOf } from './aligned.ts';
import type { Course } from './aligned.ts';
import { AlignedPlot } from './AlignedPlot.tsx';
import { packIds, unpackIds } from './link.ts';
import { ranked, seriesName } from './model.ts';
import type { Comparison } from './useComparison.ts';

/** Lines that can be told apart, and metrics that fit on the screen. */
const MOST_RUNS = 6;
const MOST_METRICS = 4;
const POINTS = 600;
const TOGETHER = 190;
const APART = 120;

const LAYOUTS = [
  { value: 'together', label: 'Together' },
  { value: 'apart', label: 'One below the other' },
];

/** Courses over the time since each run's start, with one cursor for all. */
export function Timelines({ compared, base, focus, measure, by, label, set }: Comparison) {
  const [params] = useUrlQuery();
  const { runs, series } = compared;
  const layout = params.get('layout') === 'apart' ? 'apart' : 'together';
  const askedRuns = params.get('lines');
  const chosen = useMemo(() => {
    const ids = askedRuns === null ? [] : unpackIds(askedRuns);
    const found = ids.flatMap((id) => runs.filter((run) => run.id === id));
    if (found.length > 0) return found.slice(0, MOST_RUNS);
    // The baseline and the run that is looked at; the others as long as there is room for all.
    const first = [runs[base], focus === null ? undefined : runs[focus]].filter((run) => run !== undefined);
    return runs.length <= MOST_RUNS ? [...new Set([...first, ...runs])] : first;
  }, [askedRuns, runs, base, focus]);
  const askedSeries = params.get('line') ?? '';
  const metrics = useMemo(() => {
    const asked = askedSeries.split('\n');
    const found = asked.flatMap((key) => series.filter((one) => one.key === key)).slice(0, MOST_METRICS);
    if (found.length > 0) return found;
    const first = measure.series ?? ranked(series, by)[0] ?? series[0];
    return first ? [first] : [];
  }, [askedSeries, series, measure, by]);
  const right = Math.max(...chosen.map((run) => run.duration ?? 0), 1000);
  return (
    <div className="v-sheet">
      <div className="v-toolbar v-flush v-timeline-bar">
        <MultiSelect
          size="xs"
          label="Metrics"
          className="v-metrics-choice"
          searchable
          hidePickedOptions
          limit={200}
          maxValues={MOST_METRICS}
          {...CHOICES}
          data={series.map((one) => ({ value: one.key, label: seriesName(one) }))}
          value={metrics.map(({ key }) => key)}
          onChange={(keys) => set(lineParams(keys))}
        />
        <MultiSelect
          size="xs"
          label={`Runs (at most ${MOST_RUNS})`}
          className="v-runs-choice"
          searchable
          hidePickedOptions
          limit={200}
          maxValues={MOST_RUNS}
          {...CHOICES}
          data={runs.map((run) => ({ value: run.id, label: label(run) }))}
          value={chosen.map(({ id }) => id)}
          onChange={(ids) => set({ lines: ids.length === 0 ? null : packIds(ids) })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Layout"
          data={LAYOUTS}
          value={layout}
          onChange={(value) => set({ layout: value === 'apart' ? 'apart' : null })}
        />
      </div>
      {metrics.length === 0 ? <p className="v-muted v-none">The runs have no series.</p> : null}
      {metrics.map((one) => (
        <MetricTimeline
          key={one.key}
          series={one}
          runs={chosen}
          apart={layout === 'apart'}
          right={right}
          label={(run) => `${label(run)}${run.id === compared.baseline ? ' (baseline)' : ''}`}
        />
      ))}
    </div>
  );
}

/** A list in one parameter: keys of series have any letters but line ends. */
const lineParams = (keys: readonly string[]): Record<string, string | null> => ({
  line: keys.length === 0 ? null : keys.join('\n'),
});

interface MetricTimelineProps {
  readonly series: ComparedSeries;
  readonly runs: readonly ProfileSummary[];
  readonly apart: boolean;
  /** ms; of the longest run. */
  readonly right: number;
  readonly label: (run: ProfileSummary) => string;
}

function MetricTimeline({ series, runs, apart, right, label }: MetricTimelineProps) {
  const engine = useEngine();
  const answers = useQueries({
    queries: runs.map((run) => ({
      queryKey: [engine.base, 'course', run.id, series.key],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        engine.ranges.load(
          {
            scope: run.scope,
            series: [series.key],
            from: run.start_time,
            to: Math.max(run.end_time, run.start_time + 1000),
            maxPoints: POINTS,
          },
          signal,
        ),
      enabled: run.start_time > 0,
      staleTime: Infinity,
      gcTime: 60_000,
      structuralSharing: false,
      retry: false,
    })),
    combine: combineAnswers,
  });
  const perSecond = series.kind === 'counter';
  const { results, loading, failed } = answers;
  const courses = useMemo(
    () =>
      runs.map((run, i): Course => {
        const result = results[i];
        return result ? courseOf(run.id, run.start_time, result) : { run: run.id, xs: [], ys: [] };
      }),
    [runs, results],
  );
  const plots = useMemo(
    () =>
      apart
        ? courses.map((course, i) => ({ lines: [i], data: align([course]) }))
        : [{ lines: courses.map((_, i) => i), data: align(courses) }],
    [apart, courses],
  );
  const top = useMemo(() => topOf(courses.map(({ ys }) => ys)), [courses]);
  const unit = unitName(series.unit, series.quantity, perSecond);
  const name = seriesName(series);
  const bare = runs.filter((_, i) => (courses[i]?.xs.length ?? 0) === 0);
  return (
    <section className="v-card" aria-label={`Timeline of ${name}`}>
      <h2>
        <bdi>{name}</bdi> {unit === '' ? null : <span className="v-unit">{unit}</span>}
      </h2>
      {loading ? (
        <div role="status" aria-label="Loading the timeline">
          <Skeleton height={TOGETHER} />
        </div>
      ) : (
        plots.map(({ lines, data }) => (
          <AlignedPlot
            key={lines.join(' ')}
            name={apart && runs[lines[0]!] ? `${name}, ${label(runs[lines[0]!]!)}` : name}
            lines={lines.flatMap((i) => (runs[i] ? [{ id: runs[i].id, label: label(runs[i]), look: i }] : []))}
            data={data}
            unit={series.unit}
            perSecond={perSecond}
            height={apart ? APART : TOGETHER}
            right={right}
            top={top}
            cursor="compare"
          />
        ))
      )}
      {failed === null ? null : <p className="v-bad-text">{failed.message}</p>}
      {!loading && bare.length > 0 ? (
        <p className="v-muted">
          No samples are kept of <bdi>{bare.map(label).join(', ')}</bdi>.
        </p>
      ) : null}
    </section>
  );
}

interface Answer<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly isFetching: boolean;
}

/** The same function at each rendering, so that its result stays the same. */
function combineAnswers<T>(answers: readonly Answer<T>[]): {
  results: (T | undefined)[];
  loading: boolean;
  failed: Error | null;
} {
  return {
    results: answers.map(({ data }) => data),
    loading: answers.some(({ isPending, isFetching }) => isPending && isFetching),
    // A run without samples of its own is told below the plot.
    failed: answers.find(({ error }) => error !== null && !/no scope|not found/i.test(error.message))?.error ?? null,
  };
}
