import { FrameRows } from '../../store/rows.ts';
import { MOMENT } from '../../store/block-table.ts';
import type { Replay } from '../../store/replay.ts';
import { firstRow } from '../../store/rows.ts';
import { atOnce } from '../../store/sqlite-reader.ts';
import type { TimedFrame } from '../../store/tail.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { SampleRows } from './source.ts';

/** Numbers of one piece, some 4 MB. */
const PIECE_NUMBERS = 500_000;
const LEAST_ROWS = 16;

/** Frames as columns, a few megabytes at a time. `replay`: has the frames before these. */
export function* framePieces(
  frames: readonly TimedFrame[],
  replay: Replay,
  after: number,
  to: number,
  defs: readonly SeriesDef[],
): Generator<SampleRows, void> {
  const width = defs.reduce((sum, { kind }) => sum + (kind === 'counter' ? 1 : GAUGE_WIDTH), 1);
  const most = Math.max(LEAST_ROWS, Math.floor(PIECE_NUMBERS / width));
  for (let at = 0; at < frames.length; at += most) {
    const rows = atOnce(FrameRows.of(frames.slice(at, at + most), replay));
    const [start, end] = [firstRow(rows.times, after + MOMENT), firstRow(rows.times, to + MOMENT)];
    if (start >= end) continue;
    const { counterCount, gaugeCount } = replay.state;
    const known = defs.filter(({ kind, index }) => index < (kind === 'counter' ? counterCount : gaugeCount));
    yield {
      ...{ defs: known, times: rows.times, start, end },
      counter: (place) => rows.counter(place),
      gauge: (place) => Array.from({ length: GAUGE_WIDTH }, (_, part) => rows.gauge(place, part)),
    };
  }
}
