/**
 * Parquet: the same rows as CSV, each column with its type. Row groups of a few megabytes are written as they become full,
 * so that memory does not grow with the file; what the footer needs of each is some hundred bytes.
 */

import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter, type ColumnSource, type SchemaElement } from 'hyparquet-writer';
import { rowOf } from './csv.ts';
import type { ExportJob, ExportSeries, Values } from './job.ts';
import type { Out } from './out.ts';

/** Of a row group. */
const ROWS = 32_768;
const TEXTS = ['scope', 'job', 'rank', 'node', 'metric', 'kind', 'unit'] as const;

const compress = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });

function schemaOf(numbers: readonly string[]): SchemaElement[] {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
  const columns: SchemaElement[] = [
    {
      ...{ name: 'time', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    },
    ...TEXTS.map((name): SchemaElement =>
      name === 'rank'
        ? { name, type: 'INT32', repetition_type: 'OPTIONAL' }
        : { name, repetition_type: 'REQUIRED', ...text },
    ),
    ...numbers.map((name): SchemaElement => ({ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' })),
  ];
  return [{ name: 'vigie', num_children: columns.length }, ...columns];
}

/** Rows until there are enough for a group. */
class Group {
  readonly #time = new Array<bigint>(ROWS);
  readonly #texts = TEXTS.map(() => new Array<string | number | null>(ROWS));
  readonly #numbers: ((number | null)[] | Float64Array)[];
  readonly #names: readonly string[];
  rows = 0;

  constructor(numbers: readonly string[]) {
    this.#names = numbers;
    // Of samples the value is always known: a typed array has no object for each number.
    const plain = (name: string): boolean => name === 'value';
    this.#numbers = numbers.map((name) => (plain(name) ? new Float64Array(ROWS) : new Array<number | null>(ROWS)));
  }

  /** As many of the rows from `from` on as there is room for; returns the first that has none. */
  add(series: ExportSeries, times: readonly bigint[], { value, min, max, last }: Values, from: number): number {
    const begin = this.rows;
    let row = from;
    const [values, mins, maxs, lasts] = this.#numbers;
    for (; row < value.length && this.rows < ROWS; row++) {
      const number = value[row]!;
      const known = number === number;
      if (!known && (last === null || last[row]! !== last[row]!)) continue;
      const at = this.rows++;
      this.#time[at] = times[row]!;
      if (known) values![at] = number;
      else (values as (number | null)[])[at] = null;
      mins![at] = min === null ? null : orNull(min[row]!);
      maxs![at] = max === null ? null : orNull(max[row]!);
      if (last !== null) lasts![at] = orNull(last[row]!);
    }
    for (const [i, cell] of rowOf(series).entries()) this.#texts[i]!.fill(cell, begin, this.rows);
    return row;
  }

  /** The columns, and begins anew: they are good until the next row is added. */
  take(): ColumnSource[] {
    const cut = <T extends { slice(from: number, to: number): T }>(column: T): T =>
      this.rows === ROWS ? column : column.slice(0, this.rows);
    const columns: ColumnSource[] = [
      // The same times come again for each series: packed, that costs next to nothing.
      { name: 'time', data: cut(this.#time), encoding: 'PLAIN' },
      ...TEXTS.map((name, i) => ({ name, data: cut(this.#texts[i]!), statistics: false })),
      // Values seldom come again: to look for that would cost more than it saves.
      ...this.#names.map((name, i) => ({
        ...{ name, data: cut(this.#numbers[i]!), statistics: false },
        encoding: 'PLAIN' as const,
      })),
    ];
    this.rows = 0;
    return columns;
  }
}

const orNull = (value: number): number | null => (value === value ? value : null);

/** Hands on what is written after each group, and begins its buffer anew. */
class Handing extends ByteWriter {
  readonly #out: Out;

  constructor(out: Out) {
    super(1 << 20);
    this.#out = out;
  }

  flush(): void {
    this.#out.put(new Uint8Array(this.buffer, 0, this.index));
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

export async function writeParquet(job: ExportJob, out: Out): Promise<void> {
  const numbers = job.resolution === 'raw' ? ['value', 'min', 'max'] : ['avg', 'min', 'max', 'last'];
  const about = { ...job.engine, created: job.now, resolution: job.resolution, runs: job.runs };
  const writer = new ParquetWriter({
    ...{ writer: new Handing(out), schema: schemaOf(numbers), codec: 'ZSTD', compressors: { ZSTD: compress } },
    ...{
      createdBy: `vigie version ${job.engine.version}`,
      kvMetadata: [{ key: 'vigie', value: JSON.stringify(about) }],
    },
  });
  const group = new Group(numbers);
  const write = async (): Promise<void> => {
    if (group.rows === 0) return;
    await writer.write({ columnData: group.take(), rowGroupSize: ROWS });
    if (out.full) await out.drained();
  };
  for await (const { times, series, values } of job.pieces()) {
    const stamps = Array.from(times, (time) => BigInt(Math.round(time)));
    for (const [i, one] of series.entries()) {
      const columns = values(i);
      for (let row = 0; row < columns.value.length;) {
        row = group.add(one, stamps, columns, row);
        if (group.rows === ROWS) await write();
      }
    }
  }
  await write();
  await writer.finish();
}
