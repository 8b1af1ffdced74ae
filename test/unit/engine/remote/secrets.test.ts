import { expect, test } from 'vitest';
import { type Keyring, KeptSecrets } from '../../../../src/engine/remote/secrets.ts';

class MemoryKeyring implements Keyring {
  readonly kept = new Map<string, string>();
  why: string | null = null;
  full: string | null = null;

  problem(): Promise<string | null> {
    return Promise.resolve(this.why);
  }
  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.kept.keys()]);
  }
  get(name: string): Promise<string | null> {
    return Promise.resolve(this.kept.get(name) ?? null);
  }
  put(name: string, secret: string): Promise<string | null> {
    if (this.full === null) this.kept.set(name, secret);
    return Promise.resolve(this.full);
  }
  forget(names: readonly string[]): Promise<void> {
    for (const name of names) this.kept.delete(name);
    return Promise.resolve();
  }
}

function make(keyring: Keyring | null): { secrets: KeptSecrets; warned: string[]; name: string } {
  const warned: string[] = [];
  const secrets = new KeptSecrets(
    keyring,
    (message) => warned.push(message),
    () => undefined,
  );
  return { secrets, warned, name: secrets.nameOf('one', 'password ada@login:22') };
}

test('a name tells nothing of the host, and is of its connection', () => {
  const { secrets, name } = make(null);
  expect(name).toMatch(/^one\/[0-9a-f]{32}$/);
  expect(secrets.nameOf('two', 'password ada@login:22')).not.toBe(name);
  expect(secrets.nameOf('one', 'password ada@login:23')).not.toBe(name);
});

test('is kept when the login worked, and not before', async () => {
  const keyring = new MemoryKeyring();
  const { secrets, name } = make(keyring);
  secrets.hold('one', name, 'hunter2');
  expect([await secrets.find(name), keyring.kept.size, secrets.count('one')]).toEqual([null, 0, 0]);
  await secrets.confirm('one');
  expect([await secrets.find(name), keyring.kept.size, secrets.count('one')]).toEqual(['hunter2', 1, 1]);

  secrets.hold('one', secrets.nameOf('one', 'other'), 'wrong');
  secrets.drop('one');
  await secrets.confirm('one');
  expect(keyring.kept.size).toBe(1);
});

test('forgotten while the keyring is opened, it is not kept', async () => {
  const keyring = new MemoryKeyring();
  const { secrets, name } = make(keyring);
  secrets.hold('one', name, 'hunter2');
  // An empty one is none that a keyring takes.
  secrets.hold('one', secrets.nameOf('one', 'empty'), '');
  const confirmed = secrets.confirm('one');
  await secrets.forget('one');
  await confirmed;
  expect([await secrets.find(name), keyring.kept.size, secrets.count('one')]).toEqual([null, 0, 0]);
});

test('what was wrong is gone, also when it was given a moment ago', async () => {
  const keyring = new MemoryKeyring();
  const { secrets, name } = make(keyring);
  secrets.hold('one', name, 'old');
  await secrets.confirm('one');
  secrets.hold('one', name, 'wrong');
  await secrets.reject('one', name);
  await secrets.confirm('one');
  expect([await secrets.find(name), keyring.kept.size, secrets.count('one')]).toEqual([null, 0, 0]);
});

test('without a keyring it is in memory, and says why', async () => {
  const { secrets, name } = make(null);
  expect(await secrets.place()).toEqual({ where: 'memory', why: expect.stringContaining('without a desktop') });
  const closed = new MemoryKeyring();
  closed.why = 'no keyring here';
  const desktop = make(closed);
  expect(await desktop.secrets.place()).toEqual({ where: 'memory', why: 'no keyring here' });
  for (const one of [secrets, desktop.secrets]) {
    one.hold('one', name, 'hunter2');
    await one.confirm('one');
    expect([await one.find(name), one.count('one')]).toEqual(['hunter2', 1]);
    one.close();
    expect(await one.find(name)).toBeNull();
  }
  expect(closed.kept.size).toBe(0);
});

test('a keyring that takes nothing more is told, without the secret', async () => {
  const keyring = new MemoryKeyring();
  keyring.full = 'the disk is full';
  const { secrets, warned, name } = make(keyring);
  secrets.hold('one', name, 'hunter2');
  await secrets.confirm('one');
  expect(await secrets.find(name)).toBe('hunter2');
  expect(warned).toEqual([expect.stringContaining('the disk is full')]);
  expect(warned.join()).not.toContain('hunter2');
});

test('of connections that are no longer there nothing stays; forgetting one leaves the others', async () => {
  const keyring = new MemoryKeyring();
  const { secrets, name } = make(keyring);
  const [two, gone] = [secrets.nameOf('two', 'x'), secrets.nameOf('gone', 'x')];
  keyring.kept.set(name, 'a').set(two, 'b').set(gone, 'c');
  await secrets.open(['one', 'two']);
  expect([...keyring.kept.keys()]).toEqual([name, two]);
  expect([secrets.count('one'), secrets.count('two')]).toEqual([1, 1]);
  await secrets.forget('one');
  expect([...keyring.kept.keys()]).toEqual([two]);
  expect([secrets.count('one'), await secrets.find(name), await secrets.find(two)]).toEqual([0, null, 'b']);
});
