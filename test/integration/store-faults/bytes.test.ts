/** Each byte of a small store changed in turn, and the file cut at each page: it opens, and the rest of it is there. */

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkFile } from '../../../src/engine/store/care/check.ts';
import { rebuild } from '../../../src/engine/store/care/rebuild.ts';
import { isDamage } from '../../../src/engine/store/errors.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { makeSmallStore, openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { figure, some } from './form.ts';

const PAGE = 4096;
/** In memory where there is such a place: it opens thousands of times, and each time waits for the disk. */
const folder = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/vigie-') : temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const original = join(folder, 'original', 'vigie.sqlite');
let whole: Buffer;

interface StoredBlock {
  readonly key: string;
  readonly bytes: Buffer;
  /** Pages that have some of it. */
  readonly pages: Set<number>;
}
let blocks: StoredBlock[];
let runs: number;

function blocksOf(db: Database.Database): { key: string; bytes: Buffer }[] {
  const rows = db.prepare('SELECT scope, tier, first, bytes FROM block').all();
  return (rows as { scope: number; tier: number; first: number; bytes: Buffer }[]).map((row) => ({
    key: `${row.scope} ${row.tier} ${row.first}`,
    bytes: row.bytes,
  }));
}

/** Where pieces of a blob are found, wherever: SQLite leaves old copies in the parts of pages that are not in use. */
function pagesOf(bytes: Buffer): Set<number> {
  const pages = new Set<number>();
  const length = 8;
  for (let at = 0; at + length <= bytes.length; at += 4) {
    const piece = bytes.subarray(at, at + length);
    for (let found = whole.indexOf(piece); found >= 0; found = whole.indexOf(piece, found + 1)) {
      // What all blocks have in common is found everywhere.
      if (at >= 16 || found % PAGE > PAGE - 16) pages.add(Math.floor(found / PAGE));
    }
  }
  return pages;
}

beforeAll(() => {
  makeSmallStore(join(folder, 'original'));
  whole = readFileSync(original);
  const db = new Database(original, { readonly: true });
  blocks = blocksOf(db).map((each) => ({ ...each, pages: pagesOf(each.bytes) }));
  runs = db.prepare('SELECT count(*) FROM run').pluck().get() as number;
  db.close();
  expect(new Set(blocks.map(({ key }) => key.split(' ')[1]))).toEqual(new Set(['0', '1', '2']));
});

const data = join(folder, 'data');

function place(damage: (path: string) => void): void {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  damage(join(data, 'vigie.sqlite'));
}

interface Outcome {
  /** What opening said of it. */
  readonly opening: boolean;
  /** What `check` found afterwards and `repair` mended. */
  readonly found: boolean;
}

/** Opens it, mends what opening did not meet, and expects all but what lay on the damaged pages. */
function survive(isHit: (page: number) => boolean, what: string): Outcome {
  const path = join(data, 'vigie.sqlite');
  const first = openInside(data);
  const opening = first.warnings.length > 0;
  first.store.close();
  const found = isDamaged(path);
  if (found) expect(atOnce(rebuild(path, { atOnce: Infinity }) as Generator<never, unknown>), what).not.toBeNull();
  const { db, store } = openInside(data);
  try {
    expect(db.pragma('integrity_check', { simple: true }), what).toBe('ok');
    const there = new Map(blocksOf(db).map(({ key, bytes }) => [key, bytes]));
    for (const { key, bytes, pages } of blocks) {
      if ([...pages].some(isHit)) continue;
      expect(there.get(key)?.equals(bytes), `${what}: block ${key}`).toBe(true);
    }
    expect(there.size, what).toBeLessThanOrEqual(blocks.length);
    // Whatever is left can be read.
    atOnce(store.read.lists.runs({ search: '', after: null, engine: '', limit: 100 }));
  } finally {
    store.close();
  }
  return { opening, found };
}

function isDamaged(path: string): boolean {
  try {
    return !atOnce(checkFile(path) as Generator<never, { ok: boolean }>).ok;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return true;
  }
}

test('untouched, nothing is found', () => {
  place((path) => copyFileSync(original, path));
  expect(survive(() => false, 'untouched')).toEqual({ opening: false, found: false });
  expect(readdirSync(data).filter((name) => name.includes('damaged'))).toEqual([]);
  expect(runs).toBe(3);
});

test('any one byte changed: it opens, and other pages keep their blocks', { timeout: 7_200_000 }, () => {
  const counts = { bytes: 0, opening: 0, found: 0 };
  for (const at of some(whole.length, 250)) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= Math.random() < 0.5 ? 0xff : 1 << Math.floor(Math.random() * 8);
    place((path) => writeFileSync(path, bytes));
    const page = Math.floor(at / PAGE);
    const { opening, found } = survive((each) => each === page, `byte ${at} is ${bytes[at]}, was ${whole[at]}`);
    counts.bytes++;
    if (opening) counts.opening++;
    if (found) counts.found++;
  }
  expect(counts.opening + counts.found).toBeGreaterThan(0);
  const { bytes, opening, found } = counts;
  figure(
    `${bytes} of ${whole.length} bytes changed: ${opening} met in opening, ${found} by check; no other block lost`,
  );
});

test('cut at any page: it opens, with the blocks before', { timeout: 600_000 }, () => {
  const pages = whole.length / PAGE;
  for (let page = 0; page < pages; page++) {
    place((path) => {
      copyFileSync(original, path);
      truncateSync(path, page * PAGE);
    });
    survive((each) => each >= page, `cut at page ${page}`);
  }
  figure(`cut at each of ${pages} pages: all blocks before are there`);
});
