import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

/** Works for a while under the lock; two at once are seen by the file that only one can make. */
const PROGRAM = `
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { locked } from './scripts/lib/lock.mjs';
const [start, duration] = process.argv.slice(2).map(Number);
// All look at the lock in the same moment.
while (Date.now() < start);
await locked('work', async () => {
  writeFileSync('alone', '', { flag: 'wx' });
  await sleep(duration);
  rmSync('alone');
  appendFileSync('done', process.pid + '\\n');
});
`;

/** A tree with nothing but the lock and a program that uses it. */
function tree(): string {
  const root = temporaryFolder();
  const from = path.resolve(import.meta.dirname, '../../../scripts/lib');
  mkdirSync(path.join(root, 'scripts/lib'), { recursive: true });
  for (const name of ['lock.mjs', 'paths.mjs']) cpSync(path.join(from, name), path.join(root, 'scripts/lib', name));
  writeFileSync(path.join(root, 'program.mjs'), PROGRAM);
  return root;
}

function worker(root: string, start: number, duration: number) {
  const child = spawn(process.execPath, ['program.mjs', `${start}`, `${duration}`], { cwd: root });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { text: '' };
  child.stderr.on('data', (bytes: Buffer) => (said.text += bytes.toString()));
  return { child, said, ended: once(child, 'close').then(([code]) => ({ code: code as unknown, text: said.text })) };
}

const locks = (root: string): string[] => readdirSync(path.join(root, '.cache'));

/** Of a process that is gone. */
function leave(root: string, holder: string | null): string {
  const folder = path.join(root, '.cache', 'work.lock');
  mkdirSync(folder, { recursive: true });
  if (holder !== null) writeFileSync(path.join(folder, 'holder'), holder);
  return folder;
}

const gone = (): string => `${hostname()} ${spawnSync(process.execPath, ['-e', '']).pid}`;

test.each([1, 2, 3])('many that find an abandoned lock work one after another (%i)', async () => {
  const root = tree();
  leave(root, gone());
  const start = Date.now() + 1000;
  const workers = Array.from({ length: 6 }, () => worker(root, start, 20));
  for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(root, 'done'), 'utf8').trim().split('\n')).toHaveLength(6);
  expect(locks(root)).toEqual([]);
});

test('one that was abandoned before it had a holder is taken over', async () => {
  const root = tree();
  const folder = leave(root, null);
  utimesSync(folder, new Date(0), new Date(0));
  expect(await worker(root, 0, 1).ended).toMatchObject({ code: 0 });
  expect(locks(root)).toEqual([]);
});

test('who waits says for whom, and works when the other is done', async () => {
  const root = tree();
  const first = worker(root, 0, 600_000);
  await eventually(() => existsSync(path.join(root, 'alone')));
  const second = worker(root, 0, 1);
  await eventually(() => second.said.text.includes('\n'), { timeout: 30_000 });
  expect(second.said.text).toMatch(
    new RegExp(`^Waiting for process ${first.child.pid} on \\S+, .*remove .*work\\.lock\n$`),
  );
  expect(existsSync(path.join(root, 'done'))).toBe(false);
  // Ended by force, it leaves all as it is.
  first.child.kill('SIGKILL');
  await first.ended;
  rmSync(path.join(root, 'alone'));
  expect(await second.ended).toMatchObject({ code: 0 });
  expect(locks(root)).toEqual([]);
}, 60_000);
