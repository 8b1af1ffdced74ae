import { describe, expect, test } from 'vitest';
import { firstKnown, mergeBack, rebucket } from '../../../../src/engine/remote-write/merge-back.ts';
import { partExpressions, questionOf, selector } from '../../../../src/engine/remote-write/promql.ts';
import { queryBack } from '../../../../src/engine/remote-write/query-back.ts';
import { Reader, type BackQuery } from '../../../../src/engine/remote-write/read-back.ts';
import { RemoteWriteSettings } from '../../../../src/engine/remote-write/settings.ts';
import type { Answer, Question } from '../../../../src/engine/remote-write/transport.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';

const [SETTINGS] = RemoteWriteSettings.parse([
  { url: 'http://127.0.0.1:1/api/v1/write', read_url: 'http://127.0.0.1:1/prom/', name: 'far', interval: '1s' },
]);

const ok = (result: unknown[]): Answer => ({
  status: 200,
  retryAfter: undefined,
  body: JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }),
});
const query = (more: Partial<BackQuery> = {}): BackQuery => ({
  scope: 'node/n1',
  series: [{ key: 'c', name: 'c', kind: 'counter' }],
  ...{ from: 100_000, to: 400_000, step: 60_000 },
  ...more,
});
const values = (part: string, ...list: [number, string][]): object => ({ metric: { vigie_part: part }, values: list });

function readerOf(reply: (question: Question) => Answer | Promise<Answer>, now = () => 0): [Reader, Question[]] {
  const asked: Question[] = [];
  const transport = {
    post(question: Question): Promise<Answer> {
      asked.push(question);
      return Promise.resolve(reply(question));
    },
  };
  return [new Reader(SETTINGS!, transport, 'n1', now), asked];
}

const idle = new AbortController().signal;

describe('the question', () => {
  test('asks for exactly the series, whatever stands in its labels', () => {
    expect(selector([['a', '"\\\n']], ['run'])).toBe(String.raw`{a="\"\\\n",run=""}`);
  });

  test('looks at each rate, and in wide buckets at as many as can be afforded', () => {
    expect(partExpressions('S', 'counter', 60_000, 1000).max).toBe('max_over_time(irate(S[3000ms])[60000ms:1000ms])');
    expect(partExpressions('S', 'counter', 3_600_000, 1000).max).toBe(
      'max_over_time(rate(S[31000ms])[3600000ms:30000ms])',
    );
    expect(partExpressions('S', 'counter', 1000, 1000).max).toBe('irate(S[3000ms])');
    expect(partExpressions('S', 'gauge', 60_000, 1000).min).toBe('min_over_time(S[60000ms])');
  });

  test('has all parts of all series in one', () => {
    const text = questionOf(
      [
        { selector: 'A', kind: 'gauge' },
        { selector: 'B', kind: 'gauge' },
      ],
      60_000,
      1000,
    );
    expect(text.match(/"\d:\w+"/g)).toEqual(
      ['0', '1'].flatMap((i) => ['min', 'avg', 'max', 'last'].map((p) => `"${i}:${p}"`)),
    );
  });

  test('is evaluated at the end of each bucket, of the scope’s series only', async () => {
    const [reader, asked] = readerOf(() => ok([values('0:max', [160 - 0.001, '7'], [400 - 0.001, '9'])]));
    const result = await reader.read(query(), idle);
    expect(result.times).toEqual([100_000, 160_000, 220_000, 280_000, 340_000]);
    expect(result.series[0]).toMatchObject({
      key: 'c',
      max: [7, null, null, null, 9],
      min: [null, null, null, null, null],
    });
    const form = new URLSearchParams(asked[0]!.body as string);
    expect(asked[0]!.url.href).toBe('http://127.0.0.1:1/prom/api/v1/query_range');
    expect([form.get('start'), form.get('end'), form.get('step')]).toEqual(['159.999', '399.999', '60.000']);
    expect(form.get('query')).toContain(
      '{__name__="c",instance="n1",job="vigie",jobid="",run="",target="",vigie_name=""}',
    );
  });

  test('a run’s series are told by the run, of whatever job', async () => {
    const [reader, asked] = readerOf(() => ok([]));
    await reader.read(query({ scope: 'run/r1' }), idle);
    const text = new URLSearchParams(asked[0]!.body as string).get('query')!;
    expect(text).toContain('run="r1",target=""');
    expect(text).not.toContain('jobid');
  });

  test('many series and points are several questions', async () => {
    const [reader, asked] = readerOf(() => ok([]));
    const series = Array.from({ length: 40 }, (_, i) => ({ key: `s${i}`, name: `s${i}`, kind: 'gauge' as const }));
    await reader.read(query({ series }), idle);
    expect(asked.length).toBe(3);
    asked.splice(0);
    await reader.read(query({ from: 0, to: 25_000 * 1000, step: 1000 }), idle);
    expect(asked.length).toBe(3);
  });
});

