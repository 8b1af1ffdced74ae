/** The way to a host through a program of the user's choice (`ProxyCommand`): its input and output are the connection. */

import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

import type { ResolvedHost } from '../types.ts';
import type { ConnectionLog } from './log.ts';

/** The tokens that OpenSSH knows in a ProxyCommand. */
export function proxyCommandLine(host: ResolvedHost, command: string): string {
  const values: Readonly<Record<string, string>> = {
    ...{ '%': '%', h: host.hostname, n: host.name, p: String(host.port), r: host.user },
  };
  return command.replaceAll(/%(.)/g, (found, letter: string) => values[letter] ?? found);
}

/** As OpenSSH: by the user's shell, which becomes the program. Whether it may run was asked before. */
export function runProxyCommand(host: ResolvedHost, command: string, log: ConnectionLog): Duplex {
  const shell = process.platform === 'win32' ? true : (process.env['SHELL'] ?? '/bin/sh');
  const expanded = proxyCommandLine(host, command);
  const line = process.platform === 'win32' ? expanded : `exec ${expanded}`;
  const child = spawn(line, { shell, stdio: ['pipe', 'pipe', 'pipe'] });
  log.add(host.name, 'reached through its ProxyCommand');
  child.stderr.on('data', (chunk: Buffer) => log.add(host.name, `ProxyCommand: ${chunk.toString()}`));
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => stream.destroy(error));
  child.on('exit', (code, signal) => {
    if (code !== 0) log.add(host.name, `its ProxyCommand ended (${signal ?? `status ${code}`})`);
  });
  stream.on('close', () => child.kill());
  return stream;
}
