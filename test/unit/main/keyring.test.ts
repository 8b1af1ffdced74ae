import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type SafeStorage, SecretFile } from '../../../src/main/keyring.ts';
import { KeyringAnswer, type KeyringAsk } from '../../../src/shared/host.ts';

const NAME = `c0ffee/${'a'.repeat(32)}`;
const OTHER = `c0ffee/${'b'.repeat(32)}`;
const SECRET = 'hunter2 – ünïcode';

/** Marks what it encrypts as Chromium does; `v10` is the key that everybody knows. */
function storage({
  mark = 'v11',
  available = true,
  backend,
}: {
  mark?: string;
  available?: boolean;
  backend?: string;
}) {
  const state = { available };
  const safe: SafeStorage = {
    isEncryptionAvailable: () => state.available,
    encryptString: (text) => Buffer.concat([Buffer.from(mark), Buffer.from(text).map((byte) => byte ^ 0x5a)]),
    decryptString(encrypted) {
      if (!encrypted.subarray(0, 3).equals(Buffer.from(mark))) throw new Error(`cannot decrypt ${SECRET}`);
      return Buffer.from(encrypted.subarray(3).map((byte) => byte ^ 0x5a)).toString();
    },
    ...(backend === undefined ? {} : { getSelectedStorageBackend: () => backend }),
  };
  return { safe, state };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vigie-keyring-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

let id = 0;
type Question = KeyringAsk extends infer Ask ? (Ask extends KeyringAsk ? Omit<Ask, 'type' | 'id'> : never) : never;
function ask(file: SecretFile, question: Question): KeyringAnswer {
  const answer = file.answer({ ...question, type: 'keyring', id: ++id });
  expect(answer.id).toBe(id);
  return KeyringAnswer.parse(answer);
}

test('what is kept is there after a restart, encrypted, in a file of its owner alone', () => {
  const path = join(folder(), 'secrets.json');
  const { safe } = storage({});
  const file = new SecretFile(path, safe, 'linux');
  expect(ask(file, { ask: 'problem' }).problem).toBeNull();
  expect(ask(file, { ask: 'put', name: NAME, secret: SECRET }).problem).toBeNull();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).not.toContain('hunter2');

  const again = new SecretFile(path, safe, 'linux');
  expect(ask(again, { ask: 'names' }).names).toEqual([NAME]);
  expect(ask(again, { ask: 'get', name: NAME }).secret).toBe(SECRET);
  expect(ask(again, { ask: 'get', name: OTHER }).secret).toBeNull();
  ask(again, { ask: 'forget', names: [NAME, OTHER] });
  expect(ask(again, { ask: 'get', name: NAME }).secret).toBeNull();
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, secrets: {} });
});

test.each([
  ['the key that everybody knows', { mark: 'v10' }],
  ['a backend that says so', { backend: 'basic_text' }],
  ['an unknown backend', { backend: 'unknown' }],
  ['no encryption', { available: false }],
])('on Linux with %s nothing is kept, and it says why', (_name, options) => {
  const path = join(folder(), 'secrets.json');
  const file = new SecretFile(path, storage(options).safe, 'linux');
  expect(ask(file, { ask: 'problem' }).problem).toMatch(/no open keyring/);
  expect(ask(file, { ask: 'put', name: NAME, secret: SECRET }).problem).toMatch(/no open keyring/);
  expect(ask(file, { ask: 'names' }).names).toEqual([]);
  expect(() => statSync(path)).toThrow(/ENOENT/);
});

test('elsewhere the mark does not count', () => {
  const file = new SecretFile(join(folder(), 'secrets.json'), storage({ mark: 'v10' }).safe, 'darwin');
  expect(ask(file, { ask: 'problem' }).problem).toBeNull();
});

test('a keyring that is gone, another key, a file of rubbish: nothing is told, and nothing of the error', () => {
  const path = join(folder(), 'secrets.json');
  const { safe, state } = storage({});
  const file = new SecretFile(path, safe, 'linux');
  ask(file, { ask: 'put', name: NAME, secret: SECRET });
  state.available = false;
  expect(ask(file, { ask: 'get', name: NAME }).secret).toBeNull();

  writeFileSync(
    path,
    JSON.stringify({ version: 1, secrets: { [NAME]: Buffer.from('xxxrubbish').toString('base64') } }),
  );
  const other = ask(new SecretFile(path, storage({}).safe, 'linux'), { ask: 'get', name: NAME });
  expect(other).toMatchObject({ secret: null, problem: 'the keyring cannot be used now' });
  writeFileSync(path, '{');
  expect(ask(new SecretFile(path, storage({}).safe, 'linux'), { ask: 'names' }).names).toEqual([]);
});

test('a file that cannot be written is said', () => {
  const file = new SecretFile(join(folder(), 'nowhere', 'secrets.json'), storage({}).safe, 'linux');
  expect(ask(file, { ask: 'put', name: NAME, secret: SECRET }).problem).toMatch(/cannot be written \(ENOENT\)/);
});
