import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RuleSettings, type PreviewSeries, type Rule } from '../../../../src/shared/api/alarms.ts';
import type { Channel } from '../../../../src/shared/api/channels.ts';
import { formFromPlot } from '../../../../src/renderer/views/alarms/editor/fromPlot.ts';
import {
  axisRange,
  begins,
  firstClear,
  firstThreshold,
  joined,
  plotData,
  roundFor,
} from '../../../../src/renderer/views/alarms/editor/plotData.ts';
import {
  EMPTY_RULE,
  formOf,
  numberText,
  parseNumber,
  readRule,
  type RuleForm,
} from '../../../../src/renderer/views/alarms/editor/ruleForm.ts';
import { routesFor, toldBy } from '../../../../src/renderer/views/alarms/editor/tell.ts';
import type { ShownRoute } from '../../../../src/renderer/data/alarmsApi.ts';

const FORM: RuleForm = { ...EMPTY_RULE, name: 'n', metric: 'node_load1', raise: '3' };

describe('the form of a rule', () => {
  test('makes the rule that it shows', () => {
    const { request, errors } = readRule({
      ...FORM,
      ...{
        where: 'run',
        jobid: '7*',
        command: '*',
        measure: 'avg',
        window: '10m',
        op: '<',
        raise: '1.5 Gi',
        clear: '2 Gi',
      },
      ...{ for: '1m', labels: 'team=hpc\nrack = a1', severity: 'critical' },
    });
    expect(errors).toEqual({});
    expect(RuleSettings.parse(request)).toMatchObject({
      ...{ scope: { kind: 'run', jobid: '7*' }, measure: { kind: 'avg', window: 600_000 }, op: '<' },
      ...{ raise: 1.5 * 2 ** 30, clear: 2 ** 31, for: 60_000, labels: { team: 'hpc', rack: 'a1' } },
    });
  });

  test('says what is wrong beside the field, and nothing of what is only missing', () => {
    expect(readRule(EMPTY_RULE)).toMatchObject({ request: null, errors: {}, missing: ['name', 'metric', 'raise'] });
    const wrong = (part: Partial<RuleForm>): string[] => Object.keys(readRule({ ...FORM, ...part }).errors);
    expect(wrong({ raise: 'many' })).toEqual(['raise']);
    expect(wrong({ raise: '90', clear: '95' })).toEqual(['clear']);
    expect(wrong({ for: 'soon' })).toEqual(['for']);
    expect(wrong({ measure: 'max', window: '1y' })).toEqual(['window']);
    expect(wrong({ measure: 'ratio', to: 'node_load1' })).toEqual(['to']);
    expect(wrong({ labels: 'a b' })).toEqual(['labels']);
    expect(wrong({ labels: 'severity=high' })).toEqual(['labels']);
    expect(wrong({ link: 'javascript:alert(1)' })).toEqual(['link']);
    expect(wrong({ description: '{{nothing}}' })).toEqual(['description']);
    expect(wrong({ noDataAfter: '' })).toEqual(['noDataAfter']);
    expect(wrong({ where: 'merge', merge: '' })).toEqual(['merge']);
  });

  test('without a threshold what is compared can be looked at, and nothing reaches it', () => {
    expect(readRule({ ...FORM, raise: '' }).settings).toMatchObject({ raise: Number.MAX_VALUE });
    expect(readRule({ ...FORM, raise: '', op: '<=' }).settings).toMatchObject({ raise: -Number.MAX_VALUE });
    expect(readRule({ ...FORM, raise: '', measure: 'absent' }).request).not.toBeNull();
  });

  test('shows a rule as it is', () => {
    const rule = {
      ...{ id: 'r', name: 'n', enabled: false, scope: { kind: 'target', name: 'rack=a1' }, metric: 'up' },
      ...{ measure: { kind: 'absent', after: '2m' }, op: '>', raise: 0, clear: null, for: '0s', keep_firing_for: '5m' },
      ...{ no_data: 'fire', no_data_after: '90s', severity: 'info', labels: { a: 'b' }, description: 'd', link: '' },
    } as unknown as Rule;
    const { request } = readRule(formOf(rule));
    expect(RuleSettings.parse(request)).toEqual(
      RuleSettings.parse({
        ...{ name: 'n', enabled: false, scope: { kind: 'target', name: 'rack=a1' }, metric: 'up', for: '0s' },
        ...{ measure: { kind: 'absent', after: '2m' }, op: '>', keep_firing_for: '5m', no_data: 'fire' },
        ...{ no_data_after: '90s', severity: 'info', labels: { a: 'b' }, description: 'd' },
      }),
    );
  });

  test('numbers are read as they are written', () => {
    expect(['90', ' .5 ', '-2e-3', '1.5 Gi', '1.5GiB', '2 k', '3 MB/s'].map(parseNumber)).toEqual([
      ...[90, 0.5, -0.002, 1.5 * 2 ** 30, 1.5 * 2 ** 30, 2000, 3e6],
    ]);
    expect(['', 'x', '1 2', '0x10', 'Infinity', '1e999', '5 q'].map(parseNumber)).toEqual(Array(7).fill(null));
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseNumber(numberText(value)) === value).toBe(true);
      }),
    );
  });

  test('begins with the plot that it was opened from', () => {
    const params = new URLSearchParams({ metric: 'mpi___hits___mpi_send', measure: 'rate' });
    expect(formFromPlot(params, { scope: 'run/x', jobid: 'a*b', address: null })).toMatchObject({
      ...{ where: 'run', jobid: 'a?b', metric: 'mpi___hits___mpi_send', measure: 'rate', name: 'MPI · Send' },
    });
    expect(formFromPlot(params, { scope: 'node/n1', jobid: null, address: null })).toMatchObject({
      where: 'node',
      node: 'n1',
    });
    expect(formFromPlot(params, { scope: 'target/t', jobid: null, address: 'http://a:9100' })).toMatchObject({
      ...{ where: 'target', target: 'http://a:9100' },
    });
    expect(formFromPlot(new URLSearchParams(), null)).toMatchObject({ metric: '', name: '' });
  });
});

