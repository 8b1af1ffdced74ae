import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cellAt,
  columnSpan,
  orderRows,
  readCells,
  readFloats,
  sumRow,
} from '../../../../src/renderer/views/profile/heatmap/cells.ts';
import {
  boxOf,
  columnAt,
  hit,
  layoutOf,
  moved,
  namedRows,
  spanOf,
  timeMarks,
} from '../../../../src/renderer/views/profile/heatmap/place.ts';
import { colourAt, limitsOf, paintCells, shareOf } from '../../../../src/renderer/views/profile/heatmap/scale.ts';
import { mapCells, seriesByTime, summaryText, timeText } from '../../../../src/renderer/views/profile/heatmap/words.ts';
import type { Heatmap } from '../../../../src/shared/api/profile-analysis.ts';
import type { SeriesValue } from '../../../../src/shared/api/series.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';
import { def } from '../../engine/store/support.ts';

const START = Date.UTC(2026, 10, 21, 8);

const encode = (values: readonly number[]): string => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes.toString('base64');
};

const mapOf = (rows: readonly (readonly number[])[], over: Partial<Heatmap> = {}): Heatmap => {
  const columns = rows[0]?.length ?? 0;
  return {
    ...{ key: 'k', kind: 'counter', from: START, to: START + columns * 10_000, step: 10_000, columns },
    ...{ ranks: rows.map((_, rank) => rank), nodes: rows.map((_, rank) => `node${rank % 2 === 0 ? 10 : 9}`) },
    ...{ values: encode(rows.flat()), min: null, max: null, reason: null, ...over },
  };
};

const MAP = mapOf([
  [1, 2, NaN],
  [4, 4, 4],
  [NaN, NaN, NaN],
]);

const series = (name: string, value = 0): SeriesValue => ({
  ...describeSeries(def('counter', 0, name)),
  ...{ value, gauge: null, changed: 0 },
});

describe('values of a heatmap', () => {
  test('are the floats that were sent, whatever they are', () => {
    const float = fc.float({ noDefaultInfinity: false });
    fc.assert(
      fc.property(fc.array(float, { maxLength: 200 }), (values) => {
        expect([...readFloats(encode(values), values.length)]).toEqual(values);
      }),
    );
  });

  test('of another size than ranks and columns need are refused', () => {
    for (const count of [0, 1, 5, 7, 8, 1_000_000]) {
      const values = encode(Array.from({ length: count === 1_000_000 ? 2 : count }, () => 1));
      expect(() =>
        readCells(
          mapOf(
            [
              [1, 2, 3],
              [4, 5, 6],
            ],
            { values },
          ),
        ),
      ).toThrow(/another number of values/);
    }
    expect(() => readFloats('!!!!!!!!', 1)).toThrow(/another number of values/);
    expect(() => readFloats('AAAAAA==', 2)).toThrow();
    expect(() => readFloats('AAAA====', 1)).toThrow();
  });

  test('of a span that is none, or of more rows than can be looked at, are refused', () => {
    expect(() => readCells({ ...MAP, from: MAP.to + 1 })).toThrow(/span/);
    expect(() => readCells({ ...MAP, step: Infinity })).toThrow(/span/);
    const ranks = Array.from({ length: 8193 }, (_, i) => i);
    expect(() => readCells({ ...MAP, ranks })).toThrow(/more than can be drawn/);
    expect(() => readCells({ ...MAP, columns: 2001 })).toThrow(/more than can be drawn/);
  });

  test('rows have names for nodes also where the engine left some out', () => {
    expect(readCells({ ...MAP, nodes: ['one'] }).nodes).toEqual(['one', '', '']);
  });

  test('sums leave out what is missing; a row without values has none', () => {
    const cells = readCells(MAP);
    expect(cells.ranks.map((_, row) => sumRow(cells, row))).toEqual([
      { min: 1, max: 2, mean: 1.5, filled: 2 },
      { min: 4, max: 4, mean: 4, filled: 3 },
      null,
    ]);
    expect([cellAt(cells, 0, 1), cellAt(cells, 2, 2), cellAt(cells, 9, 0)]).toEqual([2, NaN, NaN]);
  });

  test('rows by rank, by node as people count, and by size; without values last', () => {
    const cells = readCells(MAP);
    const sums = cells.ranks.map((_, row) => sumRow(cells, row));
    expect(orderRows(cells, 'rank', sums)).toEqual([0, 1, 2]);
    expect(orderRows(cells, 'node', sums)).toEqual([1, 0, 2]);
    expect(orderRows(cells, 'total', sums)).toEqual([1, 0, 2]);
  });

  test('the last column ends with the map', () => {
    const cells = readCells({ ...MAP, to: MAP.from + 25_000 });
    expect(columnSpan(cells, 1)).toEqual([START + 10_000, START + 20_000]);
    expect(columnSpan(cells, 2)).toEqual([START + 20_000, START + 25_000]);
  });
});

