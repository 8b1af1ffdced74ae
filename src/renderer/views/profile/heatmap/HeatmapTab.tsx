import { Button, SegmentedControl, Select } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Profile } from '../../../../shared/api/profiles.ts';
import type { SeriesValue } from '../../../../shared/api/series.ts';
import { seriesLabel } from '../../../charts/panels.ts';
import { fitSpan, parseRange, rangeParams } from '../../../charts/range.ts';
import type { Span } from '../../../charts/range.ts';
import { download, fileStamp } from '../../../components/download.ts';
import { Icon } from '../../../components/Icon.tsx';
import { PartSkeleton } from '../../../components/latePart.tsx';
import { Failure } from '../../../components/Message.tsx';
import { safeFileName, toCsv } from '../../../format/csv.ts';
import { useEngine } from '../../../state/engine.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { sentence } from '../analysis/words.ts';
import { orderRows, readCells, ROW_ORDERS, sumRow } from './cells.ts';
import type { RowOrder } from './cells.ts';
import { Legend } from './Legend.tsx';
import { MapTable } from './MapTable.tsx';
import { Plot } from './Plot.tsx';
import { limitsOf } from './scale.ts';
import { mapCells, seriesByTime, summaryText } from './words.ts';
import '../profile.css';

/** About as many as the picture has pixels; a column is never narrower than a second. */
const MOST_COLUMNS = 600;
const LEAST_COLUMN_MS = 1000;

const ORDER_NAMES: Readonly<Record<RowOrder, string>> = { rank: 'Rank', node: 'Node', total: 'Largest first' };

