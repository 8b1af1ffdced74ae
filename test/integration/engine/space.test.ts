import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askChild } from '../../../src/engine/sources/space.ts';

/** A program that stands for `stat` on a file system that behaves in some way. */
function program(script: string): { path: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'vigie-space-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'stat');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { path, folder };
}

describe.runIf(process.platform === 'linux')('space, asked by a child', () => {
  test('is what statfs says', async () => {
    const wanted = statfsSync('/proc');
    expect(await askChild('/proc')).toEqual({
      size: wanted.bsize * wanted.blocks,
      available: wanted.bsize * wanted.bavail,
      files: wanted.files,
      filesFree: wanted.ffree,
    });
    const root = statfsSync('/');
    expect(await askChild('/')).toMatchObject({ size: root.bsize * root.blocks, files: root.files });
  });

  test('one that hangs is left behind in time, and no second one is sent after it while it lives', async () => {
    const { path, folder } = program('echo $$ >> "$(dirname "$0")"/pids\nexec sleep 600');
    await expect(askChild('/x', 300, path)).rejects.toThrow('no answer within 300 ms');
    // Killed: it may end now, as it could on a file system that lets go.
    const pid = Number(readFileSync(join(folder, 'pids'), 'utf8'));
    for (let i = 0; existsSync(`/proc/${pid}`) && i < 600; i++) await sleep(10);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    await sleep(0);
    const first = askChild('/x', 300, path);
    await expect(askChild('/x', 300, path)).rejects.toThrow('does not answer');
    await expect(first).rejects.toThrow('no answer within');
  });

  test.each([
    ['fails', 'exit 1'],
    ['says something else', 'echo "stat: invalid option"'],
    ['does not stop talking', 'yes'],
  ])('one that %s is no answer', async (what, script) => {
    const { path } = program(script);
    await expect(askChild(`/${what}`, 5000, path)).rejects.toThrow('stat ');
  });

  test('no such program is no answer either, each time', async () => {
    for (let i = 0; i < 2; i++) await expect(askChild('/y', 5000, '/nonexistent/stat')).rejects.toThrow('ENOENT');
  });
});
