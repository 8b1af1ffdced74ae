/** All of it: this engine, two hops of real sshd, what they ask answered over the API, and an engine behind them. */

import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSshSessions } from '../../../src/engine/remote/session/sessions.ts';
import { PromptList } from '../../../src/shared/api/connections.ts';
import { Status } from '../../../src/shared/api/status.ts';
import { lacksComponent } from '../../support/components.ts';
import { SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { addConnection, connectionOf, isUp, until } from './support.ts';

describe.skipIf(lacksComponent('sshd'))('an engine behind two hops', () => {
  let site: SshSite;
  beforeAll(() => {
    site = new SshSite();
    site.authorize(site.key('user', { passphrase: 'open sesame' }));
  });
  afterAll(() => site.close());

  test('is found, asked, lost with its hop, and found again without a word', { timeout: 120_000 }, async () => {
    const far = await startHere({ node: false });
    // It is the user's own: its socket, and the file that says where that is.
    const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, site.user])));
    const { socket } = far.engine.ready;
    const data = join(site.folder, '.local/share/vigie', hostname());
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'engine.json'), JSON.stringify({ socket, url: null, token_file: null }));
    for (const path of [socket, join(data, 'engine.json')]) chownSync(path, uid!, gid!);
    chmodSync(dirname(socket), statSync(dirname(socket)).mode | 0o011);

    const [gate, host] = [await site.sshd(), await site.sshd()];
    const config = site.file();
    const known = site.file();
    writeFileSync(
      config,
      [
        ...['Host gate', `Port ${gate.port}`, 'Host login', `Port ${host.port}`, 'ProxyJump gate'],
        ...['Host *', 'HostName 127.0.0.1', `User ${site.user}`, `IdentityFile ${site.file('user')}`],
        ...['IdentitiesOnly yes', 'IdentityAgent none', `UserKnownHostsFile ${known}`, 'GlobalKnownHostsFile none'],
        ...['StrictHostKeyChecking ask', ''],
      ].join('\n'),
    );
    const sessions = await openSshSessions({ configFile: config, backoff: { first: 50, most: 500 } });
    const near = await startHere({ node: false }, undefined, undefined, { sessions });
    const { id } = await addConnection(near, { host: 'login' });

    const asked: string[] = [];
    await eventually(
      async () => {
        const { prompts } = PromptList.parse((await send(near, 'GET', '/connections/prompts')).json());
        for (const { id: prompt, kind, hop, host: name, fields, key } of prompts) {
          asked.push(`${kind} ${hop}`);
          expect(name).toBe('login');
          if (kind === 'trust') expect(key?.fingerprint).toMatch(/^SHA256:[\w+/]{43}$/);
          const answer =
            kind === 'trust'
              ? { action: 'trust', keep: true }
              : { action: 'answer', answers: fields.map(() => 'open sesame') };
          await send(near, 'POST', `/connections/prompts/${prompt}`, answer);
        }
        return isUp(await connectionOf(near, id));
      },
      { timeout: 60_000 },
    );
    // The key is unlocked once for both hops.
    expect(asked.toSorted()).toEqual([expect.stringContaining('passphrase'), 'trust gate', 'trust login']);
    const up = await connectionOf(near, id);
    expect(up.hops.map(({ name, state }) => [name, state])).toEqual([
      ['gate', 'up'],
      ['login', 'up'],
    ]);
    const engine = up.engine?.id ?? '';
    const status = await send(near, 'GET', `/engines/${engine}/api/v1/status`);
    expect(Status.parse(status.json()).engine.socket).toBe(socket);

    gate.signal('SIGKILL');
    await until(near, id, ({ state }) => state !== 'up');
    expect((await send(near, 'GET', `/engines/${engine}/api/v1/status`)).status).toBeGreaterThanOrEqual(502);
    await gate.stop();
    await gate.start();
    await until(near, id, (one) => one.state === 'up' && isUp(one));
    expect((await send(near, 'GET', `/engines/${engine}/api/v1/status`)).status).toBe(200);
    expect(PromptList.parse((await send(near, 'GET', '/connections/prompts')).json()).prompts).toEqual([]);
  });
});
