import { expect, test } from 'vitest';
import { groupPanels } from '../../../../src/renderer/charts/panels.ts';
import { plotIndex } from '../../../../src/renderer/views/board/usePlotFocus.ts';
import type { ShownGroup } from '../../../../src/renderer/views/board/useLayout.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

test('the chart of a series is found however its labels are written', () => {
  const series = ['mpi___hits___mpi_send', 'disk_read_bytes_total{a="1",b="2"}', 'disk_read_bytes_total{a="2"}'];
  const groups = groupPanels(
    'run/x',
    series.map((name, index) => describeSeries({ kind: 'counter', index, name, doc: '' })),
  ).map((group): ShownGroup => ({
    name: group.name,
    panels: group.panels.map((panel) => ({ panel, lines: [], left: 0 })),
  }));
  const panels = groups.flatMap((group) => group.panels);
  for (const name of series) {
    const index = plotIndex(groups, name);
    expect(panels[index]?.panel.series.map(({ name: one }) => one)).toContain(name);
  }
  expect(plotIndex(groups, 'disk_read_bytes_total{b="2",a="1"}')).toBe(plotIndex(groups, series[1]!));
  expect(plotIndex(groups, 'nothing')).toBe(-1);
});
