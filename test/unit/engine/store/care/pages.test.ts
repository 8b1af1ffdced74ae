import Database from 'better-sqlite3';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanRows, type FoundRow } from '../../../../../src/engine/store/care/pages.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';

const scan = (path: string): { rows: FoundRow[]; lost: number } => {
  const counts = { pages: 0, rows: 0, lost: 0 };
  return { rows: [...scanRows(path, counts)], lost: counts.lost };
};

/** Rows with a text key, so that those of the schema are not among them. */
const keyed = (rows: readonly FoundRow[]): Map<string, FoundRow> =>
  new Map(
    rows.flatMap((row) => {
      const key = row.values.find((value) => typeof value === 'string' && value.startsWith('key '));
      return key === undefined ? [] : [[String(key), row]];
    }),
  );

function fill(db: Database.Database, count: number): Map<string, unknown[]> {
  const insert = db.prepare('INSERT INTO thing (name, number, real, bytes) VALUES (?, ?, ?, ?)');
  const expected = new Map<string, unknown[]>();
  db.transaction(() => {
    for (let i = 0; i < count; i++) {
      const number = [0, 1, -1, 127, -129, 40_000, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER][i % 9]!;
      const bytes = new Uint8Array(i % 7 === 0 ? 3 * i * 37 : i).map((_, k) => (i + k) & 255);
      const row = [`key ${i}`, number, i + 0.5, bytes];
      insert.run(...row);
      expected.set(`key ${i}`, [null, ...row]);
    }
  })();
  return expected;
}

const TABLE = 'CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, number INTEGER, real REAL, bytes BLOB)';

describe.each([512, 4096])('pages of %i bytes', (size) => {
  test('give all rows, with those that spill over', () => {
    const path = join(temporaryFolder(), 'db');
    const db = new Database(path);
    db.pragma(`page_size = ${size}`);
    db.exec(TABLE);
    db.exec('CREATE TABLE bare (name TEXT, part INTEGER, PRIMARY KEY (name, part)) WITHOUT ROWID');
    const expected = fill(db, 300);
    db.prepare("INSERT INTO bare VALUES ('key bare', 7)").run();
    db.close();
    const { rows, lost } = scan(path);
    expect(lost).toBe(0);
    const found = keyed(rows);
    expect(found.get('key bare')).toEqual({ rowid: null, values: ['key bare', 7] });
    for (const [key, values] of expected) expect(found.get(key)?.values, key).toEqual(values);
  });
});

test('what only the log has is found, what was not committed is not', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'db');
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec(TABLE);
  fill(db, 50);
  db.exec('BEGIN');
  db.prepare("INSERT INTO thing (name) VALUES ('key open')").run();
  const copy = join(folder, 'copy');
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  db.exec('ROLLBACK');
  db.close();
  const found = keyed(scan(copy).rows);
  expect(found.size).toBe(50);
});

test('rows of pages that were given up are not found', () => {
  const path = join(temporaryFolder(), 'db');
  const db = new Database(path);
  db.exec(TABLE);
  fill(db, 300);
  db.exec('DELETE FROM thing WHERE id > 10');
  db.close();
  expect(keyed(scan(path).rows).size).toBe(10);
});

test('damage costs the rows of a few pages, and no file makes it hang or fall', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'db');
  const db = new Database(path);
  db.exec(TABLE);
  fill(db, 200);
  db.close();
  const whole = readFileSync(path);
  const damaged = join(folder, 'damaged');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), (flips) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of flips) bytes[at] = value;
      writeFileSync(damaged, bytes);
      const pages = new Set(flips.map(([at]) => Math.floor(at / 4096)));
      // The first page says how large pages are: without it there may be nothing to find.
      if (!pages.has(0)) expect(keyed(scan(damaged).rows).size).toBeGreaterThan(200 - 60 * pages.size);
      else scan(damaged);
    }),
    { numRuns: 300 },
  );
});
