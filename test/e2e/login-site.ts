/** Hosts to log in to: a gate that takes a key, a login node behind it that asks for a code, and a host whose key changed. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type Engine, startEngine } from '../support/engine.ts';
import { type Sshd, SshSite } from '../support/sshd.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { type CodeHost, startCodeHost } from './code-host.ts';

/** Sets a global if it ever runs. */
export const EVIL = '<img src=x onerror=window.__ran=1>';
export const PASSWORD = 'correct horse battery';
export const CODE = '123456';

export interface LoginSite {
  readonly site: SshSite;
  readonly gate: Sshd;
  readonly login: CodeHost;
  /** The configuration that the engine has, and the files of known hosts of it and of `swapped`. */
  readonly config: string;
  readonly known: string;
  readonly swappedKnown: string;
  readonly engine: Engine;
  readonly data: string;
  close(): Promise<void>;
}

/** As `ssh-keygen -l` prints it. */
export const printOf = (key: string): string =>
  /SHA256:\S+/.exec(execFileSync('ssh-keygen', ['-lf', `${key}.pub`], { encoding: 'utf8' }))![0];

export async function startLoginSite(): Promise<LoginSite> {
  const site = new SshSite();
  const key = site.key('user');
  site.authorize(key);
  const [gate, login] = await Promise.all([
    site.sshd(),
    startCodeHost({
      ...{ hostKey: site.key('code'), banner: `Welcome ${EVIL}\n` },
      ...{ title: 'Two factors', instruction: `Open the app on your phone. ${EVIL}`, right: `${PASSWORD}|${CODE}` },
      prompts: [
        { prompt: 'Password: ', echo: false },
        { prompt: 'One-time code: ', echo: true },
      ],
    }),
  ]);
  const [config, known, swappedKnown] = [site.file('config'), site.file('known'), site.file('swapped')];
  writeFileSync(known, '');
  const other = readFileSync(`${key}.pub`, 'utf8');
  writeFileSync(swappedKnown, `# a comment\n[127.0.0.1]:${gate.port} ${other}`);
  const lines = [
    ...['Host gate', `  Port ${gate.port}`],
    ...['Host login', `  Port ${login.port}`, '  ProxyJump gate'],
    ...['Host swapped', `  Port ${gate.port}`, `  UserKnownHostsFile ${swappedKnown}`],
    ...['Host proxied', `  Port ${gate.port}`, '  ProxyCommand /bin/false %h %p'],
    ...['Host plain', `  Port ${gate.port}`, '  UserKnownHostsFile none'],
    ...['Host inner', `  Port ${gate.port}`, '  ProxyJump login'],
    ...['Host *', '  HostName 127.0.0.1', `  User ${site.user}`, `  IdentityFile ${key}`, '  IdentitiesOnly yes'],
    ...['  IdentityAgent none', `  UserKnownHostsFile ${known}`, '  GlobalKnownHostsFile none'],
    ...['  StrictHostKeyChecking ask', ''],
  ];
  writeFileSync(config, lines.join('\n'));
  const folder = temporaryFolder();
  const data = path.join(folder, 'data');
  const file = path.join(folder, 'config.yaml');
  writeFileSync(file, `ssh_config: ${config}\n`);
  const engine = await startEngine({
    ...{ page: true, folder },
    args: ['--data', data, '--config', file, '--period', '250ms'],
  });
  return {
    ...{ site, gate, login, config, known, swappedKnown, engine, data },
    async close() {
      await engine.stop('SIGKILL');
      await login.close();
      await site.close();
    },
  };
}

export const dialog = (page: Page, name: string | RegExp): Locator => page.getByRole('dialog', { name });

/** What has the focus is called: its own label, that of a field, its text. */
const FOCUSED = `
  (({ activeElement: element }) =>
    element.getAttribute('aria-label') ?? (element.labels?.[0]?.textContent || element.textContent || ''))(document)
`;

/** Goes on with the tabulator until this has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const here = String(await page.evaluate(FOCUSED));
    if (here.trim() === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the tabulator does not lead to ${name}`);
}
