import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../../src/renderer/data/api.ts';
import type { Range } from '../../../../src/renderer/data/api.ts';
import { RangeLoader } from '../../../../src/renderer/data/ranges.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const NOW = 1_000_000_000;
const range = (from: number, to = from + 60_000): Range => ({ scope: 'run/x', series: [], from, to, maxPoints: 10 });
const answer = ({ from, to }: Range): RangeResult => ({ scope: 'run/x', from, to, step: 0, times: [], series: [] });

interface Asked {
  readonly range: Range;
  readonly signal: AbortSignal;
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

function engine() {
  const asked: Asked[] = [];
  let now = NOW;
  const loader = new RangeLoader({
    query: (of, signal) =>
      new Promise<RangeResult>((resolve, fail) => {
        asked.push({ range: of, signal, answer: () => resolve(answer(of)), fail });
      }),
    now: () => now,
  });
  return { asked, loader, wait: (ms: number) => (now += ms) };
}

describe('RangeLoader', () => {
  test('one question is asked once however many want its answer, and the past need not be asked again', async () => {
    const { asked, loader, wait } = engine();
    const both = Promise.all([loader.load(range(1000)), loader.load(range(1000))]);
    expect(asked).toHaveLength(1);
    asked[0]!.answer();
    expect(await both).toEqual([answer(range(1000)), answer(range(1000))]);
    wait(60_000);
    expect(await loader.load(range(1000))).toEqual(answer(range(1000)));
    expect(asked).toHaveLength(1);
    wait(3_600_000);
    const again = loader.load(range(1000));
    expect(asked).toHaveLength(2);
    asked[1]!.answer();
    await again;
  });

  test('what ends now is soon asked again', async () => {
    const { asked, loader, wait } = engine();
    const first = loader.load(range(NOW - 1000));
    asked[0]!.answer();
    await first;
    wait(5000);
    void loader.load(range(NOW - 1000));
    expect(asked).toHaveLength(2);
    asked[1]!.answer();
  });

  test('a question is given up when nobody wants it any more, and only then', async () => {
    const { asked, loader } = engine();
    const [one, two] = [new AbortController(), new AbortController()];
    const results = [loader.load(range(1000), one.signal), loader.load(range(1000), two.signal)];
    one.abort();
    await expect(results[0]).rejects.toThrow();
    await sleep(10);
    expect(asked[0]!.signal.aborted).toBe(false);
    two.abort();
    await expect(results[1]).rejects.toThrow();
    await expect.poll(() => asked[0]!.signal.aborted).toBe(true);
    void loader.load(range(1000));
    expect(asked).toHaveLength(2);
  });

  test('who asks right after the last one has left goes on with the same question', async () => {
    const { asked, loader } = engine();
    const gone = new AbortController();
    const left = loader.load(range(1000), gone.signal);
    gone.abort();
    const next = loader.load(range(1000));
    await expect(left).rejects.toThrow();
    await sleep(10);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.signal.aborted).toBe(false);
    asked[0]!.answer();
    expect(await next).toEqual(answer(range(1000)));
  });

  test('what may pass is asked again, what is wrong is not', async () => {
    const { asked, loader } = engine();
    const passing = loader.load(range(1000));
    asked[0]!.fail(new RequestError('overloaded', 'too much to do'));
    await expect.poll(() => asked.length, { timeout: 10_000 }).toBe(2);
    asked[1]!.answer();
    expect(await passing).toEqual(answer(range(1000)));
    const wrong = loader.load(range(2000));
    asked[2]!.fail(new RequestError('bad_request', 'not a range'));
    await expect(wrong).rejects.toThrow('not a range');
    expect(asked).toHaveLength(3);
  });
});
