/** What outlives a login and a restart: forwards on their ports, and passwords that people want kept. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Keyring } from '../../../src/engine/remote/secrets.ts';
import { Connection, Forward, PromptList, type Prompt } from '../../../src/shared/api/connections.ts';
import { httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { DirectSessions, type DirectSession } from './direct-sessions.ts';
import { addConnection, connectionOf, until } from './support.ts';

const NO_ENGINE = { engine: { kind: 'none' } } as const;
const LOGIN = { host: 'login', hop: 1, path: ['login'], kind: 'password', instruction: '' } as const;
const FIELDS = [{ text: 'Password', echo: false }];
const SECRET = 'correct horse battery';

const withData = (folder: string, sessions: DirectSessions, keyring?: Keyring): Promise<Here> =>
  startHere({ node: false, data: join(folder, 'data') }, folder, undefined, {
    sessions,
    ...(keyring === undefined ? {} : { keyring }),
  });

const isUp = ({ state }: Connection): boolean => state === 'up';

test('a forward is on its port again when its connection is up after a restart', async () => {
  const far = await httpServer((_request, response) => response.end('there'));
  const folder = temporaryFolder();
  const before = await withData(folder, new DirectSessions({}));
  const { id } = await addConnection(before, { host: 'login', ...NO_ENGINE });
  await until(before, id, isUp);
  const to = { host: '127.0.0.1', port: far };
  const first = Forward.parse((await send(before, 'POST', `/connections/${id}/forwards`, { to })).json());
  const second = Forward.parse((await send(before, 'POST', `/connections/${id}/forwards`, { to })).json());
  await before.engine.close();

  // Somebody else has the port of one of them meanwhile.
  const other = createServer().listen(second.listen.port, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const after = await withData(folder, new DirectSessions({}));
  const waiting = (await connectionOf(after, id)).forwards;
  expect(waiting).toMatchObject([
    { ...first, listening: false, problem: expect.stringContaining('when the connection is up') },
    { ...second, listening: false, problem: expect.stringContaining('when the connection is up') },
  ]);
  await send(after, 'POST', `/connections/${id}/connect`);
  const { forwards } = await until(after, id, (one) => one.forwards.some(({ listening }) => listening));
  expect(forwards[0]).toEqual(first);
  expect(await (await fetch(`http://127.0.0.1:${first.listen.port}/`)).text()).toBe('there');
  await until(after, id, (one) => one.forwards[1]?.problem?.includes('is taken') === true);

  // Free again, it is opened with the next connection; one that is removed is gone for good.
  other.close();
  await once(other, 'close');
  await send(after, 'DELETE', `/connections/${id}/forwards/${first.id}`);
  await send(after, 'POST', `/connections/${id}/disconnect`);
  await send(after, 'POST', `/connections/${id}/connect`);
  const last = await until(after, id, (one) => one.forwards[0]?.listening === true);
  expect(last.forwards).toEqual([second]);
  await after.engine.close();
  const again = await withData(folder, new DirectSessions({}));
  expect((await connectionOf(again, id)).forwards.map((one) => one.id)).toEqual([second.id]);
});

/** Asks for the password, once more where it is wrong, and is up with the right one. */
function logsIn(right: string, asked: string[]): (session: DirectSession) => void {
  return (session) => {
    const { signal } = new AbortController();
    const attempt = async (): Promise<void> => {
      for (let failed = 0; failed < 3; failed++) {
        const question = { ...LOGIN, title: 'Password of ada on login', fields: FIELDS, failed };
        const answers = await session.prompter.ask({ ...question, keep: 'password ada@login:22' }, signal);
        if (answers === null) return session.become('refused', 'cancelled');
        asked.push(answers[0]!);
        if (answers[0] === right) return session.become('up');
      }
      session.become('refused', 'wrong thrice');
    };
    void attempt();
  };
}

const asked = (here: Here): Promise<Prompt> =>
  eventually(async () => PromptList.parse((await send(here, 'GET', '/connections/prompts')).json()).prompts[0]);

class TestKeyring implements Keyring {
  readonly kept = new Map<string, string>();
  problem = (): Promise<string | null> => Promise.resolve(null);
  names = (): Promise<readonly string[]> => Promise.resolve([...this.kept.keys()]);
  get = (name: string): Promise<string | null> => Promise.resolve(this.kept.get(name) ?? null);
  put = (name: string, secret: string): Promise<string | null> => {
    this.kept.set(name, secret);
    return Promise.resolve(null);
  };
  forget = (names: readonly string[]): Promise<void> => {
    for (const name of names) this.kept.delete(name);
    return Promise.resolve();
  };
}

