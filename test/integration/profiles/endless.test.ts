/** An export of any size takes the memory of a few pieces, waits for its reader, and ends when nobody reads. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ExportQuery } from '../../../src/shared/api/exports.ts';
import { encodeFrame } from '../../../src/shared/frame.ts';
import type { SeriesDef } from '../../../src/shared/model/series.ts';
import type { Asked, Question } from '../../../src/engine/profiles/export/messages.ts';
import { ExportSession, type SessionEnd } from '../../../src/engine/profiles/export/session.ts';
import { run } from '../../unit/engine/store/support.ts';
import { eventually } from '../../support/wait.ts';

const SERIES = 200;
const DEFS = Array.from({ length: SERIES }, (_, index): SeriesDef => ({
  kind: 'counter',
  index,
  name: `c${index}`,
  doc: '',
}));
/** Ten gigabytes of CSV, and then some. */
const SECONDS = 1_000_000;
const MIB = 1024 * 1024;

function frameOf(time: number, full: boolean): Uint8Array {
  const counters = Float64Array.from({ length: SERIES }, (_, i) => time + i / 8);
  const columns = { counterCount: SERIES, gaugeCount: 0, counters, gauges: new Float64Array() };
  const header = { stream: 0, time, interval: 1000, sequence: time / 1000, gap: false };
  const bits = { counters: new Uint8Array(SERIES / 8).fill(0xff), gauges: new Uint8Array() };
  return encodeFrame(header, columns, full ? null : bits);
}

/** A store that never ends: what it has is made as it is asked for. */
function endless(seconds: number) {
  const asked = { frames: 0 };
  const answer = async (question: Question): Promise<Asked[keyof Asked][1]> => {
    switch (question.method) {
      case 'series':
        return [DEFS];
      case 'extent':
        return { from: 1000, to: seconds * 1000, rows: seconds, width: 0 };
      case 'frames': {
        const { from, to, limit } = question.argument;
        asked.frames++;
        const times = [];
        for (let time = Math.floor(from / 1000 + 1) * 1000; time <= to; time += 1000) times.push(time);
        if (times.length > limit) return { frames: [], truncated: true, defs: DEFS };
        return { frames: times.map((time, i) => frameOf(time, i === 0)), truncated: false, defs: DEFS };
      }
      default:
        return null;
    }
  };
  return { asked, answer };
}

function begin(format: string, seconds = SECONDS) {
  const { asked, answer } = endless(seconds);
  const ends: SessionEnd[] = [];
  const query = ExportQuery.parse({ format, run: 'r', ranks: false });
  const engine = { host: 'h', version: '0' };
  const session = new ExportSession(
    { query, runs: [run('r')], live: [], isEstimate: false, directory: null, now: 2e12, engine },
    answer,
    (end) => void ends.push(end),
  );
  // It is over when its thread is.
  onTestFinished(async () => {
    session.stop();
    await session.exited;
  });
  return { session, asked, ends };
}

test.each(['csv', 'parquet', 'openmetrics', 'json', 'trace'])(
  '%s: a slow reader is waited for; one who leaves ends it',
  { timeout: 300_000 },
  async (format) => {
    // OpenMetrics has a family together: all of the time is gone through for the first one.
    const seconds = format === 'openmetrics' ? SECONDS / 50 : SECONDS;
    const { session, asked, ends } = begin(format, seconds);
    const estimate = await session.estimate;
    expect(estimate.samples).toBe(SERIES * seconds);
    const stream = session.read();
    let bytes = 0;
    for await (const piece of stream.iterator({ destroyOnReturn: false })) {
      bytes += (piece as Uint8Array).length;
      if (bytes > (format === 'parquet' ? 2 : 12) * MIB) break;
    }
    // Nobody reads: after the few pieces that may be on their way it stands still.
    let before = -1;
    await eventually(async () => {
      const now = asked.frames;
      const still = now === before;
      before = now;
      await sleep(500);
      return still;
    });
    stream.destroy();
    expect(ends).toEqual([{ state: 'cancelled', error: null, damaged: 0 }]);
    const { frames } = asked;
    await sleep(500);
    expect(asked.frames).toBeLessThanOrEqual(frames + 1);
  },
);

test('CSV: memory does not grow with the file', { timeout: 300_000 }, async () => {
  const { session } = begin('csv');
  await session.estimate;
  const stream = session.read();
  let [bytes, early] = [0, 0];
  for await (const piece of stream) {
    bytes += (piece as Uint8Array).length;
    if (early === 0 && bytes > 40 * MIB) early = process.memoryUsage().rss;
    if (bytes > 400 * MIB) break;
  }
  // Ten times as much has gone by: of what grew with it there would be hundreds of megabytes.
  expect(process.memoryUsage().rss - early).toBeLessThan(150 * MIB);
});
