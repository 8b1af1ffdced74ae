import { expect, test } from 'vitest';
import { exportCsv, exportJson } from '../../../../src/renderer/format/exports.ts';
import type { ExportData } from '../../../../src/renderer/format/exports.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

const steps = describeSeries({ kind: 'counter', index: 0, name: 'steps', doc: '' });
const memory = describeSeries({ kind: 'gauge', index: 0, name: 'proxy_memory_used_bytes{zone="a,b"}', doc: '' });
const t0 = Date.UTC(2026, 10, 21, 8);

const data: ExportData = {
  title: '=job',
  from: t0,
  to: t0 + 2000,
  totals: false,
  blocks: [
    { scope: 'run/r', label: '=job', series: [steps], times: [t0, t0 + 1000], values: [[null, 2.5]] },
    { scope: 'node/n', label: 'n', series: [memory], times: [t0 + 1000, t0 + 2000], values: [[7, 8]] },
  ],
};

test('CSV has a row per time and a column per series, times as ISO and ms', () => {
  expect(exportCsv(data).split('\r\n')).toEqual([
    `time,time_ms,'=job: steps [1/s],"n: proxy_memory_used_bytes{zone=""a,b""} [B]"`,
    `2026-11-21T08:00:00.000Z,${t0},,`,
    `2026-11-21T08:00:01.000Z,${t0 + 1000},2.5,7`,
    `2026-11-21T08:00:02.000Z,${t0 + 2000},,8`,
    '',
  ]);
});

test('JSON says what the numbers are', () => {
  const document = JSON.parse(exportJson({ ...data, totals: true })) as {
    counters_as: string;
    to: { iso: string; ms: number };
    scopes: {
      scope: string;
      times_ms: number[];
      times_iso: string[];
      series: { key: string; unit: string; values: unknown }[];
    }[];
  };
  expect(document.counters_as).toBe('totals');
  expect(document.to).toEqual({ iso: '2026-11-21T08:00:02.000Z', ms: t0 + 2000 });
  expect(document.scopes.map((s) => s.scope)).toEqual(['run/r', 'node/n']);
  expect(document.scopes[0]!.series[0]).toMatchObject({ key: 'steps', unit: '1', values: [null, 2.5] });
  expect(document.scopes[1]!.times_iso[0]).toBe('2026-11-21T08:00:01.000Z');
});
