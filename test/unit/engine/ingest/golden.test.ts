import { describe, expect, test, vi } from 'vitest';
import { golden, messagesOf, readRecording, sumsOf } from '../../../support/recording.ts';
import { cut } from './streams.ts';
import { GRACE, harness, valuesOf, type Harness } from './harness.ts';

const NAMES = ['wire-capi-0', 'wire-mpi-0'] as const;

interface CompatProfile {
  readonly counters: readonly { readonly name: string; readonly ctype: Readonly<Record<string, object>> }[];
}

describe.each(NAMES)('the recording %s', (name) => {
  const recording = readRecording(name);
  const messages = messagesOf(recording);
  const { counters, gauges } = sumsOf(messages);
  const described = messages.flatMap((m) => ('Desc' in m ? [m.Desc] : []));
  const job = messages.flatMap((m) => ('JobDesc' in m ? [m.JobDesc] : []))[0]!;
  /** What must be there: all that was described, at 0 where no value came. */
  const expected = Object.fromEntries(
    described.map(
      (d) => ['Counter' in d.ctype ? [d.name, counters.get(d.name) ?? 0] : [d.name, gauges.get(d.name)]][0]!,
    ),
  );

  function replay(engine: Harness, pieces: readonly Uint8Array[]): void {
    const connection = engine.connect();
    for (const piece of pieces) expect(connection.push(piece)).toBe(true);
    expect(valuesOf(engine.run(job.jobid).scope)).toEqual(expected);
    connection.close();
  }

  const { bytes, chunks } = recording;
  test.each([
    ['at once', [bytes]],
    ['in the pieces it arrived in', chunks.map((c) => bytes.subarray(c.offset, c.offset + c.length))],
    ['byte by byte', cut(bytes, [...bytes.keys()])],
  ])('%s gives exactly the sums in it, and the profile keeps them', (_, pieces) => {
    vi.useFakeTimers();
    try {
      const engine = harness();
      replay(engine, pieces);
      expect([...engine.stats.rejected]).toEqual([]);
      expect(engine.stats.messages).toBe(messages.length);
      vi.advanceTimersByTime(GRACE);

      const [profile] = engine.profiles;
      expect(profile!.run).toMatchObject({
        ...job,
        state: 'finished',
        ranks: 1,
        clients: 0,
        series: described.length,
        end_time: expect.any(Number),
      });
      const values = profile!.series.map((s) => [s.name, s.kind === 'counter' ? s.value : s.gauge]);
      expect(Object.fromEntries(values)).toEqual(expected);
      const own = profile!.series.map((s) => s.value);
      expect(profile!.ranks).toEqual([{ rank: 0, node: 'n1', values: own }]);
    } finally {
      vi.useRealTimers();
    }
  });
});

test('the other proxy made the same profile of the same bytes, where it kept a value', () => {
  const { counters, gauges } = sumsOf(messagesOf(readRecording('wire-capi-0')));
  const theirs = (golden('profiles_get_capi.json') as CompatProfile).counters.filter(
    (c) => counters.has(c.name) || gauges.has(c.name),
  );
  expect(theirs.length).toBeGreaterThan(3);
  for (const { name, ctype } of theirs) {
    if ('Gauge' in ctype) expect([name, ctype.Gauge]).toEqual([name, gauges.get(name)]);
    else expect([name, ctype['Counter']]).toEqual([name, { ts: expect.any(Number), value: counters.get(name) }]);
  }
});
