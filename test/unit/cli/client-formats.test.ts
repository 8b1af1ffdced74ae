import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { metricsText, RECORDS, valuesText } from '../../../src/cli/client-formats.ts';
import type { TimedValue } from '../../../src/cli/client-changes.ts';
import type { Metric } from '../../../src/cli/client-reading.ts';

const NAME = 'tau_metric_proxy_run_total{operation="exec"}';
const run: Metric = {
  name: NAME,
  key: NAME,
  doc: 'Number of launch with the tau_metric_proxy_run command',
  kind: 'counter',
  value: 9,
  changed: 1,
};
const value: TimedValue = { name: NAME, ts: 1667486717.483395, value: 9 };

/** As the old client writes them. */
describe('metrics', () => {
  test('md', () => {
    expect(metricsText('md', [run])).toBe(
      `╔═════════════════════════════════════════════════════════════════════╗
║                 List of tau_metric_exporter Metrics                 ║
╚═════════════════════════════════════════════════════════════════════╝

 • tau_metric_proxy_run_total{operation="exec"} (TAU_METRIC_COUNTER) :
   Number of launch with the tau_metric_proxy_run command
`,
    );
  });

  test('json', () => {
    expect(metricsText('json', [run])).toBe(`[
    {
        "name": "tau_metric_proxy_run_total{operation=\\"exec\\"}",
        "doc": "Number of launch with the tau_metric_proxy_run command",
        "type": "TAU_METRIC_COUNTER"
    }
]
`);
  });

  test('txt: one word each, or quotes', () => {
    expect(metricsText('txt', [run])).toBe(`# name doc type
tau_metric_proxy_run_total{operation="exec"} "Number of launch with the tau_metric_proxy_run command" TAU_METRIC_COUNTER
`);
    const gauge: Metric = { ...run, name: 'a{x="1 2"}', doc: '', kind: 'gauge' };
    expect(metricsText('txt', [gauge])).toBe('# name doc type\n"a{x=\\"1 2\\"}" "" TAU_METRIC_GAUGE\n');
  });

  test('yaml', () => {
    expect(parse(metricsText('yaml', [run]))).toEqual([{ name: NAME, doc: run.doc, type: 'TAU_METRIC_COUNTER' }]);
    expect(parse(metricsText('yaml', []))).toEqual([]);
  });

  test('a description cannot break a line, nor command a terminal', () => {
    const hostile = { ...run, doc: 'red \u001b[31m\nnext\u0085line\u2028end' };
    expect(metricsText('md', [hostile])).toContain('\n   red [31m next line end\n');
    expect(metricsText('txt', [hostile])).toContain('"red \\u001b[31m\\nnext\\u0085line\\u2028end" ');
    const json = metricsText('json', [hostile]);
    expect(json).not.toMatch(/[^\n\x20-\x7e]/);
    expect(JSON.parse(json)).toMatchObject([{ doc: hostile.doc }]);
  });
});

test('values', () => {
  expect(JSON.parse(valuesText('json', [value]))).toEqual([{ name: NAME, ts: 1667486717.483395, value: 9 }]);
  expect(valuesText('json', [])).toBe('[]\n');
  expect(valuesText('txt', [value])).toBe(`# name ts value\n${NAME} 1667486717.483395 9\n`);
  expect(parse(valuesText('yaml', [value]))).toEqual([value]);
  expect(valuesText('md', [value])).toMatch(
    /^╔[^]*Values[^]*\n • tau_metric_proxy_run_total.* = 9 @ 1667486717\.483395\n$/,
  );
});

const someValue = fc.record({
  name: fc.string({ minLength: 1, unit: 'grapheme' }),
  ts: fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1000),
  value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0 || 0),
});
const readings = fc.array(fc.array(someValue, { minLength: 1, maxLength: 4 }), { maxLength: 5 });

test.each([
  ['json', JSON.parse as (text: string) => unknown],
  ['yaml', (text: string): unknown => parse(text)],
] as const)('a record in %s is a whole document after each reading', (format, read) => {
  const { head, reading, tail } = RECORDS[format];
  fc.assert(
    fc.property(readings, (all) => {
      let text = head;
      expect(read(text + tail(0))).toEqual([]);
      for (const [nth, values] of all.entries()) {
        text += reading(values, nth);
        expect(read(text + tail(nth + 1))).toEqual(all.slice(0, nth + 1));
      }
    }),
  );
});

test('a record in txt has one line for each value, with a head', () => {
  const { head, reading, tail } = RECORDS.txt;
  expect(head + reading([value], 0) + reading([value, value], 1) + tail(2)).toBe(
    `# name ts value\n${`${NAME} 1667486717.483395 9\n`.repeat(3)}`,
  );
});
