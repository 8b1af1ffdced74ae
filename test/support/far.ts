/** An engine on a machine elsewhere, as a laptop sees it: behind real sshds, its files and socket those of their user. */

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';

import { type Engine, launchEngine } from './launch.ts';
import type { Sshd, SshSite } from './sshd.ts';

/** What `vigie` there has written so that its user's programs find it; it ran as root, which logs in to no sshd. */
function giveTo(user: string, ...paths: string[]): void {
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, user])));
  for (const one of paths) chownSync(one, uid!, gid!);
}

/** Starts one. It has no port; whoever logs in as the site's user finds it. The caller stops it. */
export async function startFar(site: SshSite, name: string, args: readonly string[] = []): Promise<Engine> {
  const folder = path.join(site.folder, name);
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o711 });
  const engine = await launchEngine({ folder, args: ['--listen', 'off', ...args] });
  const { socket } = engine.ready;
  if (socket === null) throw new Error('this engine has no socket');
  const place = path.join(site.folder, '.local/share/vigie', hostname());
  mkdirSync(place, { recursive: true });
  const file = path.join(place, 'engine.json');
  writeFileSync(file, JSON.stringify({ socket, url: null, token_file: null }));
  giveTo(site.user, socket, file);
  chmodSync(folder, statSync(folder).mode | 0o011);
  return engine;
}

/** The ssh configuration of a host behind others, nearest first; its user's key, if it has one, is `key`. */
export function sshConfig(
  site: SshSite,
  hosts: Readonly<Record<string, Sshd>>,
  { key, checking = 'accept-new' }: { readonly key?: string; readonly checking?: 'ask' | 'accept-new' } = {},
): string {
  const names = Object.keys(hosts);
  const blocks = Object.entries(hosts).flatMap(([name, { port }], i) => [
    ...[`Host ${name}`, `  Port ${port}`],
    ...(i > 0 ? [`  ProxyJump ${names[i - 1]}`] : []),
  ]);
  const known = site.file();
  const file = site.file();
  const all = [
    ...['Host *', '  HostName 127.0.0.1', `  User ${site.user}`, '  IdentityAgent none'],
    ...(key === undefined ? ['  PubkeyAuthentication no'] : [`  IdentityFile ${key}`, '  IdentitiesOnly yes']),
    ...[`  UserKnownHostsFile ${known}`, '  GlobalKnownHostsFile none', `  StrictHostKeyChecking ${checking}`],
  ];
  writeFileSync(file, [...blocks, ...all, ''].join('\n'), { mode: 0o644 });
  return file;
}
