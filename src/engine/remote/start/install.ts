/** Unpacks what was sent, beside what is there; and takes all of it away again, and nothing else. */

import type { Session } from '../types.ts';
import { plainText } from '../words.ts';
import { inFolder, MARKER, refuseChanged } from './folder.ts';
import type { LocalPackage } from './local-package.ts';
import { quoted, runScript, ScriptError, whyNoRoom } from './script.ts';

/** Where a package is over there, in the folder: by its contents. */
export const unpackedName = ({ sha256 }: Pick<LocalPackage, 'sha256'>): string => `engine-${sha256.slice(0, 16)}`;

/** Is there as long as something is done by this engine. */
export const wanted = (by: string): string => `work-${by}`;

export interface Place {
  readonly session: Session;
  readonly folder: string;
  /** Marks what this engine does there. */
  readonly by: string;
}

/** A folder that something is still written to is given another name first: what writes there then finishes nothing. */
const takeAway = (name: string): string => `
if [ -e "$d"/${name} ]; then
  mv -- "$d"/${name} "$d"/gone-$$ && i=0
  while [ -e "$d"/gone-$$ ] && [ $i -lt 20 ]; do rm -rf -- "$d"/gone-$$ 2>/dev/null || sleep 1; i=$((i+1)); done
fi`;

/**
 * Appears whole or not at all, and only when it runs there. @throws {ScriptError} In words.
 */
export async function unpack({ session, folder, by }: Place, local: LocalPackage, part: string, signal: AbortSignal) {
  const [name, target] = [quoted(local.name), quoted(unpackedName(local))];
  const told = await runScript(
    session,
    `${inFolder(folder)}
if [ ! -d "$d"/${target} ]; then
  w="$d"/unpacking-${by}
  ${takeAway(`unpacking-${by}`)}
  m=$(mkdir -- "$w" 2>&1) || { printf '%s' "$m" | one failed; say vigie-end; exit 0; }
  m=$(tar -xzf "$d"/${quoted(part)} -C "$w" 2>&1 </dev/null) || { printf '%s' "$m" | one failed; say vigie-end; exit 0; }
  v=$("$w"/${name}/bin/vigie --version 2>&1 </dev/null)
  [ "$v" = ${quoted(local.version)} ] || { printf '%s' "$v" | one broken; say vigie-end; exit 0; }
  # Old files of /tmp are cleaned away on many systems, also of programs that run: such files are not.
  find "$w"/${name} -type f -exec chmod +t {} + 2>/dev/null
  # Whoever cancels takes this file away first: what is slower than that finishes nothing.
  [ -f "$d"/${wanted(by)} ] || { rm -rf -- "$w"; say failed; say vigie-end; exit 0; }
  mv -- "$w"/${name} "$d"/${target} || { say failed mv; say vigie-end; exit 0; }
  rmdir -- "$w"
fi
rm -f -- "$d"/${quoted(part)}
say done`,
    signal,
  );
  if (told.has('done')) return;
  if (told.has('broken')) throw new ScriptError(whyBroken(plainText(told.get('broken').trim(), 400), local));
  const said = plainText(told.get('failed').trim(), 300);
  throw new ScriptError(
    `it could not be unpacked: ${whyNoRoom(said) ?? 'the disk there took not all of it'} (${said})`,
  );
}

function whyBroken(said: string, local: LocalPackage): string {
  if (/GLIBC_\d/.test(said)) return `the C library there is too old: glibc ${local.glibc} or newer is needed (${said})`;
  if (/GLIBCXX_|libstdc\+\+/.test(said)) return `the C++ library there (libstdc++) is too old or missing (${said})`;
  return `the engine does not run there (it says: ${said || 'nothing'})`;
}

/**
 * What was begun is taken back; what is in use stays. `part`: what was sent of it; null: that stays, to go on with. With
 * `all`, the folder too when nothing else is in it.
 */
export async function takeBack({ session, folder, by }: Place, part: string | null, all: boolean, signal: AbortSignal) {
  await runScript(
    session,
    `${inFolder(folder)}
rm -f -- "$d"/${wanted(by)}
${part === null ? '' : `rm -f -- "$d"/${quoted(part)}`}
${takeAway(`unpacking-${by}`)}
${all ? removeAll : ''}`,
    signal,
  );
}

/** One unpacked package. */
export async function removeUnpacked({ session, folder }: Place, name: string, signal: AbortSignal): Promise<void> {
  await runScript(session, `${inFolder(folder)}\n${takeAway(quoted(name))}`, signal);
}

/** Every unpacked package but this one, and parts that nobody goes on with. */
export async function removeOthers({ session, folder }: Place, keep: string, signal: AbortSignal): Promise<number> {
  const told = await runScript(
    session,
    `${inFolder(folder)}
for e in "$d"/engine-* "$d"/gone-*; do
  [ -d "$e" ] && [ ! -h "$e" ] && [ "$e" != "$d"/${quoted(keep)} ] && rm -rf -- "$e" && say removed "$e"
done`,
    signal,
  );
  return told.all('removed').length;
}

/** By their names, so that nothing of anybody else goes with it. */
const removeAll = `
if [ -z "$(ls -d -- "$d"/engine-* 2>/dev/null)" ]; then rm -rf -- "$d"/run; rm -f -- "$d"/x.*; fi
left=$(ls -A -- "$d" | grep -v '^${MARKER}$' | head -n 5 | tr '\\n' ' ')
if [ -z "$left" ]; then rm -f -- "$d/${MARKER}" && rmdir -- "$d"; else say left "$left"; fi
`;

/** What is left there since it is not of the engine, in words; null: nothing. */
export async function removeFolder({ session, folder }: Place, signal: AbortSignal): Promise<string | null> {
  const told = await runScript(
    session,
    `${inFolder(folder)}
for e in "$d"/engine-* "$d"/unpacking-* "$d"/gone-* "$d"/part-* "$d"/work-*; do
  [ -e "$e" ] && [ ! -h "$e" ] && rm -rf -- "$e"
done
t=/tmp/vigie-$(id -u)
[ ! -h "$t" ] && [ -O "$t" ] && rmdir -- "$t" 2>/dev/null
${removeAll}`,
    signal,
  );
  refuseChanged(told, folder);
  const left = plainText(told.get('left'), 300);
  return left === '' ? null : `left in ${folder}, since it is not of the engine: ${left}`;
}
