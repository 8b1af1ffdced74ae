import { describe, expect, test } from 'vitest';
import { describeFamily } from '../../../../src/shared/model/naming.ts';
import type { Series } from '../../../../src/shared/model/described-series.ts';
import { lineLabel } from '../../../../src/renderer/charts/panels.ts';
import { pageChecks, worstFirst } from '../../../../src/renderer/views/diagnostics/pageChecks.ts';
import { diagnosticPanels, ownSeries } from '../../../../src/renderer/views/diagnostics/plots.ts';

let places = 0;
const series = (kind: Series['kind'], family: string, labels: Record<string, string> = {}): Series => {
  const key = Object.entries(labels).reduce((text, [name, value]) => `${text}{${name}="${value}"}`, family);
  return { kind, index: places++, name: key, key, family, labels, doc: '', ...describeFamily(family) };
};

describe('plots of the engine’s figures', () => {
  const all = [
    series('gauge', 'proxy_load1'),
    series('gauge', 'vigie_event_loop_delay_max_seconds'),
    series('gauge', 'vigie_event_loop_delay_seconds'),
    series('counter', 'vigie_ingest_rejected_total', { reason: 'malformed_json' }),
    series('counter', 'vigie_ingest_rejected_total', { reason: 'name_reserved' }),
    series('gauge', 'vigie_store_bytes'),
  ];

  test('put together what is asked together, under its own names, and leave out what is not there', () => {
    const shown = diagnosticPanels('node/n1', all).map(({ name, panels }) => [
      name,
      panels.map((panel) => [panel.title, panel.unit, panel.series.map((one) => lineLabel(one, panel))]),
    ]);
    expect(shown).toEqual([
      ['Engine', [['Event loop delay', 's', ['mean', 'most']]]],
      ['Programs', [['Not taken, by reason', '1', ['malformed_json', 'name_reserved']]]],
      ['Store', [['Size on disk', 'B', ['database']]]],
    ]);
  });

  test('one unit and one kind in each, and no family in two', () => {
    const families: (readonly [Series['kind'], string])[] = [
      ['gauge', 'vigie_event_loop_delay_seconds'],
      ['gauge', 'vigie_event_loop_delay_max_seconds'],
      ['gauge', 'vigie_tick_seconds'],
      ['gauge', 'vigie_tick_lateness_seconds'],
      ['counter', 'vigie_cpu_seconds_total'],
      ['gauge', 'vigie_memory_resident_bytes'],
      ['gauge', 'vigie_memory_heap_bytes'],
      ['gauge', 'vigie_ingest_connections'],
      ['gauge', 'vigie_http_connections'],
      ['gauge', 'vigie_live_readers'],
      ['counter', 'vigie_store_ticks_dropped_total'],
      ['counter', 'vigie_live_frames_skipped_total'],
      ['counter', 'vigie_ticks_late_total'],
      ['counter', 'vigie_source_seconds_total'],
    ];
    const panels = diagnosticPanels(
      'node/n1',
      families.map(([kind, family]) => series(kind, family)),
    ).flatMap((group) => group.panels);
    for (const panel of panels) expect(new Set(panel.series.map((one) => `${one.kind} ${one.unit}`)).size).toBe(1);
    expect(panels.flatMap((panel) => panel.series.map((one) => one.family)).toSorted()).toEqual(
      families.map(([, family]) => family).toSorted(),
    );
  });

  test('the table has the engine’s own figures only', () => {
    expect(ownSeries(all)).toHaveLength(all.length - 1);
  });
});

describe('what only the page can know', () => {
  test('nothing when it fits its engine', () => {
    expect(pageChecks({ page: '1.0.0', engine: '1.0.0', skew: 900 })).toEqual([]);
    expect(pageChecks({ page: null, engine: '1.0.0', skew: 0 })).toEqual([]);
  });

  test('it is older than its engine', () => {
    expect(pageChecks({ page: '1.0.0', engine: '1.1.0', skew: 0 })).toMatchObject([
      { id: 'page_stale', level: 'warning', advice: 'reload the page' },
    ]);
  });

  test.each([
    [-120_000, 'ahead of'],
    [120_000, 'behind'],
  ])('clocks are apart by %i ms', (skew, how) => {
    const [check] = pageChecks({ page: null, engine: '1.0.0', skew });
    expect(check?.found).toContain(how);
  });

  test('the worst comes first', () => {
    const check = (level: 'ok' | 'warning' | 'problem', id: string) =>
      ({ id, area: 'engine', level, found: '', advice: null }) as const;
    const sorted = worstFirst([check('ok', 'a'), check('warning', 'b'), check('problem', 'c'), check('warning', 'd')]);
    expect(sorted.map(({ id }) => id)).toEqual(['c', 'b', 'd', 'a']);
  });
});
