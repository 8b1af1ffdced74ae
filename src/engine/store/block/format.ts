/**
 * The numbers of the block format, which docs/store.md describes byte by byte: what the writer and the reader of blocks
 * have in common.
 */

/** "VgBk" as a little-endian number. */
export const MAGIC = 0x6b42_6756;
export const VERSION = 1;
export const HEADER_BYTES = 68;

/** A block that claims more than this is refused before anything is allocated. */
export const MAX_ROWS = 1_000_000;
/** Series × parts of a block. */
export const MAX_COLUMNS = 1 << 24;
export const MAX_PARTS = 16;
/** Bytes of a block. */
export const MAX_BLOCK_BYTES = 1 << 30;
/** Bytes of a part of a block once it is unpacked: five columns of most rows take less. */
export const MAX_UNPACKED = 1 << 27;

/**
 * Once the columns of a chunk take this many bytes before zstd, the next chunk begins: one series costs one chunk. Larger
 * ones gain about 1 % of room, and make one series of each of 512 ranks cost twice the time.
 */
export const CHUNK_BYTES = 8192;
/** Offsets in the header. */
export const AT = {
  magic: 0,
  version: 4,
  tier: 5,
  counterParts: 6,
  gaugeParts: 7,
  checksum: 8,
  length: 12,
  scope: 16,
  first: 24,
  last: 32,
  epoch: 40,
  rows: 44,
  counters: 48,
  gauges: 52,
  chunks: 56,
  indexPacked: 60,
  indexBytes: 64,
} as const;

export type BlockErrorCode =
  /** Not the beginning of a block. */
  | 'magic'
  /** A version of the format that is not known here. */
  | 'version'
  /** Shorter or longer than it says. */
  | 'length'
  /** The checksum does not fit: bytes were changed. */
  | 'checksum'
  /** More rows, columns or bytes than a block may have. */
  | 'limit'
  /** What it says contradicts itself. */
  | 'content';

/** Bytes that are not a block, or not a whole one. `code` is stable, the message is for people. */
export class BlockError extends Error {
  override readonly name = 'BlockError';
  readonly code: BlockErrorCode;

  constructor(code: BlockErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type Tier = 0 | 1 | 2;

/** Which numbers each series has in a block. */
export interface BlockShape {
  /** 0 raw samples, 1 minutes, 2 hours. */
  readonly tier: Tier;
  /** Columns per counter: 1 in raw blocks (total), 5 in tiers. */
  readonly counterParts: number;
  /** Columns per gauge: 4 in raw blocks (min, max, hits, total), 5 in tiers. */
  readonly gaugeParts: number;
}

/** Whose rows they are. */
export interface BlockIdentity {
  /** The scope's row in the database: a whole number, not negative. */
  readonly scope: number;
  /** Starts of the engine so far, u32. */
  readonly epoch: number;
}

/** What every row has beside the values of the series. */
export interface RowColumns {
  /** Milliseconds since the epoch, strictly growing, at least one. */
  readonly times: Float64Array;
  /** Milliseconds, per row in raw blocks; empty in tiers. */
  readonly intervals: Float64Array;
  /** Number of the tick, per row in raw blocks; empty in tiers. */
  readonly sequences: Uint32Array;
  /** 1 per row that a gap precedes, else 0, in raw blocks; empty in tiers. */
  readonly gaps: Uint8Array;
  /** Series known at each row; never falls. Earlier rows of a series are absent. */
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
}

/** What becomes a block. */
export interface BlockRows extends RowColumns {
  /**
   * One part of one series: a value per row, anything where it is absent. It is read before the next one is asked for,
   * so that the same array may be returned each time.
   */
  counter(place: number, part: number): Float64Array;
  gauge(place: number, part: number): Float64Array;
}