test('a password that is kept is not asked for again, until it is wrong or forgotten', async () => {
  const folder = temporaryFolder();
  const keyring = new TestKeyring();
  const given: string[] = [];
  const before = await withData(folder, new DirectSessions({}, logsIn(SECRET, given)), keyring);
  const { id } = await addConnection(before, { host: 'login', ...NO_ENGINE });
  const prompt = await asked(before);
  expect(prompt.keep).toEqual({ where: 'keyring', why: null });
  const answer = { action: 'answer', answers: [SECRET], keep: true };
  expect((await send(before, 'POST', `/connections/prompts/${prompt.id}`, answer)).status).toBe(204);
  expect((await until(before, id, (one) => isUp(one) && one.kept === 1)).kept).toBe(1);
  expect([...keyring.kept.values()]).toEqual([SECRET]);
  await before.engine.close();
  expect(JSON.stringify(before.log)).not.toContain(SECRET);
  expect(readFileSync(join(folder, 'data', 'connections.json'), 'utf8')).not.toContain(SECRET);

  // Not asked after a restart.
  const after = await withData(folder, new DirectSessions({}, logsIn(SECRET, given)), keyring);
  expect((await connectionOf(after, id)).kept).toBe(1);
  await send(after, 'POST', `/connections/${id}/connect`);
  await until(after, id, isUp);
  expect(given).toEqual([SECRET, SECRET]);
  expect(JSON.stringify(await connectionOf(after, id))).not.toContain(SECRET);

  // Forgotten it is asked for again.
  const forgotten = await send(after, 'DELETE', `/connections/${id}/secrets`);
  expect(Connection.parse(forgotten.json()).kept).toBe(0);
  expect(keyring.kept.size).toBe(0);
  await send(after, 'POST', `/connections/${id}/disconnect`);
  await send(after, 'POST', `/connections/${id}/connect`);
  expect((await asked(after)).kind).toBe('password');
  await after.engine.close();

  // Changed over there it is given once, then a person is asked.
  keyring.kept.clear();
  const changed: string[] = [];
  const third = await withData(folder, new DirectSessions({}, logsIn('new one', changed)));
  await send(third, 'POST', `/connections/${id}/connect`);
  const first = await asked(third);
  expect(first.keep).toEqual({ where: 'memory', why: expect.stringContaining('no keyring') });
  await send(third, 'POST', `/connections/prompts/${first.id}`, { action: 'answer', answers: ['new one'], keep: true });
  await until(third, id, (one) => isUp(one) && one.kept === 1);
  await send(third, 'POST', `/connections/${id}/disconnect`);
  await send(third, 'POST', `/connections/${id}/connect`);
  await until(third, id, isUp);
  expect(changed).toEqual(['new one', 'new one']);
});

test('a kept password that is wrong now is given once, and thrown away', async () => {
  const folder = temporaryFolder();
  const keyring = new TestKeyring();
  const first = await withData(folder, new DirectSessions({}, logsIn('old', [])), keyring);
  const { id } = await addConnection(first, { host: 'login', ...NO_ENGINE });
  const answer = { action: 'answer', answers: ['old'], keep: true };
  await send(first, 'POST', `/connections/prompts/${(await asked(first)).id}`, answer);
  await until(first, id, ({ kept }) => kept === 1);
  await first.engine.close();

  const given: string[] = [];
  const second = await withData(folder, new DirectSessions({}, logsIn('new', given)), keyring);
  await send(second, 'POST', `/connections/${id}/connect`);
  const prompt = await asked(second);
  expect([given, keyring.kept.size, prompt.title]).toEqual([['old'], 0, expect.stringContaining('not accepted')]);
  await send(second, 'POST', `/connections/prompts/${prompt.id}`, { action: 'answer', answers: ['new'] });
  await until(second, id, isUp);
  expect([given, (await connectionOf(second, id)).kept]).toEqual([['old', 'new'], 0]);
});

test('what may not be kept is not', async () => {
  const sessions = new DirectSessions({}, (session) => {
    const code = { ...LOGIN, kind: 'interactive' as const, title: 'login asks ada', fields: FIELDS, failed: 0 };
    void session.prompter.ask(code, new AbortController().signal);
  });
  const here = await startHere({ node: false }, undefined, undefined, { sessions });
  await addConnection(here, { host: 'login', ...NO_ENGINE });
  const prompt = await asked(here);
  expect(prompt.keep).toBeUndefined();
  const answer = await send(here, 'POST', `/connections/prompts/${prompt.id}`, {
    ...{ action: 'answer', answers: ['123456'], keep: true },
  });
  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('never kept')]);
});