const series = (low: (number | null)[], high = low): PreviewSeries => ({
  ...{ scope: 'node/n', place: 'n', metric: 'm', firing: [], pending: [] },
  plot: { from: 1000, step: 100, low, high },
});

describe('the plot of a rule', () => {
  test('has the low and the high line of each series, and what fires in any of them', () => {
    const a = { ...series([1, null, 3], [2, null, 4]), firing: [[1000, 1100] as [number, number]] };
    const b = { ...series([null, 5, null]), firing: [[1050, 1200] as [number, number]] };
    expect(plotData([a, b])).toMatchObject({
      ...{ xs: [1050, 1150, 1250], range: { min: 1, max: 5 }, spacing: 2, firing: [[1000, 1200]] },
      ys: [
        [1, null, 3],
        [2, null, 4],
        [null, 5, null],
        [null, 5, null],
      ],
    });
    expect(plotData([])).toMatchObject({ xs: [], range: null });
  });

  test('spans that touch are one, whatever their order', () => {
    const span = fc.tuple(fc.nat(100), fc.nat(20)).map(([from, width]) => [from, from + width] as [number, number]);
    fc.assert(
      fc.property(fc.array(span), (spans) => {
        const found = joined(spans);
        for (let i = 1; i < found.length; i++) expect(found[i]![0]).toBeGreaterThan(found[i - 1]![1]);
        for (const [from, to] of spans) expect(found.some(([a, b]) => a <= from && to <= b)).toBe(true);
      }),
    );
  });

  test('thresholds are on the axis, with room above them', () => {
    const data = plotData([series([1, 2, 3])]);
    const [low, high] = axisRange(data, 10, 8);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(11);
    expect(axisRange(plotData([]), null, null)).toEqual([0, 1]);
    expect(axisRange(data, Number.MAX_VALUE, null)[1]).toBeLessThan(10);
  });

  test('a dragged number is one that people would write', () => {
    expect(roundFor(0.123_456, [0, 1])).toBe(0.12);
    expect(roundFor(12_345.678, [0, 20_000])).toBe(12_300);
    expect(roundFor(99.04, [0, 130])).toBe(99);
    expect(roundFor(5, [3, 3])).toBe(5);
  });

  test('a first threshold is near what was seen, and a first end on its other side', () => {
    expect(firstThreshold({ min: 0, max: 100 }, '>')).toBe(90);
    expect(firstThreshold({ min: 0, max: 100 }, '<')).toBe(10);
    expect(firstThreshold({ min: 7, max: 7 }, '>')).toBeLessThan(7.1);
    expect(firstClear(90, '>', [0, 100])).toBe(80);
    expect(firstClear(10, '<=', [0, 100])).toBe(20);
  });

  test('where there is something only at the end, it begins there', () => {
    expect(begins(plotData([series([null, null, null, null, null, null, 1, 2])]))).toBe(1450);
    expect(begins(plotData([series([1, null, null, null, null, null, 1, 2])]))).toBeNull();
    expect(begins(plotData([series([null, null])]))).toBeNull();
  });
});

const route = (name: string | null, channels: string[]): ShownRoute => ({
  ...{
    id: 'x',
    severities: [],
    matchers: name === null ? [] : [{ label: 'alarmname', op: '=', value: name }],
    channels,
  },
  ...{ group_by: [], group_wait: '0s', group_interval: '1m', repeat: '4h', resolved: true, more: false },
});
const channels = ['a', 'b'].map((id) => ({ id })) as Channel[];

describe('whom to tell of a rule', () => {
  test('is what its own route says', () => {
    expect(toldBy([route(null, ['a']), route('n', ['b'])], 'n')).toEqual(['b']);
    expect(toldBy([route(null, ['a'])], 'n')).toBeNull();
  });

  test('its own route comes first, follows its name and goes when it is not wanted', () => {
    const all = [route('n', ['b']), route(null, ['a'])];
    expect(routesFor(all, channels, { before: 'n', name: 'n', told: ['b'] })).toBeNull();
    expect(routesFor(all, channels, { before: 'n', name: 'm', told: ['a'] })).toEqual([route('m', ['a']), all[1]]);
    expect(routesFor(all, channels, { before: 'n', name: 'n', told: null })).toEqual([all[1]]);
    expect(routesFor([route(null, ['a'])], channels, { before: null, name: 'n', told: null })).toBeNull();
  });

  test('a first route leaves all other rules as they were told', () => {
    const made = routesFor([], channels, { before: null, name: 'n', told: ['a'] });
    expect(made).toEqual([
      { matchers: [{ label: 'alarmname', op: '=', value: 'n' }], channels: ['a'] },
      { channels: ['a', 'b'] },
    ]);
  });
});
