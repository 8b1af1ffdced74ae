/** An engine over there that was begun long ago, or a moment ago by a login that was lost; behind real sshd. */

import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { makeEnginePackage } from '../../support/engine-package.ts';
import { alive } from '../../support/processes.ts';
import { lacksSshd } from '../../support/sshd.ts';
import { Far, begin, done, ended, failure, steps } from './far.ts';
import { isUp, until } from './support.ts';
import { send } from '../targets/support.ts';

const LONG = { timeout: 300_000 };
/** Files that systemd-tmpfiles takes away in time have no such bit. */
const STICKY = 0o1000;

const lacksTmpfiles = (): boolean => {
  try {
    execFileSync('systemd-tmpfiles', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
};

describe.skipIf(lacksSshd())('an engine over there, later', () => {
  let archive: string;
  beforeAll(async () => {
    archive = await makeEnginePackage();
  }, 600_000);

  test('is not cleaned away with old files, and is known again when it was begun by a lost login', LONG, async () => {
    vi.stubEnv('VIGIE_PACKAGES', dirname(archive));
    const far = new Far();
    far.configure(await far.sshd());
    const { here, id } = await far.near();
    expect(failure((await done(here, id, 'start')).work)).toBe('');
    const pid = far.pid()!;
    const files = readdirSync(far.folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => (lstatSync(file).mode & STICKY) === 0)).toEqual([]);
    if (!lacksTmpfiles()) {
      const rule = far.site.file();
      const old = join(far.folder, 'run', 'old');
      writeFileSync(old, '');
      writeFileSync(rule, `d ${far.folder} 0700 ${far.uid} ${far.gid} 1us\n`);
      execFileSync('systemd-tmpfiles', ['--clean', rule], { stdio: 'ignore' });
      expect([existsSync(old), files.filter((file) => !existsSync(file))]).toEqual([false, []]);
    }

    // It is not ready yet, and nobody reaches it.
    const out = join(far.folder, 'run', 'out');
    const said = readFileSync(out, 'utf8');
    const socket = `/tmp/vigie-${far.uid}/engine.socket`;
    writeFileSync(out, '');
    await send(here, 'POST', `/connections/${id}/disconnect`);
    renameSync(socket, `${socket}.away`);
    await begin(here, id, 'start');
    await until(
      here,
      id,
      ({ work }) => work?.steps.some(({ name, state }) => name === 'run' && state === 'running') ?? false,
    );
    await new Promise((resolve) => void setTimeout(resolve, 2000));
    // Nobody would take back what is under way.
    expect((await send(here, 'DELETE', `/connections/${id}`)).status).toBe(400);
    writeFileSync(out, said);
    renameSync(`${socket}.away`, socket);
    const again = await ended(here, id);
    expect([failure(again.work), again.work.state, far.pid(), alive(pid)]).toEqual(['', 'done', pid, true]);
    await until(here, id, isUp);

    // Whose folder that is, is not certain any more: it is neither ended nor forgotten.
    const marker = join(far.folder, 'vigie-remote');
    rmSync(marker);
    for (const action of ['stop', 'remove'] as const) {
      const { work, placed } = await done(here, id, action);
      expect([failure(work), placed?.folder, alive(pid)]).toEqual([
        ...[expect.stringContaining('stop: '), far.folder, true],
      ]);
      expect(failure(work)).toContain('is not as it was left');
    }
    writeFileSync(marker, '');
    const removed = await done(here, id, 'remove');
    expect([steps(removed.work)['stop'], alive(pid), far.left()]).toEqual(['done', false, []]);
  });
});
