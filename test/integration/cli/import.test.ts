/** `vigie import`, as one types it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { FileReport } from '../../../src/engine/import/files.ts';
import { ProfileList } from '../../../src/shared/api/profiles.ts';
import { makeSmallStore } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { run as vigieOf, serve, within } from '../engine/child.ts';
import { ask } from '../http/here.ts';

const PROXY = path.join(import.meta.dirname, '../../fixtures/proxy');

test('into a data directory that no engine uses, and through the engine that uses it', async () => {
  const folder = temporaryFolder();
  const [there, data] = [path.join(folder, 'there'), path.join(folder, 'data')];
  makeSmallStore(there);
  const take = async (...args: string[]): Promise<{ code: number | null; runs: FileReport[]; stderr: string }> => {
    const { code, stdout, stderr } = await vigieOf(['import', ...args, '--json', '--data', data], { cwd: folder });
    return { code, stderr, runs: stdout === '' ? [] : (JSON.parse(stdout) as { runs: FileReport[] }).runs };
  };
  const direct = await take(path.join(PROXY, 'scal3-4.profile'));
  expect([direct.code, direct.runs.map(({ outcome }) => outcome)]).toEqual([0, ['imported']]);

  const engine = await serve([...within(folder), `--data=${data}`]);
  const through = await take(there, path.join(PROXY, 'scal3-4.profile'));
  expect(through.runs.map(({ run, outcome }) => [run, outcome])).toEqual([
    ...['a', 'b', 'c'].map((id) => [id, 'imported']),
    [direct.runs[0]!.run, 'known'],
  ]);
  expect(through.code).toBe(0);
  const answer = await ask({ socketPath: engine.ready.socket! }, '/api/v1/profiles');
  expect(ProfileList.parse(answer.json()).total).toBe(4);

  mkdirSync(path.join(folder, 'bad'));
  writeFileSync(path.join(folder, 'bad', 'x.profile'), '{"desc":');
  const bad = await take(path.join(folder, 'bad'));
  expect([bad.code, bad.runs.map(({ outcome }) => outcome)]).toEqual([1, ['failed']]);
  const none = await vigieOf(['import', path.join(folder, 'nowhere'), '--data', data], { cwd: folder });
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('nowhere');
});
