import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { finishRebuild, setAside } from '../../../../../src/engine/store/care/aside.ts';
import { rebuild, restOf, type Rebuilt } from '../../../../../src/engine/store/care/rebuild.ts';
import { noteDamage } from '../../../../../src/engine/store/database.ts';
import { makeSmallStore, NODE_TICKS, nodeTicks, openInside } from '../../../../support/small-store.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';

const steps = <T>(generator: Generator<unknown, T>): T => {
  for (;;) {
    const step = generator.next();
    if (step.done) return step.value;
  }
};

function small(): { data: string; path: string } {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  return { data, path: join(data, 'vigie.sqlite') };
}

/** Rows of all tables, without the blobs of blocks. */
function rowsOf(path: string): Record<string, number> {
  const db = new Database(path, { readonly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").pluck();
  const rows = (tables.all() as string[]).map((name): [string, number] => [
    name,
    db.prepare(`SELECT count(*) FROM ${name}`).pluck().get() as number,
  ]);
  db.close();
  return Object.fromEntries(rows);
}

/** Overwrites the pages of a table or index, but for the first `from` of them. */
function destroy(path: string, name: string, from = 0): void {
  const db = new Database(path, { readonly: true });
  const pages = db.prepare('SELECT pageno FROM dbstat WHERE name = ? ORDER BY path').pluck().all(name) as number[];
  db.close();
  const bytes = readFileSync(path);
  for (const page of pages.slice(from)) bytes.fill(0xee, 4096 * (page - 1), 4096 * page);
  writeFileSync(path, bytes);
}

const whole = (data: string): number[] => {
  const { store, warnings } = openInside(data);
  expect(warnings).toEqual([]);
  const ticks = [...nodeTicks(store).values()];
  store.close();
  return ticks;
};
const ALL = Array.from({ length: NODE_TICKS }, (_, i) => i + 1);

describe('salvaging', () => {
  test('what is whole is all of it, with the same numbers', () => {
    const { data, path } = small();
    const before = rowsOf(path);
    const done = steps(rebuild(path, { atOnce: Infinity }))!;
    expect(done.report).toMatchObject({ unusable: {}, damagedPages: false, lostBlockCount: 0 });
    expect(rowsOf(path)).toEqual(before);
    expect(rowsOf(done.aside)).toEqual(before);
    expect(whole(data)).toEqual(ALL);
  });

  test.each(['scope', 'metric'])('names of %s that are lost come back from their index', (table) => {
    const { data, path } = small();
    const before = rowsOf(path);
    destroy(path, table);
    const { report } = steps(rebuild(path, { atOnce: Infinity }))!;
    expect(report.damagedPages).toBe(true);
    expect(rowsOf(path)).toEqual(before);
    // The end of the tail is found again by what its rows say, and nothing is there twice.
    expect(whole(data)).toEqual(ALL);
  });

  test.each(['block_time', 'tail_part', 'sqlite_autoindex_scope_1', 'run_start'])(
    'the index %s costs nothing',
    (index) => {
      const { data, path } = small();
      const before = rowsOf(path);
      destroy(path, index);
      steps(rebuild(path, { atOnce: Infinity }));
      expect(rowsOf(path)).toEqual(before);
      expect(whole(data)).toEqual(ALL);
    },
  );

  test('without the number of starts the next one has a number that none had', () => {
    const { data, path } = small();
    destroy(path, 'engine');
    steps(rebuild(path, { atOnce: Infinity }));
    const { store } = openInside(data);
    expect(store.epoch).toBe(2);
    store.close();
  });

  test('blocks can follow a few at a time, also after a stop in between, and none is there twice', () => {
    const { data, path } = small();
    const before = rowsOf(path);
    destroy(path, 'block_time');
    const done = steps(rebuild(path, { atOnce: 0 })) as Rebuilt;
    expect(done.rest).toBe(true);
    expect(rowsOf(path)['block']).toBeLessThan(before['block']!);
    const { db, store } = openInside(data);
    restOf(db, data)!.next();
    store.close();
    const again = openInside(data);
    const report = steps(restOf(again.db, data)!);
    expect(report.kept['block']).toBe(0);
    expect(restOf(again.db, data)).toBeNull();
    again.store.close();
    expect(rowsOf(path)['block']).toBe(before['block']);
    expect(whole(data)).toEqual(ALL);
  });

  test('given up in between leaves everything as it was', () => {
    const { data, path } = small();
    const bytes = readFileSync(path);
    const names = readdirSync(data);
    const work = rebuild(path, { atOnce: Infinity });
    work.next();
    expect(readdirSync(data)).not.toEqual(names);
    work.return(null);
    expect(readdirSync(data)).toEqual(names);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('of what is no database at all nothing is taken, and it is left alone', () => {
    const data = temporaryFolder();
    const path = join(data, 'vigie.sqlite');
    writeFileSync(path, 'x'.repeat(100_000));
    expect(steps(rebuild(path, { atOnce: Infinity }))).toBeNull();
    expect(readdirSync(data)).toEqual(['vigie.sqlite']);
  });
});

describe('opening', () => {
  test('salvages where damage was noted while it ran, and says so', () => {
    const { data, path } = small();
    destroy(path, 'block_time');
    noteDamage(data, new Error('malformed'));
    const { store, warnings } = openInside(data);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the database was damaged \(malformed\); it is kept as .*; salvaged: 3 runs, 3 profiles, 18/,
      ),
    ]);
    expect([...nodeTicks(store).values()]).toEqual(ALL);
    store.close();
    expect(readdirSync(data).filter((name) => name.endsWith('.txt'))).toEqual([]);
    expect(whole(data)).toEqual(ALL);
  });

  test('goes on where the exchange of the two was ended in the middle', () => {
    const { data, path } = small();
    const other = join(temporaryFolder(), 'other');
    mkdirSync(other);
    const salvaged = `${path}.salvaged-7`;
    renameSync(path, salvaged);
    for (const stage of ['both', 'moved']) {
      if (stage === 'both') {
        writeFileSync(path, 'damaged');
        writeFileSync(`${path}-wal`, 'its log');
      }
      finishRebuild(path);
      expect(existsSync(salvaged)).toBe(false);
      expect(readFileSync(`${path}.damaged-7`, 'utf8')).toBe('damaged');
      expect(readFileSync(`${path}.damaged-7-wal`, 'utf8')).toBe('its log');
      if (stage === 'both') renameSync(path, salvaged);
    }
    expect(whole(data)).toEqual(ALL);
  });

  test('sets logs aside with their database', () => {
    const data = temporaryFolder();
    const path = join(data, 'vigie.sqlite');
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(path + suffix, suffix);
    setAside(path, 3);
    expect(readdirSync(data)).toEqual(['', '-shm', '-wal'].map((suffix) => `vigie.sqlite.damaged-3${suffix}`));
  });
});
