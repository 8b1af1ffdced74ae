/** `vigie store`, as one types it. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { CheckReport } from '../../../src/engine/store/care/check.ts';
import type { StoreStats } from '../../../src/engine/store/care/stats.ts';
import { makeSmallStore, nodeTicks, NODE_TICKS, openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { run as vigieOf, serve, vigie, within } from '../engine/child.ts';

const PROXY = path.join(import.meta.dirname, '../../fixtures/proxy');

function smallStore(): {
  folder: string;
  data: string;
  db: string;
  store(...args: string[]): ReturnType<typeof vigieOf>;
} {
  const folder = temporaryFolder();
  const data = path.join(folder, 'data');
  makeSmallStore(data);
  const store = (...args: string[]) => vigieOf(['store', ...args, '--data', data], { cwd: folder });
  return { folder, data, db: path.join(data, 'vigie.sqlite'), store };
}

/** Changes some bytes in the middle of the largest block of node/n1. */
function damageBlock(db: string): void {
  const file = new Database(db, { readonly: true });
  const bytes = file.prepare('SELECT bytes FROM block WHERE tier = 0 ORDER BY size DESC').pluck().get() as Buffer;
  file.close();
  const whole = readFileSync(db);
  for (let at = whole.indexOf(bytes.subarray(40, 90)); at >= 0; at = whole.indexOf(bytes.subarray(40, 90), at)) {
    whole.fill(0xaa, at, at + 8);
  }
  writeFileSync(db, whole);
}

