/** What a host is, as far as it matters to an engine that is to run there. */

import type { Session } from '../types.ts';
import { plainText } from '../words.ts';
import { archOf } from './local-package.ts';
import { runScript, ScriptError } from './script.ts';

export interface Host {
  /** As it calls itself. */
  readonly name: string;
  /** As packages are named. */
  readonly arch: string;
  readonly glibc: string;
  /** Why what is started there may end with the login; null: it goes on. */
  readonly ends: string | null;
}

const SCRIPT = `
say host "$(uname -n)"
say system "$(uname -s)"
say machine "$(uname -m)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
{ ldd --version 2>&1 || true; } </dev/null | head -n 1 | one ldd
for t in tar gzip mkdir mv rm df ls cat wc tr cut head tail; do command -v "$t" >/dev/null 2>&1 || say lacks "$t"; done
if cat /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf /usr/lib/systemd/logind.conf.d/*.conf 2>/dev/null |
  grep -i '^[ 	]*KillUserProcesses[ 	]*=[ 	]*\\(yes\\|true\\|on\\|1\\)' >/dev/null; then
  [ -e "/var/lib/systemd/linger/$(id -un)" ] || say kills
fi
`;

/** Numbers of a version, compared one by one. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(a!.length, b!.length); i++) {
    const difference = (a![i] ?? 0) - (b![i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** @throws {ScriptError} In words, when no engine can run there. */
export async function lookAtHost(session: Session, signal: AbortSignal): Promise<Host> {
  const told = await runScript(session, SCRIPT, signal);
  const name = plainText(told.get('host'), 253) || 'the host';
  const system = plainText(told.get('system'), 40);
  if (system !== 'Linux')
    throw new ScriptError(`${name} runs ${system || 'an unknown system'}: the engine is for Linux`);
  const machine = plainText(told.get('machine'), 40);
  const arch = archOf(machine);
  if (arch === null) {
    throw new ScriptError(`${name} is a machine of type ${machine}: there are engines for x86_64 and aarch64`);
  }
  const lacks = told.all('lacks').map((tool) => plainText(tool, 20));
  if (lacks.length > 0)
    throw new ScriptError(`${name} lacks ${lacks.join(', ')}: the package cannot be unpacked there`);
  return {
    ...{ name, arch },
    glibc: glibcOf(name, told.get('libc'), told.get('ldd')),
    ends: endsOf(told.has('kills')),
  };
}

function glibcOf(host: string, libc: string, ldd: string): string {
  if (/musl/i.test(ldd) && libc === '') {
    throw new ScriptError(`${host} has musl as its C library: the engine needs glibc, as most distributions have it`);
  }
  const version = (/^glibc (\d+(?:\.\d+)+)/.exec(libc) ?? /^ldd \(.*\) (\d+(?:\.\d+)+)/.exec(ldd.trim()))?.[1];
  if (version === undefined) throw new ScriptError(`${host} does not say which glibc it has: the engine needs glibc`);
  return version;
}

const endsOf = (kills: boolean): string | null =>
  kills
    ? 'systemd over there ends your programs when you log out (KillUserProcesses=yes): the engine ends with this ' +
      'connection, unless you may run `loginctl enable-linger` there'
    : null;
