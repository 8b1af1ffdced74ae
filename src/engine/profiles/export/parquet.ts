/**
 * Parquet: the same rows as CSV, each column with its type. Row groups of a few megabytes are written as they become full,
 * so that memory does not grow with the file; what the footer needs of each is some hundred bytes.
 */

import { rowOf } from './csv.ts';
import type { ExportJob, ExportSeries, Values } from './job.ts';
import type { Out } from './out.ts';
import { Numbers, Times, Words, type Chunk } from './parquet-columns.ts';
import { ParquetFile, type Column } from './parquet-file.ts';

/** Of a row group. */
export const ROWS = 32_768;
const TEXTS = ['scope', 'job', 'rank', 'node', 'metric', 'kind', 'unit'] as const;

const columnsOf = (numbers: readonly string[]): Column[] => [
  { name: 'time', type: 'time', isOptional: false },
  ...TEXTS.map((name): Column => {
    const isRank = name === 'rank';
    return { name, type: isRank ? 'integer' : 'text', isOptional: isRank };
  }),
  ...numbers.map((name): Column => ({ name, type: 'number', isOptional: true })),
];

/** Rows until there are enough for a group. */
class Group {
  readonly #times = new Times(ROWS);
  readonly #words = TEXTS.map((name) => new Words(name === 'rank'));
  readonly #numbers: readonly Numbers[];
  rows = 0;

  constructor(numbers: readonly string[]) {
    this.#numbers = numbers.map(() => new Numbers(ROWS));
  }

  /** As many of the rows from `from` on as there is room for; returns the first that has none. */
  add(series: ExportSeries, times: BigInt64Array, values: Values, from: number): number {
    const { value, min, max, last } = values;
    const [begin, end] = [this.rows, Math.min(value.length, from + ROWS - this.rows)];
    const columns = last === null ? [value, min, max] : [value, min, max, last];
    for (let row = from; row < end; row++) {
      // Not known at this time: there is no row.
      while (row < end && isUnknown(value, last, row)) row++;
      const first = row;
      while (row < end && !isUnknown(value, last, row)) row++;
      if (row === first) break;
      this.#times.add(times.subarray(first, row));
      for (let i = 0; i < columns.length; i++) this.#numbers[i]!.add(columns[i]!, first, row);
      this.rows += row - first;
    }
    if (this.rows > begin) {
      for (const [i, cell] of rowOf(series).entries()) this.#words[i]!.add(cell, this.rows - begin);
    }
    return end;
  }

  /** Each column once; with the last one it begins anew. */
  take(column: number): Chunk {
    this.rows = 0;
    if (column === 0) return this.#times.take();
    const words = this.#words[column - 1];
    return words ? words.take() : this.#numbers[column - 1 - TEXTS.length]!.take();
  }
}

const isUnknown = (value: Float64Array, last: Float64Array | null, row: number): boolean =>
  Number.isNaN(value[row]) && (last === null || Number.isNaN(last[row]));

export async function writeParquet(job: ExportJob, out: Out): Promise<void> {
  const numbers = job.resolution === 'raw' ? ['value', 'min', 'max'] : ['avg', 'min', 'max', 'last'];
  const file = new ParquetFile(out, columnsOf(numbers));
  const group = new Group(numbers);
  const write = (): Promise<void> => file.group(group.rows, (column) => group.take(column));
  for await (const { times, series, values } of job.pieces()) {
    const stamps = BigInt64Array.from(times, (time) => BigInt(Math.round(time)));
    for (const [i, one] of series.entries()) {
      const columns = values(i);
      for (let row = 0; row < columns.value.length;) {
        row = group.add(one, stamps, columns, row);
        if (group.rows === ROWS) await write();
      }
    }
  }
  if (group.rows > 0) await write();
  const about = { ...job.engine, created: job.now, resolution: job.resolution, runs: job.runs };
  file.finish(`vigie version ${job.engine.version}`, { vigie: JSON.stringify(about) });
}