describe('vigie store', () => {
  test('check and stats of a store that is whole, and of a running engine', async () => {
    const { folder, data, db, store } = smallStore();
    const checked = await store('check');
    expect([checked.code, checked.stderr]).toEqual([0, '']);
    expect(checked.stdout).toContain(`${db} is whole`);
    const stats = JSON.parse((await store('stats', '--json')).stdout) as StoreStats;
    expect(stats).toMatchObject({ path: db, runs: { finished: 3 }, profiles: { count: 3 }, audit: 1, frames: 0 });
    expect(stats.tiers.map(({ tier }) => tier)).toEqual(['raw', 'minute', 'hour']);
    expect(stats.bytes).toBe(statSync(db).size);
    expect(stats.bytes_per_sample).toBeCloseTo((stats.bytes - stats.free_bytes) / stats.samples, 9);
    expect((await store('stats')).stdout).toMatch(/^on disk +\d+ KiB .*\nraw +.* blocks, .*/);

    const engine = await serve([...within(folder), `--data=${data}`]);
    for (const command of ['check', 'stats']) expect((await store(command)).code).toBe(0);
    for (const command of ['repair', 'vacuum', 'import']) {
      const refused = await store(command, ...(command === 'import' ? [PROXY] : []));
      expect([command, refused.code, refused.stdout]).toEqual([command, 1, '']);
      expect(refused.stderr).toContain(`locked by pid ${engine.child.pid}`);
    }
    await engine.stop('SIGTERM');
  });

  test('damage fails the check, which says where; repair keeps all else and the damaged file', async () => {
    const { data, db, store } = smallStore();
    expect((await store('repair')).stdout).toContain('nothing to repair');
    damageBlock(db);
    const before = readFileSync(db);
    const checked = await store('check', '--json');
    expect(checked.code).toBe(1);
    const { ok, damaged, damage } = JSON.parse(checked.stdout) as CheckReport;
    expect({ ok, damaged, damage }).toMatchObject({
      ok: false,
      damaged: 1,
      damage: [{ what: 'block', scope: 'node/n1', reason: expect.stringContaining('checksum') as string }],
    });
    expect((await store('check')).stdout).toMatch(/is damaged in 1 place .*\n {2}block node\/n1 2027.*checksum.*\n/);
    // Looking changes nothing.
    expect(readFileSync(db).equals(before)).toBe(true);

    const repaired = await store('repair');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toMatch(/^salvaged: 3 runs, 3 profiles, 17 blocks; lost: 1 blocks \(node\/n1 .*kept as/s);
    const aside = readdirSync(data).find((name) => name.startsWith('vigie.sqlite.damaged-'))!;
    expect(readFileSync(path.join(data, aside)).equals(before)).toBe(true);
    expect(readdirSync(data).filter((name) => /salvag/.test(name))).toEqual([]);
    expect(statSync(db).mode & 0o777).toBe(0o600);
    expect((await store('check')).code).toBe(0);
    const { store: inside, warnings } = openInside(data);
    expect(warnings).toEqual([]);
    expect(nodeTicks(inside).get(NODE_TICKS)).toBe(NODE_TICKS);
    inside.close();
  });

  test('backup: a whole copy beside a running engine, private, never written over', async () => {
    const { folder, data, store } = smallStore();
    const engine = await serve([...within(folder), '--period=10ms', `--data=${data}`]);
    const to = path.join(folder, 'copy.sqlite');
    const copied = await store('backup', to);
    expect([copied.code, copied.stderr]).toEqual([0, '']);
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.sqlite']);
    const again = await store('backup', to);
    expect([again.code, again.stderr]).toEqual([1, `vigie: ${to} is there already; it is not written over\n`]);
    const checked = await vigieOf(['store', 'check', to], { cwd: folder });
    expect([checked.code, checked.stderr]).toEqual([0, '']);
    await engine.stop('SIGKILL');
    // It can be used.
    const other = path.join(folder, 'other');
    mkdirSync(other);
    copyFileSync(to, path.join(other, 'vigie.sqlite'));
    const { store: inside, warnings } = openInside(other);
    expect([warnings, nodeTicks(inside).size]).toEqual([[], NODE_TICKS]);
    inside.close();
  });

  test('Ctrl-C takes back what was begun', async () => {
    const { folder, data, db } = smallStore();
    // Large enough that there is time.
    const file = new Database(db);
    file.exec('CREATE TABLE filler (bytes BLOB)');
    file.exec(
      'INSERT INTO filler SELECT zeroblob(50000000) FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)',
    );
    file.close();
    for (const words of [
      ['backup', path.join(folder, 'copy')],
      ['repair', '--force'],
    ]) {
      const child = vigie(['store', ...words, '--data', data], { cwd: folder });
      const begun = (): boolean =>
        [...readdirSync(folder), ...readdirSync(data)].some((name) => /\.part-|salvaging/.test(name));
      while (!begun() && child.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
      child.child.kill('SIGINT');
      const { code } = await child.exited;
      expect([words[0], code, child.stdout(), child.stderr()]).toEqual([
        words[0],
        1,
        '',
        'vigie: stopped; nothing was changed\n',
      ]);
      expect(readdirSync(folder)).toEqual(['data']);
      expect(readdirSync(data).filter((name) => name.startsWith('vigie.sqlite.'))).toEqual([]);
    }
  });

  test('vacuum gives room back', async () => {
    const { db, store } = smallStore();
    const file = new Database(db);
    file.exec('CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(3000000)); DROP TABLE filler');
    file.close();
    const size = statSync(db).size;
    const { before, after } = JSON.parse((await store('vacuum', '--json')).stdout) as { before: number; after: number };
    expect([before, after]).toEqual([size, statSync(db).size]);
    expect(after).toBeLessThan(size - 2_900_000);
    expect((await store('check')).code).toBe(0);
  });

  test('import adds runs once, and fails when a file is none', async () => {
    const folder = temporaryFolder();
    const data = path.join(folder, 'data');
    const add = (...paths: string[]) =>
      vigieOf(['store', 'import', ...paths, '--data', data, '--json'], { cwd: folder });
    const files = ['trcjob.profile', 'trcjob.trace', 'live-1.trace'].map((name) => path.join(PROXY, name));
    const outcomes = (text: string): string[] =>
      (JSON.parse(text) as { runs: { outcome: string }[] }).runs.map(({ outcome }) => outcome);
    const first = await add(...files);
    expect([first.code, outcomes(first.stdout), first.stderr]).toEqual([0, ['imported', 'imported'], '']);
    const second = await add(...files);
    expect([second.code, outcomes(second.stdout)]).toEqual([0, ['known', 'known']]);
    const bad = path.join(folder, 'bad.profile');
    writeFileSync(bad, '{');
    const third = await add(files[2]!, bad);
    expect([third.code, outcomes(third.stdout).toSorted()]).toEqual([1, ['failed', 'known']]);
    expect((await vigieOf(['store', 'check', '--data', data], { cwd: folder })).code).toBe(0);
    expect((await add(path.join(folder, 'nothing'))).stderr).toMatch(/^vigie: .*is not there/);
  });

  test('where there is nothing, that is said', async () => {
    const folder = temporaryFolder();
    for (const command of ['check', 'repair']) {
      const words = ['store', command, '--data', path.join(folder, 'none')];
      const { code, stdout, stderr } = await vigieOf(words, { cwd: folder });
      expect([command, code, stdout]).toEqual([command, 1, '']);
      expect(stderr).toMatch(/^vigie: there is no database .*\/none\/vigie\.sqlite; name another --data\n$/);
    }
    expect(existsSync(path.join(folder, 'none'))).toBe(false);
  });
});