/** One series of each rank over time. */
export function HeatmapTab({ profile }: { readonly profile: Profile }) {
  const [params, setParams] = useUrlQuery();
  const series = useMemo(() => seriesByTime(profile.series), [profile.series]);
  const key = params.get('series');
  const chosen = series.find((one) => one.key === key) ?? series[0];
  const asTable = params.get('heat') === 'table';
  const order = ROW_ORDERS.find((one) => one === params.get('rows')) ?? 'rank';
  if (!chosen) return <p className="v-muted v-profile">The run has no series.</p>;
  return (
    <div className="v-sheet" data-testid="heatmap">
      <div className="v-toolbar v-profile-bar">
        <Select
          size="xs"
          label="Series"
          searchable
          className="v-profile-series"
          limit={200}
          allowDeselect={false}
          nothingFoundMessage="No such series"
          value={chosen.key}
          data={series.map((one) => ({ value: one.key, label: nameOf(one) }))}
          onChange={(next) => setParams({ series: next })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Order of the ranks"
          value={order}
          data={ROW_ORDERS.map((one) => ({ value: one, label: ORDER_NAMES[one] }))}
          onChange={(next) => setParams({ rows: next === 'rank' ? null : next })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Colours begin"
          value={params.get('colours') === 'least' ? 'least' : 'zero'}
          data={[
            { value: 'zero', label: 'From 0' },
            { value: 'least', label: 'From the least' },
          ]}
          onChange={(next) => setParams({ colours: next === 'zero' ? null : next })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Show as"
          value={asTable ? 'table' : 'map'}
          data={[
            { value: 'map', label: 'Map' },
            { value: 'table', label: 'Table' },
          ]}
          onChange={(next) => setParams({ heat: next === 'map' ? null : next })}
        />
      </div>
      <RankMap profile={profile} series={chosen} order={order} asTable={asTable} />
    </div>
  );
}

const nameOf = (series: SeriesValue): string => `${series.group} · ${seriesLabel(series)}`;

interface RankMapProps {
  readonly profile: Profile;
  readonly series: SeriesValue;
  readonly order: RowOrder;
  readonly asTable: boolean;
}

function useMap({ run }: Profile, series: SeriesValue) {
  const engine = useEngine();
  const [params] = useUrlQuery();
  const asked = parseRange(params);
  const bounds: Span = { from: run.start_time, to: Math.max(run.end_time, run.start_time + 1000) };
  const { from, to } = asked.kind === 'fixed' ? fitSpan(asked, bounds) : bounds;
  const columns = Math.max(1, Math.min(MOST_COLUMNS, Math.ceil((to - from) / LEAST_COLUMN_MS)));
  const query = useQuery({
    queryKey: [engine.base, 'heatmap', run.id, series.key, from, to],
    queryFn: async ({ signal }) => {
      const map = await engine.api.profiles.heatmap(run.id, { series: series.key, from, to, columns }, signal);
      const cells = readCells(map);
      return { cells, reason: map.reason };
    },
    enabled: run.start_time > 0,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    structuralSharing: false,
  });
  return { ...query, bounds };
}

function RankMap({ profile, series, order, asTable }: RankMapProps) {
  const { run } = profile;
  const [params, setParams] = useUrlQuery();
  const fromLeast = params.get('colours') === 'least';
  const { data, error, refetch, bounds, isPlaceholderData } = useMap(profile, series);
  const cells = data?.cells;
  const sums = useMemo(() => (cells ? cells.ranks.map((_, row) => sumRow(cells, row)) : []), [cells]);
  const rows = useMemo(() => (cells ? orderRows(cells, order, sums) : []), [cells, order, sums]);
  const limits = useMemo(() => (cells ? limitsOf(cells.values, fromLeast) : null), [cells, fromLeast]);
  const nothing = { zoomed: params.has('from'), all: () => setParams(ALL, true) };
  if (run.start_time <= 0) return <Nothing reason="when the run began is not known" {...nothing} />;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data || !cells) return <PartSkeleton name="the heatmap" />;
  if (!limits) return <Nothing reason={data.reason} {...nothing} />;
  const marked = cells.ranks.indexOf(Number(params.get('rank') ?? NaN));
  const save = (): void => {
    const name = `vigie-${safeFileName(run.jobid)}-ranks-over-time-${fileStamp(Date.now())}.csv`;
    download(toCsv(mapCells(cells, rows, series)), 'text/csv', name).catch((problem: unknown) => {
      notifications.show({
        color: 'red',
        title: 'Not saved',
        message: problem instanceof Error ? problem.message : '',
      });
    });
  };
  const summary = summaryText(cells, sums, nameOf(series), series);
  const shared = { cells, rows, series, marked, start: run.start_time };
  return (
    <section className="v-card" aria-label="Ranks over time" aria-busy={isPlaceholderData}>
      <div className="v-card-head">
        <p className="v-profile-summary" data-testid="heatmap-summary">
          {summary}
        </p>
        <Button
          size="compact-xs"
          variant="subtle"
          aria-label="CSV of the map"
          leftSection={<Icon name="download" size={12} />}
          onClick={save}
        >
          CSV
        </Button>
      </div>
      {asTable ? (
        <MapTable {...shared} sums={sums} />
      ) : (
        <>
          <Legend limits={limits} series={series} />
          <Plot
            {...shared}
            limits={limits}
            order={order}
            summary={summary}
            onZoom={(span) => setParams(rangeParams({ kind: 'fixed', ...fitSpan(span, bounds) }), true)}
          />
        </>
      )}
    </section>
  );
}

const ALL = { from: null, to: null, last: null };

interface NothingProps {
  readonly reason: string | null;
  readonly zoomed: boolean;
  readonly all: () => void;
}

function Nothing({ reason, zoomed, all }: NothingProps) {
  return (
    <div className="v-card" data-testid="heatmap-nothing">
      <h3>There is no map of the ranks</h3>
      <p>{sentence(reason ?? 'no rank has a value of this series in this range')}</p>
      <p className="v-muted">The values at the end of the run are in the tab Ranks.</p>
      {zoomed ? (
        <div>
          <Button size="compact-xs" variant="default" onClick={all}>
            Show all of the run
          </Button>
        </div>
      ) : null}
    </div>
  );
}