describe('a destination that is not what it should be', () => {
  test.each([
    [
      'an error',
      { ...ok([]), status: 422, body: '{"status":"error","error":"too many samples"}' },
      '422: too many samples',
    ],
    ['a page', { ...ok([]), body: '<html>' }, 'not that of a Prometheus query API'],
    [
      'another shape',
      { ...ok([]), body: '{"status":"success","data":{"resultType":"vector","result":[]}}' },
      'not that',
    ],
    ['too much', ok(Array.from({ length: 2000 }, () => values('0:max'))), 'not that'],
  ])('%s is refused in words', async (_, answer, words) => {
    const [reader] = readerOf(() => answer);
    await expect(reader.read(query(), idle)).rejects.toThrow(words);
  });

  test('series, parts and times that were not asked for, and NaN, are left out', async () => {
    const odd = [
      values('0:max', [0, '1'], [1e9, '1'], [160 - 0.001, 'NaN'], [220 - 0.001, '+Inf']),
      values('7:max', [160 - 0.001, '1']),
      values('0:key', [160 - 0.001, '1']),
      values('x:max', [160 - 0.001, '1']),
      { metric: {}, values: [[160 - 0.001, '1']] },
    ];
    const [reader] = readerOf(() => ok(odd));
    expect(firstKnown(await reader.read(query(), idle))).toBe(Infinity);
  });

  test('is left alone for a while after it failed, unless it was the one who asked that went away', async () => {
    let now = 0;
    let fails = true;
    const [reader, asked] = readerOf(
      () => (fails ? Promise.reject(new Error('no answer within 10 s')) : ok([])),
      () => now,
    );
    const gone = AbortSignal.abort();
    await expect(reader.read(query(), gone)).rejects.toThrow();
    await expect(reader.read(query(), idle)).rejects.toThrow('far cannot be read: no answer within 10 s');
    await expect(reader.read(query(), idle)).rejects.toThrow('it failed a moment ago');
    expect(asked.length).toBe(2);
    fails = false;
    now = 20_000;
    await reader.read(query(), idle);
  });
});

const column = (...list: (number | null)[]) => ({ min: list, avg: list, max: list, last: list });
const own: RangeResult = {
  ...{ scope: 'node/n1', from: 0, to: 50, step: 10, times: [0, 10, 20, 30, 40] },
  series: [{ key: 'g', name: 'g', kind: 'gauge', ...column(null, null, null, 7, 8) }],
};

describe('one answer out of two', () => {
  test('what was read stands where the own store has nothing', () => {
    const back: RangeResult = { ...own, times: [10, 20, 30], series: [{ ...own.series[0]!, ...column(1, 2, 3) }] };
    expect(mergeBack(own, back).series[0]!.avg).toEqual([null, 1, 2, 7, 8]);
  });

  test('samples become buckets', () => {
    const raw: RangeResult = {
      ...own,
      step: 0,
      times: [20, 24, 50],
      series: [{ ...own.series[0]!, ...column(1, 4, 9) }],
    };
    expect(rebucket(raw, 0, 50, 10)).toEqual({
      ...own,
      series: [
        {
          ...{ key: 'g', name: 'g', kind: 'gauge' },
          min: [null, null, 1, null, 9],
          avg: [null, null, 2.5, null, 9],
          max: [null, null, 4, null, 9],
          last: [null, null, 4, null, 9],
        },
      ],
    });
  });

  const ask = (over: Partial<Parameters<typeof queryBack>[0]>, answer: () => Promise<RangeResult | null>) => {
    const asked: BackQuery[] = [];
    const remote = {
      readable: true,
      readBack(back: BackQuery) {
        asked.push(back);
        return answer();
      },
    };
    const result = queryBack({
      ...{ remote, own, series: [], since: 0, signal: idle },
      query: { scope: 'node/n1', from: 0, to: 50, maxPoints: 10 },
      ...over,
    });
    return { asked, result };
  };

  test('only what is missing is asked for, and nothing of before the run began', async () => {
    const { asked, result } = ask({}, () => Promise.resolve(null));
    expect(await result).toBe(own);
    expect(asked).toMatchObject([{ from: 0, to: 30, step: 10 }]);
    const later = ask({ since: 12 }, () => Promise.resolve(null));
    await later.result;
    expect(later.asked).toMatchObject([{ from: 10, to: 30, step: 10 }]);
    const none = ask({ since: 25 }, () => Promise.resolve(null));
    await none.result;
    expect(none.asked).toEqual([]);
  });

  test('what fails there is a note here', async () => {
    const { result } = ask({}, () => Promise.reject(new Error('far cannot be read: it hangs')));
    expect(await result).toEqual({ ...own, note: 'far cannot be read: it hangs' });
  });

  test('of a scope that the own store does not know all is read', async () => {
    const series = [{ key: 'g', name: 'g', kind: 'gauge' as const }];
    const back: RangeResult = { ...own, times: [0, 10], series: [{ ...own.series[0]!, ...column(1, 2) }] };
    const { asked, result } = ask({ own: null, series, query: { scope: 'run/r', from: 0, to: 50, maxPoints: 6 } }, () =>
      Promise.resolve(back),
    );
    const answer = await result;
    expect(asked[0]).toMatchObject({ from: 0, to: 50, step: 10 });
    expect([answer!.times, answer!.series[0]!.last]).toEqual([own.times, [1, 2, null, null, null]]);
  });
});
