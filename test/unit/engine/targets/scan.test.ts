import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NumberReader } from '../../../../src/engine/targets/scan-number.ts';
import { MAX_LINE } from '../../../../src/engine/targets/scan.ts';
import { scan, scannerWith, type Sample } from './scanned.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/targets');
const fixture = (file: string): string => readFileSync(join(FIXTURES, file), 'utf8').replace('NOW', '1700000000');
const RECORDED = ['alertmanager.txt', 'node-exporter.txt', 'prometheus.txt', 'pushgateway.txt', 'hostile.txt'];

interface Case {
  readonly text: string;
  readonly accepted: boolean;
}
const cases = (file: string): Case[] => JSON.parse(fixture(file)) as Case[];

const good = (result: Sample[] | string): Sample[] => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};
const values = (text: string, format: 'text' | 'openmetrics' = 'text'): Record<string, number> =>
  Object.fromEntries(good(scan(text, format)).map(({ name, value }) => [name, value]));
const kinds = (text: string, format: 'text' | 'openmetrics' = 'text'): Record<string, string> =>
  Object.fromEntries(good(scan(text, format)).map(({ name, kind }) => [name, kind]));

/** Invalid UTF-8 is refused everywhere, and a label that comes twice even where promtool does not look. */
const STRICTER_THAN_PROMTOOL = new Set([
  '# HELP a \u00ff\na 1\n',
  '# \u00ff\na 1\n',
  '# TYPE h histogram\nh_bucket{le="1",le="2"} 1\n',
]);

describe('what is Prometheus text', () => {
  test.each(cases('text-grammar.json'))('$text: $accepted', ({ text, accepted }) => {
    const bytes = Buffer.from(text, 'latin1');
    const result = scan(bytes);
    expect(typeof result !== 'string', JSON.stringify(result)).toBe(accepted && !STRICTER_THAN_PROMTOOL.has(text));
  });

  test.each(RECORDED)('%s is, with a value on each line that is no comment', (file) => {
    const text = fixture(file);
    const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
    expect(good(scan(text))).toHaveLength(lines.length);
  });

  test('an error names the line and shows what is there', () => {
    expect(scan('a 1\n\n# TYPE b counter\nb x\n')).toBe('line 4 is not Prometheus text: expected a number, found "x"');
    expect(scan('a 1\nb{c="d} 1\n')).toBe('line 2 is not Prometheus text: a label value does not end on its line');
    expect(scan('<!DOCTYPE html>\n')).toBe(
      'line 1 is not Prometheus text: expected the name of a metric, found "<!DOCTYPE html>"',
    );
    expect(scan('a 1\nb 2')).toBe('line 2 is not Prometheus text: the text ends in the middle of it');
    const escape = scan(`a \u001b[31m${'x'.repeat(1000)}\n`);
    expect(escape).not.toContain('\u001b');
    expect(escape).toHaveLength('line 1 is not Prometheus text: expected a number, found ""'.length + 5 + 40 + 1);
  });

  test('bytes that are not UTF-8 are refused where they are', () => {
    for (const bad of ['\u00ff', '\u00c3', '\u00ed\u00a0\u0080']) {
      expect(scan(Buffer.from(`a 1\n# é\nb{c="${bad}"} 1\n`, 'latin1'), 'text', [3])).toMatch(/^line 2 .* not UTF-8$/);
      expect(scan(Buffer.from(`a 1\nb{c="${bad}"} 1\nc 1\n`, 'latin1'))).toMatch(/^line 2 .* not UTF-8$/);
    }
  });
});

describe('what is OpenMetrics', () => {
  /** What Prometheus does not look at but OpenMetrics forbids. */
  const STRICTER = ['second ', 'le is a number'];

  test.each(cases('openmetrics-grammar.json'))('$text: $accepted', ({ text, accepted }) => {
    const result = scan(text, 'openmetrics');
    const stricter = typeof result === 'string' && STRICTER.some((words) => result.includes(words));
    expect(typeof result !== 'string' || stricter, JSON.stringify(result)).toBe(accepted);
  });

  test('exemplars are skipped, times are in seconds, and an end is needed', () => {
    const text = fixture('openmetrics.txt');
    const samples = good(scan(text, 'openmetrics'));
    expect(samples).toHaveLength(22);
    expect(samples[0]).toEqual({
      name: 'requests_total{code="200"}',
      kind: 'counter',
      value: 100,
      time: 1_700_000_000_000,
      doc: 'Requests, "quoted"',
    });
    expect(scan(text.replace('# EOF\n', ''), 'openmetrics')).toBe(
      'the text is not whole: OpenMetrics ends with "# EOF"',
    );
  });
});

