import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wantsOpenMetrics } from '../../../../src/engine/http/compat/exposition.ts';
import { gaugeValue } from '../../../../src/shared/model/values.ts';
import { requireComponent } from '../../../support/components.ts';
import { identityOf, readExposition, type ReadFamily } from './read-exposition.ts';
import { counter, gauge, samples } from './samples.ts';
import { writeExposition } from './write-exposition.ts';

/** Name and labels of every series, with its value. */
const seriesOf = (families: readonly ReadFamily[]): Map<string, number> =>
  new Map(families.flatMap(({ series }) => series.map((s) => [identityOf(s), s.value] as const)));

const family = (text: string, name: string, open = false): ReadFamily => {
  const found = readExposition(text, open).find((f) => f.name === name);
  if (!found) throw new Error(`no family ${name} in\n${text}`);
  return found;
};

describe('any samples', () => {
  test('make a text that is valid in both formats, with the same names and values', () => {
    fc.assert(
      fc.property(samples, (list) => {
        const text = seriesOf(readExposition(writeExposition(list, false), false));
        const open = seriesOf(readExposition(writeExposition(list, true), true));
        expect(open).toEqual(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('stand there with their value, family and labels; only a gauge nobody set is left out', () => {
    fc.assert(
      fc.property(samples, (list) => {
        const found = readExposition(writeExposition(list, false), false).flatMap(({ series }) => series);
        const wanted = list.filter((s) => s.kind === 'counter' || !Number.isNaN(gaugeValue(s.gauge!)));
        expect(found.length).toBeLessThanOrEqual(wanted.length);
        for (const sample of wanted) {
          const value = sample.gauge ? gaugeValue(sample.gauge) : sample.counter;
          const legal = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(sample.family);
          const match = found.some(
            (s) =>
              (legal ? s.name === sample.family : s.labels.get('vigie_name') === sample.family) &&
              Object.is(s.value + 0, value + 0),
          );
          // Whoever uses the label that stands for illegal names may stand in another's place.
          const shadowed = list.some((one) => one.key.includes('vigie_name'));
          expect(match || shadowed, sample.key).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('are read by promtool', (context) => {
    const promtool = requireComponent('promtool', context);
    const corpus = fc.sample(samples, { numRuns: 25, seed: 42 });
    corpus.push([counter('plain_total', 1, 'doc'), gauge('g', 1, 2, 2, 3)], hostile);
    for (const list of corpus) {
      const input = writeExposition(list, false);
      const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' });
      // 0: fine, 3: remarks on names; 1: it does not parse.
      expect([0, 3], `${stderr}\n${input}`).toContain(status);
    }
  });
});

/** What a program could try. */
const hostile = [
  counter('x"} 1\\n', 1, '\n# TYPE evil counter\nevil 1\n'),
  counter('a-b', 2),
  counter('a.b', 3),
  counter('a_b{vigie_name="a-b"}', 4),
  counter('a-b{vigie_name="mine"}', 5),
  gauge('<script>alert(1)</script>', 1, 1, 1, 1, '\u0000\r\t'),
  counter('../../etc/passwd', 6),
  counter('l{v="a\\nb\\"c\\\\d"}', 7),
  counter('\u202egnp.exe', 8),
  counter('bad{9="x"}', 9),
  counter('{a="b"}', 10),
  counter('9lives', 11),
  counter('innocent{__name__="up",__x__="1",exported__x__="2"}', 12),
];

describe('names', () => {
  test('that are not legal keep their own in a label and stay apart', () => {
    const { series, type } = family(
      writeExposition([counter('a-b', 1), counter('a.b', 2), counter('a b{x="1"}', 3)], false),
      'a_b',
    );
    expect(type).toBe('counter');
    expect(series.map((s) => [Object.fromEntries(s.labels), s.value])).toEqual([
      [{ vigie_name: 'a-b' }, 1],
      [{ vigie_name: 'a.b' }, 2],
      [{ x: '1', vigie_name: 'a b' }, 3],
    ]);
  });

  test('cannot make two equal series', () => {
    for (const open of [false, true]) expect(() => readExposition(writeExposition(hostile, open), open)).not.toThrow();
  });

  test('the labels that scrapers keep for themselves are not passed on', () => {
    const { series } = family(writeExposition([counter('x{__name__="up",a="1"}', 7)], false), 'x');
    expect(Object.fromEntries(series[0]!.labels)).toEqual({ exported__name__: 'up', a: '1' });
  });

  test('labels are well formed where the old proxy prints them as they come', () => {
    const { series } = family(writeExposition([counter('l{v="a\\nb\\"c\\\\d",w="é"}', 7)], false), 'l');
    expect(Object.fromEntries(series[0]!.labels)).toEqual({ v: 'a\nb"c\\d', w: 'é' });
  });
});

describe('types', () => {
  const list = [
    counter('steps_total', 5, 'Steps done'),
    counter('hits', 6, 'Calls'),
    gauge('temperature', 40, 60, 4, 200, 'Degrees'),
    gauge('unset', Infinity, -Infinity, 0, 0),
  ];

  test('in Prometheus text', () => {
    expect(writeExposition(list, false)).toBe(
      '# HELP steps_total Steps done\n# TYPE steps_total counter\nsteps_total 5\n' +
        '# HELP hits Calls\n# TYPE hits counter\nhits 6\n' +
        '# HELP temperature Degrees\n# TYPE temperature gauge\ntemperature 50\n',
    );
  });

  test('in OpenMetrics: a counter must be called _total there, another one is of unknown type', () => {
    expect(writeExposition(list, true)).toBe(
      '# HELP steps Steps done\n# TYPE steps counter\nsteps_total 5\n' +
        '# HELP hits Calls\n# TYPE hits unknown\nhits 6\n' +
        '# HELP temperature Degrees\n# TYPE temperature gauge\ntemperature 50\n# EOF\n',
    );
  });

  test('where the name without _total is taken, both keep their names', () => {
    const text = writeExposition([counter('x_total', 1), gauge('x', 2, 2, 1, 2)], true);
    expect(readExposition(text, true).map(({ name, type }) => [name, type])).toEqual([
      ['x_total', 'unknown'],
      ['x', 'gauge'],
    ]);
  });

  test('a family that is both is claimed to be neither', () => {
    const both = [counter('x{k="1"}', 1), gauge('x{k="2"}', 2, 2, 1, 2)];
    expect(family(writeExposition(both, false), 'x').type).toBe('untyped');
    expect(family(writeExposition(both, true), 'x', true).type).toBe('unknown');
  });

  test('a family has one HELP and one TYPE, its series stand together', () => {
    const text = writeExposition(
      [counter('x{k="1"}', 1, 'first'), counter('y', 1), counter('x{k="2"}', 2, 'second')],
      false,
    );
    expect(text.match(/# HELP x /g)).toHaveLength(1);
    expect(text.match(/# TYPE x /g)).toHaveLength(1);
    expect(family(text, 'x')).toMatchObject({ help: 'first', series: [{ value: 1 }, { value: 2 }] });
  });

  test('help is escaped, and cannot begin a line of its own', () => {
    const doc = 'a\nb\\c"d\u0000e\rf';
    expect(writeExposition([counter('x', 1, doc)], false)).toContain('# HELP x a\\nb\\\\c"d e f\n');
    expect(writeExposition([counter('x', 1, doc)], true)).toContain('# HELP x a\\nb\\\\c\\"d e f\n');
  });

  test('numbers', () => {
    const written = (value: number) => writeExposition([counter('x', value)], false).split('\n')[1];
    expect([0, 1.5, 1e21, 1e-7, 2 ** 53].map(written)).toEqual([
      'x 0',
      'x 1.5',
      'x 1e+21',
      'x 1e-7',
      'x 9007199254740992',
    ]);
    expect(writeExposition([gauge('x', 0, 0, 5e-324, 1)], false)).toContain('x +Inf\n');
    expect(writeExposition([gauge('x', 0, 0, 5e-324, -1)], false)).toContain('x -Inf\n');
  });

  test('nothing at all', () => {
    expect(writeExposition([], false)).toBe('');
    expect(writeExposition([], true)).toBe('# EOF\n');
  });
});

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/plain', false],
  ['text/html', false],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', true],
  ['Application/OpenMetrics-Text', true],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.9', false],
  ['text/plain;q=0.5,application/openmetrics-text;q=0.6', true],
  ['application/openmetrics-text,text/plain', true],
  ['application/openmetrics-text;q=nonsense', true],
  ['application/openmetrics-text;q=1.2.3', false],
  ['application/openmetrics-textual', false],
  // What Prometheus 2 sends, and what it sends since it knows protobuf.
  [
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    true,
  ],
  ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', false],
])('Accept: %s asks for OpenMetrics: %s', (accept, expected) => expect(wantsOpenMetrics(accept)).toBe(expected));
