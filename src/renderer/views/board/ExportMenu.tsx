import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useState } from 'react';
import type { Board } from '../../charts/board.ts';
import type { Span } from '../../charts/range.ts';
import { emptyPlot, readPlot } from '../../charts/samples.ts';
import type { Samples } from '../../charts/samples.ts';
import { matchesSearch } from '../../charts/table.ts';
import { download, fileStamp } from '../../components/download.ts';
import { Icon } from '../../components/Icon.tsx';
import { History } from '../../data/history.ts';
import type { Engine } from '../../data/engine.ts';
import { safeFileName } from '../../format/csv.ts';
import { exportCsv, exportJson } from '../../format/exports.ts';
import type { ExportBlock, ExportData } from '../../format/exports.ts';
import { useEngine } from '../../state/engine.ts';
import type { BoardQuery } from './boardQuery.ts';
import type { BoardScopeState } from './useBoard.ts';
import { chunks } from './useHistory.ts';

interface ExportMenuProps {
  readonly board: Board;
  readonly scopes: readonly BoardScopeState[];
  readonly query: BoardQuery;
  readonly span: Span | null;
  readonly maxPoints: number;
  readonly title: string;
}

/** Downloads what is seen: the shown range of the series that match the search. */
export function ExportMenu(props: ExportMenuProps) {
  const engine = useEngine();
  const [busy, setBusy] = useState(false);

  const save = async (format: 'csv' | 'json'): Promise<void> => {
    setBusy(true);
    try {
      const data = await gather(props, engine);
      const text = format === 'csv' ? exportCsv(data) : exportJson(data);
      const name = `vigie-${safeFileName(data.title)}-${fileStamp(data.to)}.${format}`;
      await download(text, format === 'csv' ? 'text/csv' : 'application/json', name);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      notifications.show({ color: 'red', title: 'The export did not work', message });
    } finally {
      setBusy(false);
    }
  };

  useEffect(() => {
    if (!busy) return;
    // Asks before the page is left: what is being gathered would be lost.
    const ask = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
      // Chromium up to 118 asks for this value only.
      event.returnValue = true;
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [busy]);

  return (
    <Menu position="bottom-end" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button size="xs" variant="default" loading={busy} leftSection={<Icon name="download" size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void save('csv')}>CSV, a column per series</Menu.Item>
        <Menu.Item onClick={() => void save('json')}>JSON</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

async function gather(props: ExportMenuProps, engine: Engine): Promise<ExportData> {
  const { board, scopes, query, span, maxPoints, title } = props;
  const { from, to } = board.shown();
  const blocks: ExportBlock[] = [];
  for (const { scope, label, series } of scopes) {
    const wanted = series.filter((one) => matchesSearch(one, label, query.search));
    if (wanted.length === 0) continue;
    let samples: Samples = board.samplesOf(scope);
    if (span) {
      const history = new History();
      for (const chunk of chunks(wanted.map((one) => ({ scope, keys: [one.key] })))) {
        const asked = { scope, series: chunk.keys, ...span, maxPoints };
        history.add(await engine.ranges.load(asked));
      }
      samples = { ...samples, history };
    }
    const plot = emptyPlot();
    readPlot(samples, wanted, from, to, query.totals, plot);
    // A chart's line may enter from before the range; an export has only what lies in it.
    const skip = plot.xs.findIndex((time) => time >= from);
    const end = plot.xs.findLastIndex((time) => time <= to) + 1;
    if (skip < 0 || end <= skip) continue;
    blocks.push({
      scope,
      label,
      series: wanted,
      times: plot.xs.slice(skip, end),
      values: plot.ys.map((y) => y.slice(skip, end)),
    });
  }
  return { title, from, to, totals: query.totals, blocks };
}