describe('kinds', () => {
  test('in text: histograms and summaries are their series, what has no type is a gauge', () => {
    expect(
      kinds(
        '# TYPE c counter\nc 1\n# TYPE g gauge\ng 1\nu 1\nu_total 1\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n' +
          '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 1\ns_count 1\n# TYPE d counter\nd_total 1\n# TYPE e_count gauge\ne_count 1\n',
      ),
    ).toEqual({
      c: 'counter',
      g: 'gauge',
      u: 'gauge',
      u_total: 'gauge',
      'h_bucket{le="1"}': 'counter',
      h_sum: 'counter',
      h_count: 'counter',
      's{quantile="0.5"}': 'gauge',
      s_sum: 'counter',
      s_count: 'counter',
      d_total: 'gauge',
      e_count: 'gauge',
    });
  });

  test('in OpenMetrics, where a counter has a suffix and a creation time', () => {
    const all = kinds(fixture('openmetrics.txt'), 'openmetrics');
    const counters = Object.keys(all).filter((name) => all[name] === 'counter');
    expect(counters).toEqual([
      'requests_total{code="200"}',
      'requests_total{code="500"}',
      'duration_seconds_bucket{le="0.1"}',
      'duration_seconds_bucket{le="1.0"}',
      'duration_seconds_bucket{le="+Inf"}',
      'duration_seconds_count',
      'duration_seconds_sum',
      'latency_count',
      'latency_sum',
    ]);
  });

  test('a type that changes from one answer to the next is followed', () => {
    const scanner = scannerWith({});
    const kindIn = (text: string): string =>
      good(scan(text, 'text', [9], scanner))
        .map(({ kind }) => kind)
        .join();
    expect(kindIn('# TYPE a counter\na 1\na{b="c"} 1\n')).toBe('counter,counter');
    expect(kindIn('a 1\na{b="c"} 1\n')).toBe('gauge,gauge');
    expect(kindIn('# TYPE a counter\na 1\na{b="c"} 1\n')).toBe('counter,counter');
    expect(kindIn('x_bucket{le="no"} 1\n')).toBe('gauge');
    expect(scan('# TYPE x histogram\nx_bucket{le="no"} 1\n', 'text', [9], scanner)).toMatch(/le is a number/);
  });
});

describe('any pieces, any history', () => {
  const word = fc.constantFrom(
    ...['a 1\n', 'b_total{x="y",z="é"} 2.5\n', 'b_total{z="é",x="y"} 3\n', '# TYPE b_total counter\n', '# HELP a x\n'],
    ...[
      'h_bucket{le="1"} 1e-7\n',
      '# TYPE h histogram\n',
      'c 0.30000000000000004 1700000000000\n',
      'a',
      '\n',
      ' ',
      '1',
    ],
    ...['a{', '"', '\\', '}', '# EOF\n', 'NaN\n', 'long_name_that_is_compared_by_eight_bytes 7\n', '\u{1f600}', '# '],
  );
  const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));
  const pieces = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

  test.each(['text', 'openmetrics'] as const)('%s: the result is the same', (format) => {
    fc.assert(
      fc.property(text, text, text, pieces, (one, two, three, sizes) => {
        const used = scannerWith({});
        for (const before of [one, two]) scan(before, format, sizes, used);
        for (const last of [three, two, one]) expect(scan(last, format, sizes, used)).toEqual(scan(last, format));
      }),
      { numRuns: 300 },
    );
  });

  test.each(RECORDED)('%s in pieces of each size, over and over', (file) => {
    const whole = scan(fixture(file));
    const used = scannerWith({});
    for (const size of [1, 2, 3, 7, 64, 1000, 4096]) {
      expect(scan(fixture(file), 'text', [size], used)).toEqual(whole);
    }
  });

  test('series that come, go and change places are still themselves', () => {
    const scanner = scannerWith({});
    const names = Array.from({ length: 50 }, (_, i) => `metric_with_a_long_name_${i % 7}{i="${i}"}`);
    fc.assert(
      fc.property(fc.shuffledSubarray(names), (some) => {
        const result = good(scan(some.map((name, i) => `${name} ${i}\n`).join(''), 'text', [33], scanner));
        expect(result.map(({ name, value }) => [name, value])).toEqual(some.map((name, i) => [name, i]));
      }),
      { numRuns: 200 },
    );
  });

  test('names that bytes as numbers would confuse are told apart', () => {
    // Eight bytes that begin with 7f f0 are not a number, and not equal to themselves, to whoever reads them as one.
    const scanner = scannerWith({});
    for (let round = 0; round < 3; round++) {
      for (let pad = 0; pad < 8; pad++) {
        const names = ['\u{1f600}', '\u{1f601}'].map(
          (last) => `a{b="${'x'.repeat(pad)}\u007f${last}${'y'.repeat(pad)}"}`,
        );
        const result = good(scan(`${names[0]} 1\n${names[1]} 2\n`, 'text', [99], scanner));
        expect(result.map(({ name }) => name)).toEqual(names);
      }
    }
  });
});

