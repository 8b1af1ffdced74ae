import { Skeleton, Tabs } from '@mantine/core';
import { useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Series } from '../../../shared/model/described-series.ts';
import { useKeys } from '../../components/useKeys.ts';
import { scopeKind } from '../../../shared/model/scope.ts';
import { useBoardQuery } from './boardQuery.ts';
import { ExportMenu } from './ExportMenu.tsx';
import { PanelGroups } from './PanelGroups.tsx';
import { RangeBar } from './RangeBar.tsx';
import { SeriesTable } from './SeriesTable.tsx';
import { useAlarmMarks } from './useAlarmMarks.ts';
import { useBoard, useShown } from './useBoard.ts';
import type { BoardScope } from './useBoard.ts';
import { useFine, useHistory, useSpan } from './useHistory.ts';
import { useLayout } from './useLayout.ts';
import { useShownText } from './useShownText.ts';
import { useZoom } from './useZoom.ts';
import type { Section } from './useLayout.ts';

const MAIN_CHARTS = 16;
const SIDE_CHARTS = 8;
/** Points asked for per line: about as many as a chart has pixels. */
const LINE_POINTS = 600;

interface BoardViewProps {
  readonly title: string;
  readonly header: ReactNode;
  readonly scopes: readonly BoardScope[];
  /** Start of the run; 0 where there is none. */
  readonly start: number;
  /** Span of a finished run, null while samples come. */
  readonly bounds: { readonly from: number; readonly to: number } | null;
  /** Tabs of the view's own, such as ranks. */
  readonly extras?: readonly ExtraTab[];
  /** Stands for the charts while there is no scope. */
  readonly empty?: ReactNode;
}

export interface ExtraTab {
  readonly id: string;
  readonly label: string;
  readonly body: ReactNode;
  /** Whether it has something to show, by the series of the first scope; absent: always. */
  readonly shows?: (series: readonly Series[]) => boolean;
  /** It is of the whole run: the range has nothing to say there. */
  readonly whole?: boolean;
}

const NO_EXTRAS: readonly ExtraTab[] = [];

