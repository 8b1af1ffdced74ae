/**
 * What an engine that starts again must know of a table to go on with it: the run and rank it counts as, and the last
 * value taken of each entry. The store keeps it as bytes, beside the samples that these values gave.
 */

import { z } from 'zod';

const Head = z.object({
  /** Id of the run. */
  run: z.string(),
  rank: z.int().min(0).optional(),
  /** That the run gave its rank. */
  number: z.int().min(0).optional().catch(undefined),
  launch: z.string().optional(),
  /** CPU seconds: given to the run by way of the table, and counted of its process. */
  cpu: z
    .object({ given: z.number().min(0), counted: z.number().min(0) })
    .optional()
    .catch(undefined),
});

export interface Mark extends z.infer<typeof Head> {
  /** 8 bytes per entry, as table.ts has them. */
  readonly values: Uint8Array;
}

export function encodeMark({ values, ...head }: Mark): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(4 + text.length + values.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(values, 4 + text.length);
  return bytes;
}

/** Null when the bytes are none: a disk may have flipped some. */
export function decodeMark(bytes: Uint8Array): Mark | null {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    const head = Head.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
    return { ...head, values: bytes.subarray(4 + length) };
  } catch {
    return null;
  }
}