describe('numbers', () => {
  const reader = new NumberReader();
  const read = (text: string): number => {
    const bytes = Buffer.from(`${text}\n`);
    const value = reader.read(bytes, 0, bytes.length - 1);
    return reader.end === bytes.length - 1 ? value : NaN;
  };

  test('are the doubles that are next to what is written', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 0, max: 20 }),
        (value, digits) => {
          for (const text of [String(value), value.toExponential(digits), value.toFixed(Math.min(digits, 20))]) {
            if (Number.isFinite(Number(text))) expect(read(text), text).toBe(Number(text));
          }
        },
      ),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[+-]?\d{1,25}(\.\d{0,25})?([eE][+-]?\d{1,3})?$/), (text) => {
        const expected = Number(text);
        if (Number.isFinite(expected)) expect(read(text), text).toBe(expected);
        else expect(read(text), text).toBeNaN();
      }),
      { numRuns: 3000 },
    );
  });

  test('are what Prometheus takes for them', () => {
    expect(values(fixture('hostile.txt'))).toMatchObject({
      'numbers{n="-0"}': -0,
      'numbers{n="2^53+1"}': 2 ** 53,
      'numbers{n="17 digits"}': 0.1 + 0.2,
      'numbers{n="halfway"}': 8.5e22,
      'numbers{n="+inf"}': Infinity,
      'numbers{n="too small"}': 0,
      'a_total{d="quote \\" backslash \\\\ newline \\n brace } comma , equals ="}': 5,
      no_blank_either: 14,
    });
  });
});

describe('limits', () => {
  test('a line', () => {
    const line = (length: number): string => `${'a'.repeat(length - 2)} 1\n`;
    for (const pieces of [[1 << 20], [4096], [65_536, 1]]) {
      expect(scan(line(MAX_LINE), 'text', pieces)).toEqual([]);
      expect(scan(`a 1\n${line(MAX_LINE + 1)}`, 'text', pieces)).toMatch(/^line 2 .* longer than 64 kB$/);
      // Without an end, too.
      expect(scan(`a 1\n${'b'.repeat(3 * MAX_LINE)}`, 'text', pieces)).toMatch(/^line 2 .* longer than 64 kB$/);
    }
  });

  test('names and labels that are too long or too many are left out and counted', () => {
    const scanner = scannerWith({});
    const many = Array.from({ length: 65 }, (_, i) => `l${i}="x"`).join();
    const all = Array.from({ length: 64 }, (_, i) => `l${i}="x"`).join();
    const text = `a{${many}} 1\nb{l="${'x'.repeat(5000)}"} 1\n${'c'.repeat(5000)} 1\nd{${all}} 1\n`;
    expect(good(scan(text, 'text', [9999], scanner)).map(({ name }) => name[0])).toEqual(['d']);
    expect([scanner.samples, scanner.refused]).toEqual([4, { name_too_long: 2, name_too_many_labels: 1 }]);
  });

  test('a line of ten thousand labels takes no time to speak of', () => {
    const labels = Array.from({ length: 6000 }, (_, i) => `l${i}="x"`).join();
    const text = `a{${labels}} 1\n`.repeat(100);
    expect(scan(text)).toEqual([]);
  });

  test('series', () => {
    const text = Array.from({ length: 11 }, (_, i) => `a{i="${i}"} 1\n`).join('');
    expect(scan(text, 'text', [50], scannerWith({ maxSeries: 11 }))).toHaveLength(11);
    expect(scan(text, 'text', [50], scannerWith({ maxSeries: 10 }))).toMatch(/^more than 10 series/);
  });

  test('what the filter leaves out is counted, not kept, and does not count as series', () => {
    const scanner = scannerWith({ maxSeries: 2, keep: (name) => name.startsWith('b') });
    expect(good(scan('a 1\na{x="y"} 1\nb 1\nb_sum 1\nc 1\n', 'text', [3], scanner))).toHaveLength(2);
    expect([scanner.samples, scanner.filtered]).toEqual([5, 3]);
  });

  test('names that come and go are forgotten', () => {
    const scanner = scannerWith({});
    for (let round = 0; round < 50; round++) {
      const text = Array.from({ length: 1000 }, (_, i) => `a{i="${round}-${i}"} ${i}\n`).join('');
      expect(good(scan(text, 'text', [9999], scanner))).toHaveLength(1000);
    }
    expect(scanner.names.count).toBeLessThan(15_000);
    expect(scanner.generation).toBeGreaterThan(0);
  });
});