/** CIE lightness, 0 to 100, of sRGB 0 to 255. */
function lightness(rgb: readonly number[]): number {
  const linear = rgb.map((part) => (part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  const y = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

/** As people without red cones, and without green ones, see a colour (after Viénot, in linear light). */
function dichromat(rgb: readonly number[], kind: 'protan' | 'deutan'): number[] {
  const [r, g, b] = rgb.map((part) => (part / 255) ** 2.2) as [number, number, number];
  const [rg, gg] = kind === 'protan' ? [0.112, 0.888] : [0.292, 0.708];
  const yellow = rg * r + gg * g;
  const blue = kind === 'protan' ? 0.004 * r - 0.004 * g + b : -0.022 * r + 0.022 * g + b;
  return [yellow, yellow, Math.min(1, Math.max(0, blue))].map((part) => 255 * part ** (1 / 2.2));
}

describe('colours', () => {
  const tones = Array.from({ length: 33 }, (_, i) => colourAt(i / 32));

  test('become lighter in even steps, to everybody', () => {
    for (const see of [
      (rgb: readonly number[]) => rgb,
      (rgb: readonly number[]) => dichromat(rgb, 'protan'),
      (rgb: readonly number[]) => dichromat(rgb, 'deutan'),
    ]) {
      const light = tones.map((rgb) => lightness(see(rgb)));
      const steps = light.slice(1).map((value, i) => value - light[i]!);
      const mean = (light.at(-1)! - light[0]!) / steps.length;
      expect(mean).toBeGreaterThan(2);
      expect(Math.min(...steps)).toBeGreaterThan(0.3 * mean);
      expect(Math.max(...steps)).toBeLessThan(1.9 * mean);
    }
  });

  test('what is outside has the colour of the end', () => {
    expect(colourAt(-1)).toEqual(colourAt(0));
    expect(colourAt(7)).toEqual(colourAt(1));
  });

  test('the scale begins at 0 where nothing is below, and has room for what is', () => {
    expect(limitsOf(Float32Array.of(2, 5, NaN))).toEqual({ low: 0, high: 5, above: null });
    expect(limitsOf(Float32Array.of(-3, 5))).toEqual({ low: -3, high: 5, above: null });
    expect(limitsOf(Float32Array.of(2, 5, NaN), true)).toEqual({ low: 2, high: 5, above: null });
    expect(limitsOf(Float32Array.of(NaN, Infinity, NaN))).toBeNull();
    expect(limitsOf(new Float32Array(0))).toBeNull();
  });

  test('a lone peak does not flatten the rest, and is told', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i === 500 ? 1000 : 1 + (i % 3)));
    expect(limitsOf(values)).toEqual({ low: 0, high: 3, above: 1000 });
    expect(limitsOf(values.map((value) => Math.min(value, 5)))).toEqual({ low: 0, high: 5, above: null });
  });

  test('all values alike are at the low end of nothing, not of NaN', () => {
    expect(shareOf(0, { low: 0, high: 0 })).toBe(0);
    expect(shareOf(3, { low: 0, high: 4 })).toBe(0.75);
  });

  test('a pixel for each cell, in the order of rows; what is missing is see-through', () => {
    const { values, columns } = readCells(MAP);
    const limits = { low: 0, high: 4, above: null };
    const pixels = paintCells({ values, columns, rows: [1, 0], limits });
    const pixel = (i: number): number[] => [...pixels.slice(4 * i, 4 * i + 4)];
    expect(pixels).toHaveLength(24);
    expect(pixel(0)).toEqual([...colourAt(1), 255]);
    expect(pixel(3)).toEqual([...colourAt(64 / 255), 255]);
    expect(pixel(5)).toEqual([0, 0, 0, 0]);
  });
});

