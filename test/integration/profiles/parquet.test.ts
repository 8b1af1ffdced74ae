/** The bytes of a Parquet file, read by pyarrow: many groups, values that come and go, dictionaries of any size. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Out } from '../../../src/engine/profiles/export/out.ts';
import { Numbers, Times, Words } from '../../../src/engine/profiles/export/parquet-columns.ts';
import { ParquetFile } from '../../../src/engine/profiles/export/parquet-file.ts';
import { requireReaders } from '../../support/python.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const SCRIPT = `
import sys, json, pyarrow.parquet as pq
file = pq.ParquetFile(sys.argv[1])
groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
first = groups[0].column(0).statistics
print(json.dumps({
  'groups': [group.num_rows for group in groups],
  'columns': file.read().to_pydict() | {'time': file.read().column('time').cast('int64').to_pylist()},
  'nulls': [sum(g.column(c).statistics.null_count for g in groups) if groups[0].column(c).statistics else None for c in range(4)],
  'bounds': [first.min.timestamp(), first.max.timestamp()], 'key': file.metadata.metadata[b'about'].decode()}))
`;
const T0 = 1_790_000_000_000;
/** More than a list may have whose length is in its first byte. */
const GROUPS = 17;
const MOST = 3000;

/** Whether a row has a value: never, always, seldom, by turns, in runs, half of the time. */
const PATTERNS: readonly ((row: number) => boolean)[] = [
  () => false,
  () => true,
  (row) => row % 100 === 7,
  (row) => row % 2 === 0,
  (row) => row % 500 < 250,
  (row) => (row * 2_654_435_761) % 7 < 3,
];

test('pyarrow reads what was written', { timeout: 600_000 }, async (context) => {
  const python = await requireReaders(context);
  const pieces: Uint8Array[] = [];
  const out = new Out((piece) => {
    pieces.push(piece.slice());
    // What was written must not depend on it any more.
    piece.fill(0);
  }, Infinity);
  const file = new ParquetFile(out, [
    { name: 'time', type: 'time', isOptional: false },
    { name: 'text', type: 'text', isOptional: false },
    { name: 'rank', type: 'integer', isOptional: true },
    { name: 'number', type: 'number', isOptional: true },
  ]);
  const [times, texts, ranks, numbers] = [new Times(MOST), new Words(false), new Words(true), new Numbers(MOST)];
  const wanted = { time: [] as number[], text: [] as string[], rank: [] as (number | null)[], number: [] as unknown[] };
  const sizes = Array.from({ length: GROUPS }, (_, i) => [1, 7, 8, 9, 1000, MOST][i % 6]!);
  for (const [group, rows] of sizes.entries()) {
    const isKnown = PATTERNS[(group * 5) % PATTERNS.length]!;
    const stamps = BigInt64Array.from({ length: rows }, (_, row) => BigInt(T0 + 1000 * (group * MOST + row)));
    times.add(stamps);
    wanted.time.push(...Array.from(stamps, Number));
    const column = Float64Array.from({ length: rows }, (_, row) => (isKnown(row) ? row / 3 - 1 : NaN));
    // In two parts, as series come; some parts know nothing at all.
    const half = rows >> 1;
    numbers.add(group % 4 === 3 ? null : column, 0, half);
    numbers.add(column, half, rows);
    for (let row = 0; row < rows; row++) {
      const number = column[row]!;
      wanted.number.push(Number.isNaN(number) || (group % 4 === 3 && row < half) ? null : number);
      // One, some, hundreds of distinct ones.
      const text = `näme "${group % 3 === 0 ? 0 : row % (group % 3 === 1 ? 5 : 700)}"`;
      const rank = isKnown(row) ? row % 300 : null;
      texts.add(text, 1);
      ranks.add(rank, 1);
      wanted.text.push(text);
      wanted.rank.push(rank);
    }
    await file.group(rows, (i) => [times, texts, ranks, numbers][i]!.take());
  }
  file.finish('a test', { about: 'ä\n' });
  out.flush();
  const path = join(temporaryFolder(), 'a.parquet');
  writeFileSync(path, Buffer.concat(pieces));
  const read = JSON.parse(await python.run(['-c', SCRIPT, path])) as Record<string, unknown>;
  expect(read['groups']).toEqual(sizes);
  expect(read['columns']).toEqual(wanted);
  expect(read['nulls']).toEqual([0, null, null, null]);
  expect(read['bounds']).toEqual([T0 / 1000, T0 / 1000 + sizes[0]! - 1]);
  expect(read['key']).toBe('ä\n');
});
