/** Each way in, against Debian's sshd: keys of all formats, agents, passwords, and what is said when none works. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createLog } from '../../../src/engine/remote/session/log.ts';
import { KeyRing } from '../../../src/engine/remote/session/key-ring.ts';
import type { ResolvedHost } from '../../../src/engine/remote/types.ts';
import { lacksComponent } from '../../support/components.ts';
import { connect, DEFAULTS, MemoryHostKeys, output, Person, type Attempt } from '../../support/ssh-session.ts';
import { lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';

describe.skipIf(lacksSshd())('ways in', () => {
  let site: SshSite;
  let server: Sshd;
  const keys = new MemoryHostKeys();

  beforeAll(async () => {
    site = new SshSite();
    server = await site.sshd();
    keys.learn(server.port, ...server.hostKeys.map((key) => site.blob(key)));
  });
  afterAll(() => site.close());

  const host = (more: Partial<ResolvedHost> = {}, of: Sshd = server): ResolvedHost => ({
    ...DEFAULTS,
    ...{ name: 'login', user: site.user, port: of.port },
    ...more,
  });

  async function whoami(more: Partial<ResolvedHost>, attempt: Partial<Attempt> = {}): Promise<string> {
    const link = await connect({ hosts: [host(more)], keys, ...attempt });
    onTestFinished(() => link.close());
    return output(link, 'id -un');
  }

  test.each([
    ['ed25519', {}],
    ['ed25519 with a passphrase', { passphrase: 'open sesame' }],
    ['rsa', { type: 'rsa' }],
    ['rsa in PEM', { type: 'rsa', format: 'PEM' }],
    ['rsa in PEM with a passphrase', { type: 'rsa', format: 'PEM', passphrase: 'open sesame' }],
    ['rsa in PKCS#8 with a passphrase', { type: 'rsa', format: 'PKCS8', passphrase: 'open sesame' }],
    ['ecdsa', { type: 'ecdsa' }],
    ['ecdsa in PEM', { type: 'ecdsa', format: 'PEM' }],
  ] as const)('a key file: %s', async (name, options) => {
    const key = site.key(`key ${name.replaceAll(/[^a-z0-9]/g, '')}`, options);
    site.authorize(key);
    const secret = 'passphrase' in options ? [[options.passphrase]] : [];
    const person = new Person(secret);
    expect(await whoami({ identityFiles: [key] }, { person })).toBe(site.user);
    expect(person.asked.map(({ kind, host: from, hop }) => ({ kind, from, hop }))).toEqual(
      secret.map(() => ({ kind: 'passphrase', from: 'login', hop: 1 })),
    );
  });

  describe.skipIf(lacksComponent('puttygen'))("PuTTY's keys", () => {
    test.each([
      ['rsa', 2, ''],
      ['rsa', 3, ''],
      ['rsa', 3, 'open sesame'],
      ['rsa', 2, 'open sesame'],
      ['ed25519', 3, 'open sesame'],
      ['ed25519', 2, ''],
      ['ecdsa', 3, 'open sesame'],
      ['ecdsa', 2, 'open sesame'],
    ] as const)('%s, version %d, passphrase "%s"', async (type, version, passphrase) => {
      const key = site.key(`ppk-${type}-${version}-${passphrase.length}`, { type });
      const [ppk, secret] = [site.file(), site.file()];
      execFileSync('sh', ['-c', `printf %s "${passphrase}" > ${secret}`]);
      const protect = ['--ppk-param', `version=${version}`, '--new-passphrase', secret];
      execFileSync('puttygen', [key, '-O', 'private', '-o', ppk, ...protect], { stdio: 'pipe' });
      expect(readFileSync(ppk, 'utf8')).toContain(`PuTTY-User-Key-File-${version}`);
      site.authorize(key);
      const person = new Person(passphrase === '' ? [] : [[passphrase]]);
      expect(await whoami({ identityFiles: [ppk] }, { person })).toBe(site.user);
    });
  });

  test('a wrong passphrase is asked again, three times in all; an opened key is not asked for again', async () => {
    const key = site.key('thrice', { passphrase: 'right' });
    site.authorize(key);
    const wrong = new Person([['a'], ['b'], ['c'], ['right']]);
    await expect(
      whoami({ identityFiles: [key], passwordAuthentication: false }, { person: wrong }),
    ).rejects.toMatchObject({
      kind: 'refused',
      phase: 'authentication',
    });
    expect(wrong.asked.map(({ failed }) => failed)).toEqual([0, 1, 2]);
    const ring = new KeyRing();
    const person = new Person([['wrong'], ['right']]);
    expect(await whoami({ identityFiles: [key] }, { person, ring })).toBe(site.user);
    expect(await whoami({ identityFiles: [key] }, { person, ring })).toBe(site.user);
    expect(person.asked).toHaveLength(2);
  });

  test('a passphrase is asked for only when the host would take the key', async () => {
    const key = site.key('unwanted', { passphrase: 'right' });
    site.authorize(site.key('another'));
    const person = new Person([[site.password]]);
    expect(await whoami({ identityFiles: [key] }, { person })).toBe(site.user);
    expect(person.asked.map(({ kind }) => kind)).toEqual(['password']);
  });

  test('an agent, by its socket and by IdentityAgent', async () => {
    const key = site.key('inagent');
    site.authorize(key);
    const socket = await site.agent(key);
    expect(await whoami({}, { env: { SSH_AUTH_SOCK: socket } })).toBe(site.user);
    expect(await whoami({ identityAgent: socket })).toBe(site.user);
    const none = { identityAgent: 'none', passwordAuthentication: false };
    await expect(whoami(none, { env: { SSH_AUTH_SOCK: socket } })).rejects.toMatchObject({ kind: 'refused' });
  });

  test('an RSA key of an agent signs with SHA-2', async () => {
    const key = site.key('rsainagent', { type: 'rsa' });
    site.authorize(key);
    expect(await whoami({ identityAgent: await site.agent(key) })).toBe(site.user);
  });

  test('an agent that is not there is told, and the key file is used', async () => {
    const key = site.key('noagent');
    site.authorize(key);
    const log = createLog();
    const socket = site.file('nobody');
    expect(await whoami({ identityFiles: [key], identityAgent: socket }, { log })).toBe(site.user);
    expect(log.lines().map(({ text }) => text)).toContain(`the agent at ${socket} is left out: no agent listens there`);
  });

  test('an agent with ten keys: the host gives up, and the reason says what to do; IdentitiesOnly finds the right one', async () => {
    const many = Array.from({ length: 10 }, (_, i) => site.key(`ten${i}`));
    const right = many[9] ?? '';
    site.authorize(right);
    const identityAgent = await site.agent(...many);
    await expect(whoami({ identityAgent })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/gave up after several keys.*IdentitiesOnly/) as string,
    });
    expect(await whoami({ identityAgent, identityFiles: [right], identitiesOnly: true })).toBe(site.user);
    // As OpenSSH: the agent's key that a file names is offered first.
    expect(await whoami({ identityAgent, identityFiles: [right] })).toBe(site.user);
  });

  test('a password; it is in no line of the log', async () => {
    const log = createLog();
    const person = new Person([[site.password]]);
    expect(await whoami({}, { person, log })).toBe(site.user);
    expect(person.asked).toMatchObject([{ kind: 'password', host: 'login', hop: 1, path: ['login'], failed: 0 }]);
    log.add('login', `somebody says ${site.password} aloud`);
    expect(JSON.stringify(log.lines())).not.toContain(site.password);
  });

  test('a wrong password thrice', async () => {
    const person = new Person([['wrong'], ['wrong'], ['wrong'], [site.password]]);
    const log = createLog();
    await expect(whoami({}, { person, log })).rejects.toMatchObject({ kind: 'refused', phase: 'authentication' });
    expect(person.asked.map(({ failed }) => failed)).toEqual([0, 1, 2]);
    const told = log.lines().map(({ text }) => text);
    expect(told.filter((text) => text === 'password is not accepted')).toHaveLength(3);
    expect(told.join('\n')).not.toContain('wrong');
  }, 120_000);

  test('cancelled in the dialog', async () => {
    await expect(whoami({}, { person: new Person() })).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('cancelled from outside while the dialog is open: it is told', async () => {
    const end = new AbortController();
    let seen: AbortSignal | undefined;
    const person = new Person();
    const waits: Person['ask'] = (_question, signal) => {
      seen = signal;
      setTimeout(() => end.abort(), 50);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('over')));
      });
    };
    person.ask = waits;
    await expect(whoami({}, { person, signal: end.signal })).rejects.toMatchObject({ kind: 'cancelled' });
    expect(seen?.aborted).toBe(true);
  });

  test('BatchMode asks nobody', async () => {
    const person = new Person([[site.password]]);
    await expect(whoami({ batchMode: true }, { person })).rejects.toMatchObject({ kind: 'refused' });
    expect(person.asked).toEqual([]);
  });

  test('keyboard-interactive by PAM, and a key and a password together', async () => {
    const key = site.key('both');
    site.authorize(key);
    const pam = await site.sshd({ lines: ['KbdInteractiveAuthentication yes', 'PasswordAuthentication no'] });
    const both = await site.sshd({
      lines: ['KbdInteractiveAuthentication yes', 'AuthenticationMethods publickey,keyboard-interactive'],
    });
    for (const one of [pam, both]) keys.learn(one.port, ...one.hostKeys.map((file) => site.blob(file)));
    const person = new Person([[site.password]]);
    expect(await whoami({ port: pam.port }, { person })).toBe(site.user);
    expect(person.asked).toMatchObject([{ kind: 'interactive', fields: [{ text: 'Password:', echo: false }] }]);
    const other = new Person([[site.password]]);
    expect(await whoami({ port: both.port, identityFiles: [key] }, { person: other })).toBe(site.user);
    expect(other.asked.map(({ kind }) => kind)).toEqual(['interactive']);
    const agent = await site.agent(key);
    expect(await whoami({ port: both.port, identityAgent: agent }, { person: new Person([[site.password]]) })).toBe(
      site.user,
    );
  });
});