describe('places', () => {
  const layout = layoutOf(662, 4, 60);

  test('every cell is hit in its middle, and what is beside is not', () => {
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 60; column++) {
        const [left, top, width, height] = boxOf(layout, { row, column }) as [number, number, number, number];
        expect(hit(layout, left + width / 2, top + height / 2)).toEqual({ row, column });
      }
    }
    expect(hit(layout, layout.left - 1, 5)).toBeNull();
    expect(hit(layout, layout.left + layout.width, 5)).toBeNull();
    expect(hit(layout, 100, layout.height)).toBeNull();
    expect(hit(layoutOf(0, 4, 60), 0, 0)).toBeNull();
    expect([columnAt(layout, -50), columnAt(layout, 9999)]).toEqual([0, 59]);
  });

  test('512 ranks have a pixel each, few ones are not thicker than is good', () => {
    expect(layoutOf(800, 512, 600).height).toBe(512);
    expect(layoutOf(800, 2, 600).height).toBe(60);
  });

  test('keys stay on the map', () => {
    expect(moved({ row: 0, column: 0 }, 'ArrowLeft', layout)).toEqual({ row: 0, column: 0 });
    expect(moved({ row: 0, column: 0 }, 'ArrowDown', layout)).toEqual({ row: 1, column: 0 });
    expect(moved({ row: 3, column: 59 }, 'PageDown', layout)).toEqual({ row: 3, column: 59 });
    expect(moved({ row: 3, column: 59 }, 'Home', layout)).toEqual({ row: 3, column: 0 });
    expect(moved({ row: 0, column: 0 }, 'x', layout)).toBeNull();
    expect(moved({ row: 0, column: 0 }, 'ArrowDown', { rows: 0, columns: 0 })).toBeNull();
  });

  test('a stretch drawn backwards is the same, and is never narrower than a second', () => {
    const cells = readCells(MAP);
    const limits = { from: cells.from, to: cells.to };
    expect(spanOf(cells, 2, 1, limits)).toEqual({ from: START + 10_000, to: START + 30_000 });
    const fine = { ...cells, step: 10, to: START + 5000, columns: 500 };
    expect(spanOf(fine, 3, 3, { from: START, to: START + 5000 })).toEqual({ from: START + 30, to: START + 1030 });
  });

  test('marks of time and names of rows do not touch', () => {
    const { step, times } = timeMarks({ from: START, to: START + 3_600_000 }, 900);
    expect(step).toBe(600_000);
    expect(times).toHaveLength(7);
    expect(timeMarks({ from: START, to: START }, 0).times).toHaveLength(1);
    expect(timeMarks({ from: 0, to: 1e13 }, 600).times.length).toBeLessThan(10);
    expect(namedRows(512, 512)).toHaveLength(32);
    expect(namedRows(4, 120)).toEqual([0, 1, 2, 3]);
  });
});

describe('words', () => {
  test('series of time come first, the largest first', () => {
    const all = ['app_steps_total', 'mpi___time___mpi_send', 'mpi___hits___mpi_send', 'mpi___time___mpi_recv'];
    expect(seriesByTime(all.map((name, i) => series(name, i))).map(({ name }) => name)).toEqual([
      'mpi___time___mpi_recv',
      'mpi___time___mpi_send',
      'app_steps_total',
      'mpi___hits___mpi_send',
    ]);
  });

  test('the map in a sentence', () => {
    const cells = readCells(MAP);
    const sums = cells.ranks.map((_, row) => sumRow(cells, row));
    expect(summaryText(cells, sums, 'MPI time', series('mpi___time___mpi_send'))).toBe(
      'MPI time of 3 ranks over 0:30: on average most on rank 1 on node9 (4 s/s), least on rank 0 on node10 (1.5 s/s).',
    );
    expect(summaryText(cells, [null, null, null], 'X', series('x_total'))).toBe('X of 3 ranks over 0:30: no sample.');
  });

  test('a time says how long after the start it is', () => {
    expect(timeText(readCells(MAP), 1, START - 65_000)).toMatch(/^\d\d:\d\d:10 – \d\d:\d\d:20, 1:15 after the start$/);
    expect(timeText(readCells(MAP), 1, 0)).toMatch(/:20$/);
  });

  test('a file has a line for each rank, empty where there is no sample', () => {
    expect([...mapCells(readCells(MAP), [1, 0], series('mpi___time___mpi_send'))]).toEqual([
      [
        'rank (mpi___time___mpi_send in s/s)',
        'node',
        ...[0, 10, 20].map((s) => `2026-11-21T08:00:${s === 0 ? '00' : s}.000Z`),
      ],
      [1, 'node9', 4, 4, 4],
      [0, 'node10', 1, 2, NaN],
    ]);
  });
});
