/** docs/protocol.md says what the code does: its tables and its example are read and compared. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Reason } from '../../../../src/engine/ingest/messages.ts';
import { LiveEvent, LiveRequest } from '../../../../src/shared/api/live.ts';
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES } from '../../../../src/shared/frame.ts';

const text = readFileSync(join(import.meta.dirname, '../../../../docs/protocol.md'), 'utf8');

/** The part below a heading, up to the next one of any level. */
function section(heading: string): string {
  const start = text.indexOf(`\n${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const rest = text.slice(start + heading.length + 2);
  return rest.slice(0, /^#/m.exec(rest)?.index ?? rest.length);
}

/** What stands in backquotes in the first column of a section's tables. */
const firstColumn = (part: string): string[] =>
  [...part.matchAll(/^\| (`[^|]+)\|/gm)]
    .flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))
    // The head of a table.
    .filter((name) => name !== 'type');

/** Every reason, held complete by the compiler. */
const REASONS: Readonly<Record<Reason, true>> = {
  malformed_json: true,
  invalid_utf8: true,
  unknown_kind: true,
  wrong_type: true,
  not_finite: true,
  negative_increase: true,
  invalid_gauge: true,
  value_before_desc: true,
  value_of_other_kind: true,
  sum_overflow: true,
  message_too_long: true,
  name_reserved: true,
  engine_full: true,
  memory_full: true,
  too_many_runs: true,
  too_many_rank_values: true,
  announce_malformed: true,
  table_elsewhere: true,
  table_missing: true,
  table_not_private: true,
  table_too_large: true,
  table_invalid: true,
  too_many_tables: true,
  name_empty: true,
  name_too_long: true,
  name_control_character: true,
  name_too_many_labels: true,
  type_conflict: true,
  too_many_series: true,
  jobid_empty: true,
  jobid_too_long: true,
  jobid_reserved: true,
  jobid_control_character: true,
};

test('every reason for which a message is not taken is explained, and no other', () => {
  expect(firstColumn(section('### Reasons')).toSorted()).toEqual(Object.keys(REASONS).toSorted());
});

test('every message of the live socket is described, and no other', () => {
  const part = section('## The live socket');
  const ours = LiveEvent.options.map((option) => option.shape.type.value);
  const theirs = LiveRequest.options.map((option) => option.shape.type.value);
  expect(firstColumn(part).toSorted()).toEqual([...ours, ...theirs].toSorted());
});

test('every field of a message stands in its row', () => {
  for (const option of [...LiveEvent.options, ...LiveRequest.options]) {
    const { type, ...fields } = option.shape;
    const row = section('## The live socket')
      .split('\n')
      .find((line) => line.startsWith('| `') && firstColumn(line).includes(type.value));
    for (const field of Object.keys(fields)) expect(row, type.value).toContain(`\`${field}\``);
  }
});

test('the example of a frame is one, byte by byte', () => {
  const bytes = Uint8Array.from(
    section('## Frames')
      .split('\n')
      .filter((line) => /^ {4}([0-9A-F]{2} *)+$/.test(line))
      .flatMap((line) => line.trim().split(/ +/))
      .map((byte) => Number.parseInt(byte, 16)),
  );
  const header = { stream: 7, time: 1, interval: 3, sequence: 9, gap: false };
  const columns = { counterCount: 1, gaugeCount: 0, counters: Float64Array.of(1.5), gauges: new Float64Array(0) };
  const changed = { counters: Uint8Array.of(1), gauges: new Uint8Array(0) };
  expect(bytes).toEqual(new Uint8Array(encodeFrame(header, columns, changed)));
  expect(decodeFrame(bytes)).toMatchObject({ ...header, full: false, counterCount: 1, gaugeCount: 0 });
});

test('the table of the frame has the offsets of the code', () => {
  const rows = [...section('## Frames').matchAll(/^\| (\d+) +\| (u8|u16|u32|f64) +\| ([a-zA-Z ]+)/gm)];
  const sizes = { u8: 1, u16: 2, u32: 4, f64: 8 };
  let at = 0;
  for (const [, offset, type] of rows) {
    expect(Number(offset)).toBe(at);
    at += sizes[type as keyof typeof sizes];
  }
  expect(at).toBe(FRAME_HEADER_BYTES);
});
