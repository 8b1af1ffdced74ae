import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvCell, safeFileName, toCsv } from '../../../../src/renderer/format/csv.ts';
import { formatElapsed, formatShortSpan, formatTick, formatWhen } from '../../../../src/renderer/format/time.ts';
import {
  formatAxisValue,
  formatCount,
  formatValue,
  NO_VALUE,
  threeDigits,
  unitName,
} from '../../../../src/renderer/format/units.ts';
import type { Unit } from '../../../../src/shared/model/naming.ts';

describe('values for people', () => {
  test.each<[number | null, Unit, boolean, string]>([
    [0, '1', false, '0'],
    [0, '1', true, '0 /s'],
    [12_345, '1', true, '12.3 k/s'],
    [999, '1', false, '999'],
    [999.96, '1', false, '1 k'],
    [1_000_000, '1', false, '1 M'],
    [-2500, '1', false, '-2.5 k'],
    [0.0312, '1', false, '0.0312'],
    [3.2 * 2 ** 30, 'B', true, '3.2 GiB/s'],
    [1023, 'B', false, '1023 B'],
    [1023.9, 'B', false, '1 KiB'],
    [0, 'B', false, '0 B'],
    [41e-6, 's', false, '41 µs'],
    [0.25, 's', true, '0.25 s/s'],
    [0.72, 's', true, '0.72 s/s'],
    [0.0031, 's', true, '0.0031 s/s'],
    [41e-6, 's', true, '41 µs/s'],
    [0, 's', true, '0 s/s'],
    [3.2 * 2 ** 20, 'B/s', false, '3.2 MiB/s'],
    [12_345, '1/s', false, '12.3 k/s'],
    [7, '1/s', false, '7 /s'],
    [90, 's', true, '90 s/s'],
    [3e-9, 's', false, '3 ns'],
    [1200, 's', false, '20 min'],
    [42, '%', false, '42 %'],
    [0.5, 'ratio', false, '0.5'],
    [2.6e9, 'Hz', false, '2.6 GHz'],
    [71.5, '°C', false, '71.5 °C'],
    [1250, 'W', false, '1.25 kW'],
    [3.6e6, 'J', false, '3.6 MJ'],
    [312.5, 'J', true, '313 W'],
    [null, 'B', false, NO_VALUE],
    [NaN, 's', false, NO_VALUE],
    [Infinity, '1', true, NO_VALUE],
  ])('%s %s (per second: %s) is %s', (value, unit, rate, text) => {
    expect(formatValue(value, unit, rate)).toBe(text);
  });

  test('no number gets long, and the prefix always leaves a readable mantissa', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e20, noNaN: true }),
        fc.constantFrom<Unit>('1', 'B', 'Hz'),
        (value, unit) => {
          const text = formatValue(value, unit, true);
          expect(text.length).toBeLessThanOrEqual(13);
          expect(Number.parseFloat(text)).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('three digits', () => {
    expect([0, 1, 9.996, 99.96, 0.00012345, 0.00001, 1234].map(threeDigits)).toEqual([
      '0',
      '1',
      '10',
      '100',
      '0.000123',
      '1.0e-5',
      '1234',
    ]);
  });

  test('headings name the unit, or what is counted', () => {
    expect(unitName('1', 'calls', true)).toBe('calls/s');
    expect(unitName('1', 'value', false)).toBe('');
    expect(unitName('1', 'count', true)).toBe('1/s');
    expect(unitName('B', 'bytes', true)).toBe('B/s');
    expect(unitName('B/s', 'bandwidth', false)).toBe('B/s');
    expect(unitName('1/s', 'packet rate', false)).toBe('1/s');
    expect(unitName('J', 'energy', true)).toBe('W');
    expect(unitName('ratio', 'ratio', false)).toBe('ratio');
    expect(formatCount(1234567)).toBe('1\u202f234\u202f567');
  });
});

describe('marks of a value axis', () => {
  test.each<[number, Unit, boolean, string]>([
    [0.75, 's', true, '0.75'],
    [1200, 's', true, '1200'],
    [1200, 's', false, '20 min'],
    [2e-5, 's', true, '20 µs'],
    [2 ** 20, 'B/s', false, '1 MiB'],
    [2 ** 20, 'B', true, '1 MiB'],
    [1500, '1/s', false, '1.5 k'],
  ])('%s %s (per second: %s) is %s', (value, unit, rate, text) => {
    expect(formatAxisValue(value, unit, rate)).toBe(text);
  });
});

describe('times for people', () => {
  test('elapsed', () => {
    expect([0, 7999, 725_000, 11_525_000, 184_325_000, -1, NaN].map(formatElapsed)).toEqual([
      '0:00',
      '0:07',
      '12:05',
      '3:12:05',
      '2 d 03:12:05',
      NO_VALUE,
      NO_VALUE,
    ]);
  });

  test('marks of an axis are as fine as their step', () => {
    const t = new Date(2026, 10, 21, 8, 5, 3, 250).getTime();
    expect([10, 1000, 60_000, 86_400_000].map((step) => formatTick(t, step))).toEqual([
      '03.250',
      '08:05:03',
      '08:05',
      '11-21',
    ]);
  });

  test('the date stands where it is not today', () => {
    const now = new Date(2026, 10, 21, 12).getTime();
    expect(formatWhen(new Date(2026, 10, 21, 8, 5, 3).getTime(), now)).toBe('08:05:03');
    expect(formatWhen(new Date(2026, 10, 20, 8, 5, 3).getTime(), now)).toBe('2026-11-20 08:05');
    expect(formatWhen(0, now)).toBe(NO_VALUE);
  });

  test('short spans', () => {
    expect([80, 1500, 45_000, 240_000, 7_200_000].map(formatShortSpan)).toEqual([
      '80 ms',
      '1.5 s',
      '45 s',
      '4 min',
      '2 h',
    ]);
  });
});

/** Reads CSV back, as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') {
        cell += '"';
        i++;
      } else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      row.push(cell);
      cell = '';
    } else if (c === '\r' && text[i + 1] === '\n') {
      row.push(cell);
      rows.push(row);
      row = [];
      cell = '';
      i++;
    } else cell += c;
  }
  return rows;
}

describe('CSV', () => {
  test('any text comes back, with an apostrophe before what would be a formula', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
        (rows) => {
          const guarded = rows.map((row) => row.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)));
          expect(parseCsv(toCsv(rows))).toEqual(guarded);
        },
      ),
    );
  });

  test('formulas are text, numbers stay numbers, unknown values are empty', () => {
    expect(csvCell('=cmd|" /C calc"!A0')).toBe(`"'=cmd|"" /C calc""!A0"`);
    expect(['+1', '-1', '@x', '\tx'].map(csvCell)).toEqual(["'+1", "'-1", "'@x", "'\tx"]);
    expect([-1.5, 0, null, NaN, Infinity].map(csvCell)).toEqual(['-1.5', '0', '', '', '']);
  });

  test('a file name is never a path, hidden or an option', () => {
    expect(safeFileName('../../etc/passwd')).toBe('etc-passwd');
    expect(safeFileName('-rf')).toBe('rf');
    expect(safeFileName('.\u202e<script>')).toBe('script-');
    expect(safeFileName('/')).toBe('export');
    expect(safeFileName('a'.repeat(500))).toHaveLength(80);
  });
});
