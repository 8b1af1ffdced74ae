/** `vigie export`: a file is there as a whole or not at all. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EXPORT_FORMATS } from '../../../src/shared/api/exports.ts';
import { makeExportStore } from '../../support/export-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { VIGIE } from '../engine/child.ts';
import { startHere, withToken, type Here } from '../http/here.ts';

async function withStore(): Promise<Here> {
  const folder = temporaryFolder();
  makeExportStore(join(folder, 'data'));
  return startHere({ data: join(folder, 'data') }, folder);
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function exportTo(here: Here, args: readonly string[], cwd: string) {
  const child = spawn(process.execPath, [VIGIE, 'export', '--socket', join(here.folder, 'engine.socket'), ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended };
}

test(
  'a run by its job, a scope, standard output, the name of the file as the format',
  { timeout: 300_000 },
  async () => {
    const here = await withStore();
    const folder = temporaryFolder();
    const csv = await exportTo(here, ['job-2', '-o', 'a.csv', '--no-ranks'], folder).ended;
    expect(csv).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/^vigie: a\.csv: [\d.]+ KiB\n$/) });
    const lines = readFileSync(join(folder, 'a.csv'), 'utf8').trim().split('\r\n');
    expect(lines[1]).toMatch(/^2027-01-15T08:00:01\.000Z,run\/r2,job-2,/);
    const trace = await exportTo(here, ['r4', '-o', 'b.trace.json'], folder).ended;
    expect(trace.code).toBe(0);
    expect(Object.keys(JSON.parse(readFileSync(join(folder, 'b.trace.json'), 'utf8')) as object)).toContain(
      'traceEvents',
    );
    const out = await exportTo(here, ['node/n1', '--format', 'csv', '-o', '-', '--select', 'busy'], folder).ended;
    expect(out.stdout.split('\r\n')[0]).toBe('time,scope,job,rank,node,metric,kind,unit,value,min,max');
    const named = await exportTo(here, ['r2', '--format', 'html'], folder).ended;
    expect(named.code).toBe(0);
    expect(existsSync(join(folder, 'vigie-job-2-2027-01-15T080000.html'))).toBe(true);
    const again = await exportTo(here, ['r2', '--format', 'html'], folder).ended;
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is there already')]);
    // What names no format is told before an engine is asked for, with all that would.
    const unknown = await exportTo(here, ['r2', '-o', 'r5.xyz'], folder).ended;
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('the end of r5.xyz names no format: end it in one of these, or say --format:\n'),
    ]);
    for (const [name, { extension, title }] of Object.entries(EXPORT_FORMATS))
      expect(unknown.stderr).toMatch(
        new RegExp(`^ +\\.${extension.replace('.', '\\.')} +--format ${name} +${title}$`, 'm'),
      );
    const streamed = await exportTo(here, ['r2', '-o', '-'], folder).ended;
    expect([streamed.code, streamed.stdout]).toEqual([1, '']);
    expect(streamed.stderr).toContain('Standard output has no name that tells it: say it with --format:');
    expect((await exportTo(here, ['r2'], folder).ended).stderr).toContain(
      'or name a file with -o by one of these ends:',
    );
    const nothing = await exportTo(here, ['nobody', '-o', 'c.csv'], folder).ended;
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('no run has the id nobody')]);
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'b.trace.json', 'vigie-job-2-2027-01-15T080000.html']);
  },
);

test('a disk that becomes full: words, and nothing is left', { timeout: 300_000 }, async (context) => {
  const here = await withStore();
  const disk = join(temporaryFolder(), 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'vigie-test', disk], { stdio: 'pipe' });
  } catch {
    return context.skip('a file system of a test needs root');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  writeFileSync(join(disk, 'a.csv'), 'before');
  const { code, stderr } = await exportTo(here, ['r2', 'r4', 'r8', '-o', join(disk, 'a.csv')], disk).ended;
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining('the disk is full (ENOSPC); nothing is left of the export'),
  ]);
  // What was there before is as it was.
  expect(readdirSync(disk)).toEqual(['a.csv']);
  expect(readFileSync(join(disk, 'a.csv'), 'utf8')).toBe('before');
});

test(
  'Ctrl-C, and an engine that goes away: nothing is left, and the engine works for nobody',
  { timeout: 300_000 },
  async () => {
    const here = await withStore();
    const folder = temporaryFolder();
    const part = join(folder, 'big.json.part');
    // Each of the scopes is asked for a hundred times: more than any buffer on the way takes.
    const scopes = Array.from({ length: 99 }, () => 'run/r32');
    const args = [...scopes, '--format', 'trace', '-o', 'big.json'];
    const { child, ended } = exportTo(here, args, folder);
    await eventually(() => existsSync(part) && statSync(part).size > 100_000);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('stopped; nothing was changed')]);
    expect(readdirSync(folder)).toEqual([]);
    await eventually(async () => {
      const answer = await fetch(`${here.url}/api/v1/exports`, { headers: withToken(here) });
      const { exports } = (await answer.json()) as { exports: { state: string }[] };
      return exports.length === 1 && exports[0]!.state !== 'running';
    });
    const second = exportTo(here, args, folder);
    await eventually(() => existsSync(part) && statSync(part).size > 100_000);
    await here.engine.close();
    const gone = await second.ended;
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('nothing is left of')]);
    expect(readdirSync(folder)).toEqual([]);
  },
);
