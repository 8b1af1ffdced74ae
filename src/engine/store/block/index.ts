/** Blocks: the samples of a scope over a span of time, column by column, compressed. docs/store.md has the bytes. */

export { Block } from './block.ts';
export { encodeBlock, encodeSteps } from './encode.ts';
export { BlockError, type BlockRows, type BlockShape, type RowColumns } from './format.ts';
export type { ReadRows } from './rows.ts';
