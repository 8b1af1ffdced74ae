/** What happens to an engine behind a real sshd: it is started anew, its token is another one, its disk is full. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSshSessions } from '../../../src/engine/remote/session/sessions.ts';
import { PromptList, type Connection, type NewConnectionInput } from '../../../src/shared/api/connections.ts';
import { Status } from '../../../src/shared/api/status.ts';
import { lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { mountTmpfs, noMount } from '../store/tmpfs.ts';
import { send } from '../targets/support.ts';
import { addConnection, connectionOf, isUp } from './support.ts';

describe.skipIf(lacksSshd())('an engine behind sshd', () => {
  let site: SshSite;
  let login: Sshd;
  let [uid, gid] = [0, 0];
  beforeAll(async () => {
    site = new SshSite();
    site.authorize(site.key('user'));
    login = await site.sshd();
    [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, site.user]))) as [number, number];
  });
  afterAll(() => site.close());

  /** What is the user's own counts over there, and can be reached by them. */
  function owned(...paths: string[]): void {
    for (const path of paths) {
      chownSync(path, uid, gid);
      for (let folder = dirname(path); folder !== '/' && folder !== '/tmp'; folder = dirname(folder)) {
        chmodSync(folder, statSync(folder).mode | 0o011);
      }
    }
  }

  async function nearTo(engine: NonNullable<NewConnectionInput['engine']>) {
    const config = site.file();
    writeFileSync(
      config,
      [
        ...['Host login', 'HostName 127.0.0.1', `Port ${login.port}`, `User ${site.user}`],
        ...[`IdentityFile ${site.file('user')}`, 'IdentitiesOnly yes', 'IdentityAgent none'],
        ...[`UserKnownHostsFile ${site.file()}`, 'GlobalKnownHostsFile none', 'StrictHostKeyChecking accept-new', ''],
      ].join('\n'),
    );
    const sessions = await openSshSessions({ configFile: config });
    const near = await startHere({ node: false }, undefined, undefined, { sessions, lookEvery: 500 });
    const { id } = await addConnection(near, { host: 'login', engine });
    const up = await until(near, id, isUp);
    return { near, connection: id, engine: up.engine?.id ?? '' };
  }

  async function until(near: Here, id: string, wanted: (one: Connection) => boolean): Promise<Connection> {
    return eventually(
      async () => {
        const one = await connectionOf(near, id);
        return wanted(one) && one;
      },
      { timeout: 100_000 },
    );
  }

  const status = (near: Here, engine: string) => send(near, 'GET', `/engines/${engine}/api/v1/status`);
  const prompts = async (near: Here) =>
    PromptList.parse((await send(near, 'GET', '/connections/prompts')).json()).prompts;

  test('it is started anew: told in words, and found again over the same login', { timeout: 400_000 }, async () => {
    const folder = temporaryFolder();
    const start = async (): Promise<Here> => {
      const far = await startHere({ node: false, data: join(folder, 'data') }, folder);
      owned(far.engine.ready.socket);
      return far;
    };
    const far = await start();
    const { near, connection, engine } = await nearTo({ kind: 'socket', path: far.engine.ready.socket });
    expect((await status(near, engine)).status).toBe(200);
    const { since } = await until(near, connection, isUp);
    await far.engine.close();
    expect((await status(near, engine)).status).toBe(503);
    const gone = await until(near, connection, (one) => one.engine?.state !== 'up');
    expect([gone.state, gone.engine?.reason]).toEqual(['up', expect.stringMatching(/\w/)]);
    await start();
    await until(near, connection, isUp);
    expect((await status(near, engine)).status).toBe(200);
    // The login was not what failed.
    expect((await until(near, connection, isUp)).since).toBe(since);
    expect(await prompts(near)).toEqual([]);
  });

  test('its token is another one: read anew there, without a word to anybody', { timeout: 400_000 }, async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'token');
    const settings = { node: false, data: join(folder, 'data'), token_file: file };
    const first = await startHere({ ...settings, listen: '127.0.0.1:0' }, folder);
    const port = Number(new URL(first.url).port);
    owned(file);
    const { near, connection, engine } = await nearTo({ kind: 'port', host: '127.0.0.1', port, token_file: file });
    expect((await status(near, engine)).status).toBe(200);
    const before = readFileSync(file, 'utf8').trim();
    await first.engine.close();
    rmSync(file);
    writeFileSync(file, `${'n'.repeat(40)}\n`, { mode: 0o600 });
    await startHere({ ...settings, listen: `127.0.0.1:${port}` }, folder);
    owned(file);
    await eventually(async () => (await status(near, engine)).status === 200, { timeout: 100_000 });
    const up = await until(near, connection, isUp);
    expect(JSON.stringify(up)).not.toContain('nnnn');
    expect((await send(near, 'GET', `/connections/${connection}/log`)).body).not.toMatch(new RegExp(`nnnn|${before}`));
    expect(await prompts(near)).toEqual([]);
    // Nobody may read it there any more: said in words, while the login stands.
    writeFileSync(file, `${'w'.repeat(40)}\n`);
    chownSync(file, 0, 0);
    chmodSync(file, 0o600);
    await send(near, 'POST', `/connections/${connection}/disconnect`);
    await send(near, 'POST', `/connections/${connection}/connect`);
    const lost = await until(near, connection, (one) => one.state === 'up' && one.engine?.state === 'refused');
    expect(lost.engine?.reason).toMatch(/token/);
  });

  test.skipIf(noMount)(
    'its disk is full: it says so through the login, and goes on',
    { timeout: 120_000 },
    async () => {
      const { path } = mountTmpfs(4096);
      const far = await startHere({ node: false, data: join(path, 'data') }, path);
      const { socket } = far.engine.ready;
      owned(socket);
      const pusher = await far.pusher();
      pusher.job({ jobid: 'j' });
      pusher.describeCounter('c');
      const { near, connection, engine } = await nearTo({ kind: 'socket', path: socket });
      const filler = join(path, 'filler');
      const file = openSync(filler, 'w');
      try {
        for (;;) writeSync(file, Buffer.alloc(4096, 1));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      } finally {
        closeSync(file);
      }
      const store = async () => Status.parse((await status(near, engine)).json()).store;
      await eventually(async () => {
        pusher.increase('c', 1);
        return /full/i.test((await store()).error ?? '');
      });
      expect(await until(near, connection, isUp)).toMatchObject({ state: 'up', engine: { state: 'up' } });
      rmSync(filler);
      await eventually(async () => {
        pusher.increase('c', 1);
        return (await store()).error === null;
      });
    },
  );
});
