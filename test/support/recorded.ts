/** The recordings in test/fixtures/store: what an engine kept of a node, an MPI program and a `find`, frame by frame. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { SeriesDef } from '../../src/shared/model/series.ts';

const folder = path.join(import.meta.dirname, '..', 'fixtures', 'store');

/** node-0 and node-1 follow each other: half an hour of one node. */
export const recordedNames = ['node-0', 'node-1', 'mpi', 'find'] as const;

export interface Recorded {
  readonly scope: string;
  readonly series: readonly SeriesDef[];
  /** In order of time; the first one is full. */
  readonly frames: readonly Uint8Array[];
}

export function recorded(name: (typeof recordedNames)[number]): Recorded {
  const bytes = zstdDecompressSync(readFileSync(path.join(folder, `${name}.zst`)));
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const [head, ...frames] = parts;
  const { scope, series } = JSON.parse(head!.toString('utf8')) as Omit<Recorded, 'frames'>;
  return { scope, series, frames };
}
