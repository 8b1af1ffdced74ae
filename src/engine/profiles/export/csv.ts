/**
 * CSV (RFC 4180): a row for each value of each series, a head, UTF-8, lines end with CR LF. Times are UTC. A text that a
 * spreadsheet would take for a formula gets an apostrophe before it.
 */

import type { ExportJob, ExportSeries, Values } from './job.ts';
import { NUMBER_BYTES, writeAscii, writeNumber } from './numbers.ts';
import type { Out } from './out.ts';

const COMMA = 0x2c;
const CR = 0x0d;
const LF = 0x0a;
/** 2026-11-21T08:15:03.000Z */
const TIME_BYTES = 24;
const NEAR = [-62_135_596_800_000, 253_402_300_799_999] as const;

/** What begins a formula in a spreadsheet. */
const FORMULA = /^[=+\-@\t\r]/;

export function csvText(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const HEAD = ['time', 'scope', 'job', 'rank', 'node', 'metric', 'kind', 'unit'];

/** All of a row between its time and its numbers. */
export const rowOf = ({ scope, key, kind, unit }: ExportSeries): (string | number | null)[] => [
  scope.scope,
  scope.run?.jobid ?? '',
  scope.rank,
  scope.node,
  key,
  kind,
  unit,
];

export async function writeCsv(job: ExportJob, out: Out): Promise<void> {
  const numbers = job.resolution === 'raw' ? ['value', 'min', 'max'] : ['avg', 'min', 'max', 'last'];
  out.text(`${[...HEAD, ...numbers].join(',')}\r\n`);
  const encoder = new TextEncoder();
  for await (const { times, series, values } of job.pieces()) {
    const stamps = timeBytes(times);
    for (const [i, one] of series.entries()) {
      const text = rowOf(one).map((about) => (typeof about === 'string' ? csvText(about) : (about ?? '')));
      writeRows(out, stamps, encoder.encode(`,${text.join(',')},`), values(i));
      if (out.full) await out.drained();
    }
  }
}

function writeRows(out: Out, stamps: Uint8Array, middle: Uint8Array, { value, min, max, last }: Values): void {
  const most = TIME_BYTES + middle.length + 4 * (NUMBER_BYTES + 1) + 2;
  for (let row = 0; row < value.length; row++) {
    const number = value[row]!;
    // Not known at this time: there is no row.
    if (number !== number && (last === null || last[row]! !== last[row]!)) continue;
    const into = out.reserve(most);
    let { at } = out;
    for (let i = row * TIME_BYTES, end = i + TIME_BYTES; i < end; i++) into[at++] = stamps[i]!;
    into.set(middle, at);
    at = cell(into, at + middle.length, number);
    into[at++] = COMMA;
    if (min !== null) at = cell(into, at, min[row]!);
    into[at++] = COMMA;
    if (max !== null) at = cell(into, at, max[row]!);
    if (last !== null) {
      into[at++] = COMMA;
      at = cell(into, at, last[row]!);
    }
    into[at] = CR;
    into[at + 1] = LF;
    out.at = at + 2;
  }
}

/** Empty: not known. */
function cell(into: Uint8Array, at: number, value: number): number {
  if (value !== value) return at;
  if (value === Infinity || value === -Infinity) return writeAscii(into, at, value > 0 ? 'Inf' : '-Inf');
  return writeNumber(into, at, value);
}

/** Each time once, for all the series that have it. */
function timeBytes(times: Float64Array): Uint8Array {
  const stamps = new Uint8Array(times.length * TIME_BYTES);
  for (const [i, time] of times.entries()) {
    // Years of four digits: what is not of these is no time of a sample.
    const near = Math.max(NEAR[0], Math.min(NEAR[1], Math.round(time)));
    writeAscii(stamps, i * TIME_BYTES, new Date(near).toISOString());
  }
  return stamps;
}
