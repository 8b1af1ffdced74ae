/** A node set behind a real sshd: one login, whose question is answered over the API, and a channel for each node. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionList, PromptList } from '../../../src/shared/api/connections.ts';
import { openSshSessions } from '../../../src/engine/remote/session/sessions.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { listed, send } from '../targets/support.ts';

const NODES = 24;

/** One server at each of 127.0.0.1 to 127.0.0.NODES, on the same port: as a node set has it. */
async function nodes(): Promise<number> {
  let port = 0;
  for (let i = 1; i <= NODES; i++) {
    const server = createServer((_, response) => void response.end(`# TYPE node gauge\nnode ${i}\n`));
    server.listen(port, `127.0.0.${i}`);
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    onTestFinished(() => (server.closeAllConnections(), void server.close()));
  }
  return port;
}

async function answerPrompts(here: Here): Promise<string[]> {
  const { prompts } = PromptList.parse((await send(here, 'GET', '/connections/prompts')).json());
  for (const { id } of prompts) await send(here, 'POST', `/connections/prompts/${id}`, { action: 'trust', keep: true });
  return prompts.map(({ kind, hop }) => `${kind} ${hop}`);
}

describe.skipIf(lacksSshd())('a node set behind a login node', () => {
  let site: SshSite;
  beforeAll(() => {
    site = new SshSite();
    site.authorize(site.key('user'));
  });
  afterAll(() => site.close());

  test('asks once, is up as a whole, goes down and comes back as a whole', { timeout: 180_000 }, async () => {
    const port = await nodes();
    const login = await site.sshd();
    const config = site.file();
    writeFileSync(
      config,
      [
        ...['Host login', 'HostName 127.0.0.1', `User ${site.user}`, `IdentityFile ${site.file('user')}`],
        ...['IdentitiesOnly yes', 'IdentityAgent none', `UserKnownHostsFile ${site.file()}`],
        ...['GlobalKnownHostsFile none', 'StrictHostKeyChecking ask', ''],
      ].join('\n'),
    );
    const sessions = await openSshSessions({ configFile: config, backoff: { first: 50, most: 500 } });
    const here = await startHere({ node: false }, undefined, undefined, { sessions });
    const host = `login:${login.port}`;
    const targets = `ssh://${host}/127.0.0.[1-${NODES}]:${port}`;
    await send(here, 'POST', '/targets/bulk', { action: 'add', targets, period: '1s', timeout: '1s' });
    const state = async (): Promise<{ up: number; down: number; reasons: (string | null)[] }> => {
      const { counts, targets: all } = await listed(here);
      return { up: counts.up + counts.slow, down: counts.down, reasons: all.slice(1).map(({ reason }) => reason) };
    };
    const asked: string[] = [];
    await eventually(async () => asked.push(...(await answerPrompts(here))) > 0, { timeout: 60_000 });
    await eventually(async () => (await state()).up === NODES, { timeout: 60_000 });
    expect(asked).toEqual([expect.stringContaining('trust')]);
    const [connection] = ConnectionList.parse((await send(here, 'GET', '/connections')).json()).connections;
    expect(connection).toMatchObject({ host, state: 'up', targets: NODES });
    // sshd has one process for a connection of this user, and one with privileges.
    expect(login.sessions().length).toBeLessThanOrEqual(2);
    await login.stop();
    await eventually(async () => (await state()).down === NODES, { timeout: 60_000 });
    await eventually(
      async () => (await state()).reasons.every((reason) => reason?.includes(`the connection ${host}`)),
      {
        timeout: 60_000,
      },
    );
    await login.start();
    await eventually(async () => (await state()).up === NODES, { timeout: 60_000 });
  });
});
