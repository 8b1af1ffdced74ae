import { SegmentedControl, Select } from '@mantine/core';
import { useMemo } from 'react';
import { useUrlQuery } from '../../../state/query.ts';
import { CHOICES } from '../choices.ts';
import { BoxPlot } from './BoxPlot.tsx';
import { RunBars, RunScatter } from './charts.tsx';
import { Differences } from './Differences.tsx';
import { boxesOf, DURATION, measureOf, seriesName, SIZE, START } from './model.ts';
import type { BoxBy } from './model.ts';
import { RankDifference } from './RankDifference.tsx';
import { RunsTable } from './RunsTable.tsx';
import type { Comparison } from './useComparison.ts';
import { headline } from './words.ts';
import { engineNow } from '../../../state/connection.ts';

/** In words, as a chart, ranked, and per rank. */
export function Overview(comparison: Comparison) {
  const { compared, focus, label } = comparison;
  const words = useMemo(
    () => (focus === null ? [] : headline(compared, focus, label)),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the labels come with the answer
    [compared, focus],
  );
  return (
    <div className="v-sheet">
      <section className="v-compare-words" aria-label="In words" data-testid="compare-words">
        {words.map((sentence) => (
          <p key={sentence}>
            <bdi>{sentence}</bdi>
          </p>
        ))}
      </section>
      <div className="v-beside v-compare-pair">
        <ChartCard {...comparison} />
        <Differences {...comparison} />
      </div>
      <RankDifference {...comparison} />
      <RunsTable {...comparison} />
    </div>
  );
}

const CHARTS = [
  { value: 'bars', label: 'Bars' },
  { value: 'scatter', label: 'Scatter' },
  { value: 'box', label: 'Box' },
];
const BOXES: readonly { readonly value: BoxBy; readonly label: string }[] = [
  { value: 'size', label: 'by size' },
  { value: 'day', label: 'by day' },
  { value: 'tag', label: 'by tag' },
  { value: 'all', label: 'all together' },
];
/** Offered by name; the others are found in the table of all series. */
const MOST_OFFERED = 500;

function ChartCard(comparison: Comparison) {
  const { compared, measure, base, focus, label, set } = comparison;
  const [params] = useUrlQuery();
  const chart = CHARTS.find(({ value }) => value === params.get('chart'))?.value ?? 'bars';
  const boxBy = BOXES.find(({ value }) => value === params.get('box'))?.value ?? 'size';
  const across = params.get('x') ?? START;
  const options = useMemo(
    () => [
      { value: DURATION, label: 'Run time' },
      { value: SIZE, label: 'Size' },
      ...compared.series.slice(0, MOST_OFFERED).map((one) => ({ value: one.key, label: seriesName(one) })),
    ],
    [compared],
  );
  const x = useMemo(() => measureOf(compared, across, engineNow()), [compared, across]);
  const boxes = useMemo(() => boxesOf(compared.runs, measure.values, boxBy), [compared, measure, boxBy]);
  const points = { runs: compared.runs, measure, base, focus, label, onPick: (id: string) => set({ run: id }) };
  const select = {
    size: 'xs',
    allowDeselect: false,
    searchable: true,
    ...CHOICES,
  } as const;
  return (
    <section className="v-card" aria-label="Chart of the runs">
      <div className="v-toolbar v-flush">
        <Select
          {...select}
          aria-label="Metric"
          className="v-metric"
          data={options}
          value={options.some(({ value }) => value === measure.id) ? measure.id : DURATION}
          onChange={(value) => set({ m: value === DURATION ? null : value })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Kind of chart"
          data={CHARTS}
          value={chart}
          onChange={(value) => set({ chart: value === 'bars' ? null : value })}
        />
        {chart === 'scatter' ? (
          <Select
            {...select}
            aria-label="Across"
            data={[
              { value: START, label: 'over start' },
              ...options.map((one) => ({ ...one, label: `over ${one.label}` })),
            ]}
            value={x.id}
            onChange={(value) => set({ x: value === START ? null : value })}
          />
        ) : chart === 'box' ? (
          <SegmentedControl
            size="xs"
            aria-label="Boxes"
            data={[...BOXES]}
            value={boxBy}
            onChange={(value) => set({ box: value === 'size' ? null : value })}
          />
        ) : null}
      </div>
      {measure.values.every((value) => value === null) ? (
        <p className="v-muted v-none">No run has this.</p>
      ) : chart === 'bars' ? (
        <RunBars {...points} />
      ) : chart === 'scatter' ? (
        <RunScatter {...points} x={x} />
      ) : (
        <BoxPlot boxes={boxes} measure={measure} />
      )}
    </section>
  );
}