/** Charts and series of some scopes over one range: the job's and the node's view. */
export function BoardView({ title, header, scopes, start, bounds, extras = NO_EXTRAS, empty }: BoardViewProps) {
  const live = bounds === null;
  const { board, states } = useBoard(scopes, start);
  const query = useBoardQuery(bounds)(board);
  useShown(board, query.range, query.totals);
  const span = useSpan(board, query.range, start);
  const counts = useMemo(() => states.map((s) => ({ scope: s.scope, count: s.series.length })), [states]);
  const history = useHistory(board, counts, span);
  useAlarmMarks(board, scopes, span);
  const sections = useLayout(board, states, query.showIdle, history.version);
  const keys = useMemo(() => lineKeys(sections), [sections]);
  const fine = useFine(board, keys, span, history.version, LINE_POINTS);
  const { banded } = fine;
  const zoom = useZoom(board, query);
  const shown = useShownText(board, keys, span, history.version + fine.version);
  const search = useRef<HTMLInputElement>(null);

  useKeys({
    ' ': query.togglePause,
    t: () => query.setTotals(!query.totals),
    '+': () => zoom.by(0.5),
    '-': () => zoom.by(2),
    h: () => zoom.pan(-0.25),
    l: () => zoom.pan(0.25),
    ArrowLeft: () => zoom.pan(-0.25),
    ArrowRight: () => zoom.pan(0.25),
    Escape: zoom.back,
    '0': zoom.reset,
    '/': () => {
      query.setTab('series');
      setTimeout(() => search.current?.focus(), 50);
    },
  });

  const missing = history.error?.message ?? states.find((state) => state.missing !== null)?.missing;
  const moving = query.range.kind === 'live';
  const [main, ...side] = sections;
  const idle = sections.reduce((sum, section) => sum + section.idle, 0);
  const own = states[0]?.series;
  const tabs = useMemo(() => extras.filter((one) => one.shows?.(own ?? []) ?? true), [extras, own]);
  const open = tabs.find((one) => one.id === query.tab);
  const tab = query.tab === 'series' || open ? query.tab : 'charts';
  return (
    <div className="v-fill">
      {header}
      {open?.whole ? null : (
        <RangeBar
          board={board}
          query={query}
          zoom={zoom}
          live={live}
          kind={scopeKind(scopes[0]?.scope ?? '') === 'node' ? 'node' : 'run'}
          scope={scopes.length === 1 ? scopes[0]!.scope : null}
          loading={history.loading || fine.loading}
          idle={idle}
          {...shown}
        >
          <ExportMenu board={board} scopes={states} query={query} span={span} maxPoints={LINE_POINTS} title={title} />
        </RangeBar>
      )}
      {missing ? (
        <p role="alert" className="v-notice">
          The history did not come: {missing}
        </p>
      ) : null}
      <Tabs value={tab} onChange={query.setTab} keepMounted={false} className="v-tabs">
        <Tabs.List>
          <Tabs.Tab value="charts">Charts</Tabs.Tab>
          <Tabs.Tab value="series">Series</Tabs.Tab>
          {tabs.map((one) => (
            <Tabs.Tab key={one.id} value={one.id}>
              {one.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {/* It scrolls, and charts alone give the keyboard nothing to hold on to. */}
        <Tabs.Panel value="charts" className="v-tab" tabIndex={0}>
          <div className={side.length > 0 ? 'v-board v-two' : 'v-board'}>
            {main ? (
              <div className="v-column">
                <h2 className="v-hidden">Charts of {title}</h2>
                <Charts
                  section={main}
                  board={board}
                  totals={query.totals}
                  banded={banded}
                  limit={MAIN_CHARTS}
                  moving={moving}
                />
              </div>
            ) : (
              empty
            )}
            {side.length > 0 ? (
              <div className="v-column v-side">
                {side.map((section) => (
                  <section
                    key={section.scope.scope}
                    aria-label={`${section.scope.kind ?? 'Node'} ${section.scope.label}`}
                  >
                    <h2>
                      {section.scope.kind ?? 'Node'} <bdi>{section.scope.label}</bdi>
                    </h2>
                    <Charts
                      section={section}
                      board={board}
                      totals={query.totals}
                      banded={banded}
                      limit={SIDE_CHARTS}
                      moving={moving}
                    />
                  </section>
                ))}
              </div>
            ) : null}
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="series" className="v-tab">
          <SeriesTable board={board} scopes={states} query={query} version={history.version} search={search} />
        </Tabs.Panel>
        {tabs.map((one) => (
          <Tabs.Panel key={one.id} value={one.id} className="v-tab">
            {one.body}
          </Tabs.Panel>
        ))}
      </Tabs>
    </div>
  );
}

interface ChartsProps {
  readonly section: Section;
  readonly board: ReturnType<typeof useBoard>['board'];
  readonly totals: boolean;
  readonly banded: boolean;
  readonly limit: number;
  readonly moving: boolean;
}

/** The charts of one scope, or why there are none. */
function Charts({ section, moving, ...rest }: ChartsProps) {
  const { scope, groups, idle } = section;
  if (scope.error !== null) {
    const why = scope.error === 'scope_not_found' ? 'The engine has no numbers of it.' : scope.error;
    return <p className="v-muted v-none">{why}</p>;
  }
  if (!scope.ready) {
    return (
      <div className="v-panels v-loading" role="status" aria-label="Loading charts">
        {Array.from({ length: 4 }, (_, i) => (
          <Skeleton key={i} height={190} />
        ))}
      </div>
    );
  }
  if (groups.length === 0) {
    const what = moving ? 'Nothing has moved yet.' : 'Nothing moved in this range.';
    return <p className="v-muted v-none">{idle > 0 ? `${what} ${idle} series are idle.` : 'No series yet.'}</p>;
  }
  return <PanelGroups section={section} {...rest} />;
}

const lineKeys = (sections: readonly Section[]) =>
  sections.flatMap((section) =>
    section.groups.flatMap((group) =>
      group.panels.map(({ panel, lines }) => ({ scope: panel.scope, keys: lines.map((series) => series.key) })),
    ),
  );
