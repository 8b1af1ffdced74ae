import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Prompt } from '../../../../src/shared/api/connections.ts';
import { PromptsDesk } from '../../../../src/engine/remote/prompts-desk.ts';
import type { Question } from '../../../../src/engine/remote/session/prompts.ts';

const never = new AbortController().signal;

const question = (more: Partial<Question> = {}): Question => ({
  ...{ kind: 'password', host: 'login', hop: 1, path: ['login'], title: 'Password of login', instruction: '' },
  ...{ fields: [{ text: 'Password', echo: false }], failed: 0 },
  ...more,
});

function makeDesk(within = 60_000) {
  let told = 0;
  const desk = new PromptsDesk({ now: () => 1000, changed: () => void told++, within });
  return { desk, told: () => told };
}

test('each change is told of, and has a version', async () => {
  const { desk, told } = makeDesk();
  const answer = desk.prompter('c1', 'login').ask(question(), never);
  const [prompt] = desk.list();
  expect([desk.version, told(), prompt?.expires]).toEqual([1, 1, 61_000]);
  desk.answer(prompt!.id, { action: 'answer', answers: ['x'] });
  expect([await answer, desk.version, told(), desk.list()]).toEqual([['x'], 2, 2, []]);
});

test('nobody waits for ever: not the one who asks, not the one who is asked', async () => {
  const { desk } = makeDesk(50);
  expect(await desk.prompter('c1', 'login').ask(question(), never)).toBeNull();
  const gone = new AbortController();
  const waiting = desk
    .prompter('c1', 'login')
    .trust({ ...question(), keyType: 'ssh-ed25519', fingerprint: 'SHA256:x', others: [] }, gone.signal);
  gone.abort(new Error('the host has left'));
  await expect(waiting).rejects.toThrow('the host has left');
  expect(desk.list()).toEqual([]);
  await expect(desk.prompter('c1', 'login').ask(question(), gone.signal)).rejects.toThrow('the host has left');
});

test('connections that are shown one key of one host have one answer, and others none', async () => {
  const { desk } = makeDesk();
  const key = { keyType: 'ssh-ed25519', fingerprint: 'SHA256:x', others: [] };
  const trust = (connection: string, change: object) =>
    desk.prompter(connection, connection).trust({ ...question(), ...key, ...change }, never);
  const [first, second] = [trust('c1', {}), trust('c2', {})];
  const others = [trust('c3', { fingerprint: 'SHA256:y' }), trust('c4', { host: 'elsewhere' })];
  desk.answer(desk.list()[0]!.id, { action: 'trust', keep: true });
  expect(await Promise.all([first, second])).toEqual(['always', 'always']);
  expect(desk.list().map(({ connection }) => connection)).toEqual(['c3', 'c4']);
  desk.cancel();
  expect(await Promise.all(others)).toEqual(['no', 'no']);
});

test('a connection has a few prompts open, whatever its hops want, and takes none of another one away', async () => {
  const { desk } = makeDesk();
  const other = desk.prompter('c2', 'other').ask(question(), never);
  const many = Array.from({ length: 50 }, () => desk.prompter('c1', 'login').ask(question(), never));
  expect(desk.list().filter(({ connection }) => connection === 'c1')).toHaveLength(8);
  desk.cancel('c1');
  expect(await Promise.all(many)).toEqual(Array.from({ length: 50 }, () => null));
  expect(desk.list().map(({ connection }) => connection)).toEqual(['c2']);
  desk.cancel();
  expect(await other).toBeNull();
});

test('what a host says is short, plain text, under the name that this engine gives it', async () => {
  const { desk } = makeDesk();
  const evil = `\u001b]0;x\u0007\u202e${'é'.repeat(100_000)}`;
  const fields = Array.from({ length: 1000 }, () => ({ text: evil, echo: true }));
  void desk
    .prompter('c1', 'login')
    .ask(question({ kind: 'interactive', host: evil, instruction: evil, fields }), never);
  await delay(0);
  const prompt = Prompt.parse(desk.list()[0]);
  expect([prompt.host, prompt.connection, prompt.fields.length]).toEqual(['login', 'c1', 32]);
  expect(JSON.stringify(prompt).length).toBeLessThan(40_000);
  for (const text of [prompt.hop, prompt.title, prompt.text, ...prompt.fields.map(({ label }) => label)]) {
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  desk.cancel();
});
