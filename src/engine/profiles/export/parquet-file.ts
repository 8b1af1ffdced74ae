/**
 * The file around the columns: pages, groups of rows, and the footer that says where all of them are. Of each group only
 * the footer's bytes are kept, some hundred, so that a file of any size fits into little memory.
 */

import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import type { Out } from './out.ts';
import { TYPE, type Chunk, type PhysicalType } from './parquet-columns.ts';

/** `time`: ms since the epoch; `text`: UTF-8. */
export type ColumnType = 'time' | 'text' | 'integer' | 'number';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Some of its rows have no value. */
  readonly isOptional: boolean;
}

// As the format numbers them: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
const [PLAIN, RLE, RLE_DICTIONARY] = [0, 3, 8];
const [UNCOMPRESSED, ZSTD] = [0, 6];
const [UTF8, TIMESTAMP_MILLIS] = [0, 9];
const STRUCT_LIST = 0x19;
const LONG_LIST = 0xfc;

const MAGIC = new TextEncoder().encode('PAR1');
/** Less is not worth the call. */
const LEAST_PACKED = 1024;
/** Of the footer, before its bytes are put aside. */
const FOOTER_PART = 1 << 16;
const PHYSICAL: Readonly<Record<ColumnType, PhysicalType>> = {
  time: TYPE.int64,
  text: TYPE.bytes,
  integer: TYPE.int32,
  number: TYPE.double,
};
/** Converted and logical type, for old readers and new ones. */
const MEANING = {
  time: { field_6: TIMESTAMP_MILLIS, field_10: { field_8: { field_1: true, field_2: { field_1: {} } } } },
  text: { field_6: UTF8, field_10: { field_1: {} } },
  integer: {},
  number: {},
} as const;

/** In pieces of a quarter: most pages become as small as one of them, and the rest of a larger one would be for nothing. */
const compress = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: bytes.length,
    chunkSize: Math.max(LEAST_PACKED, bytes.length >> 2),
  });

export class ParquetFile {
  readonly #out: Out;
  readonly #columns: readonly Column[];
  readonly #header = new ByteWriter();
  #at = 0;
  #rows = 0;
  #groups = 0;
  /** Of the groups so far, as the footer has them. */
  readonly #parts: Uint8Array[] = [];
  readonly #part = new ByteWriter(2 * FOOTER_PART);

  constructor(out: Out, columns: readonly Column[]) {
    this.#out = out;
    this.#columns = columns;
    this.#put(MAGIC);
  }

  #put(bytes: Uint8Array): void {
    this.#out.put(bytes);
    this.#at += bytes.length;
  }

  /** `take`: the chunk of each column, in turn, each written before the next is asked for. Rejects with Stopped. */
  async group(rows: number, take: (column: number) => Chunk): Promise<void> {
    const begin = this.#at;
    const chunks: object[] = [];
    let unpacked = 0;
    for (const [i, column] of this.#columns.entries()) {
      const { about, size } = this.#chunk(column, take(i));
      chunks.push(about);
      unpacked += size;
      if (this.#out.full) await this.#out.drained();
    }
    serializeTCompactProtocol(this.#part, {
      ...{ field_1: chunks, field_2: BigInt(unpacked), field_3: BigInt(rows) },
      ...{ field_5: BigInt(begin), field_6: BigInt(this.#at - begin) },
    });
    if (this.#part.index >= FOOTER_PART) {
      this.#parts.push(this.#part.getBytes().slice());
      this.#part.index = 0;
    }
    this.#rows += rows;
    this.#groups++;
  }

  #chunk(column: Column, chunk: Chunk): { readonly about: object; readonly size: number } {
    const { rows, nulls, levels, values, dictionary, bounds } = chunk;
    const begin = this.#at;
    const isPacked = values.length + (dictionary?.values.length ?? 0) >= LEAST_PACKED;
    const pack = isPacked ? compress : (bytes: Uint8Array): Uint8Array => bytes;
    let size = 0;
    if (dictionary) {
      const packed = pack(dictionary.values);
      size += dictionary.values.length;
      size += this.#pageHeader({
        type: 'DICTIONARY_PAGE',
        uncompressed_page_size: dictionary.values.length,
        compressed_page_size: packed.length,
        dictionary_page_header: { num_values: dictionary.count, encoding: 'PLAIN' },
      });
      this.#put(packed);
    }
    const data = this.#at;
    const packed = pack(values);
    size += levels.length + values.length;
    size += this.#pageHeader({
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levels.length + values.length,
      compressed_page_size: levels.length + packed.length,
      data_page_header_v2: {
        ...{ num_values: rows, num_nulls: nulls, num_rows: rows, encoding: dictionary ? 'RLE_DICTIONARY' : 'PLAIN' },
        ...{ definition_levels_byte_length: levels.length, repetition_levels_byte_length: 0, is_compressed: isPacked },
      },
    });
    this.#put(levels);
    this.#put(packed);
    const meta = {
      field_1: PHYSICAL[column.type],
      field_2: [PLAIN, RLE, ...(dictionary ? [RLE_DICTIONARY] : [])],
      field_3: [column.name],
      field_4: isPacked ? ZSTD : UNCOMPRESSED,
      field_5: BigInt(rows),
      field_6: BigInt(size),
      field_7: BigInt(this.#at - begin),
      field_9: BigInt(data),
      field_11: dictionary ? BigInt(begin) : undefined,
      field_12: bounds ? { field_3: BigInt(nulls), field_5: bounds.max, field_6: bounds.min } : undefined,
    };
    return { about: { field_2: BigInt(begin), field_3: meta }, size };
  }

  /** Returns its length. */
  #pageHeader(header: Parameters<typeof writePageHeader>[1]): number {
    this.#header.index = 0;
    writePageHeader(this.#header, header);
    this.#put(this.#header.getBytes());
    return this.#header.index;
  }

  /** `metadata`: texts by their keys. */
  finish(createdBy: string, metadata: Readonly<Record<string, string>>): void {
    const schema = this.#columns.map(({ name, type, isOptional }) => ({
      ...{ field_1: PHYSICAL[type], field_3: isOptional ? 1 : 0, field_4: name },
      ...MEANING[type],
    }));
    const begin = this.#at;
    const head = new ByteWriter();
    serializeTCompactProtocol(head, {
      ...{ field_1: 2, field_2: [{ field_4: 'vigie', field_5: schema.length }, ...schema] },
      field_3: BigInt(this.#rows),
    });
    // The struct goes on: its end is taken back, and the list of groups is its fourth field.
    head.index--;
    head.appendUint8(STRUCT_LIST);
    if (this.#groups < 15) head.appendUint8((this.#groups << 4) | (LONG_LIST & 0xf));
    else {
      head.appendUint8(LONG_LIST);
      head.appendVarInt(this.#groups);
    }
    this.#put(head.getBytes());
    for (const part of this.#parts) this.#put(part);
    this.#put(this.#part.getBytes());
    const tail = new ByteWriter();
    // Fields are told by their distance from the one before: these are the fifth to the seventh.
    serializeTCompactProtocol(tail, {
      field_1: Object.entries(metadata).map(([key, value]) => ({ field_1: key, field_2: value })),
      field_2: createdBy,
      field_3: schema.map(() => ({ field_1: {} })),
    });
    this.#put(tail.getBytes());
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, this.#at - begin, true);
    this.#put(length);
    this.#put(MAGIC);
  }
}
