/**
 * The private folder over there. /tmp of a login node is everybody's: a folder is only taken when it is ours alone, is no
 * link, and nobody on the way to it could put another one in its place.
 */

import type { Session } from '../types.ts';
import { plainText } from '../words.ts';
import { runScript, SAFE_PATH, ScriptError, quoted, type Told } from './script.ts';

/** Its marker: nothing is ever removed from a folder without it. */
export const MARKER = 'vigie-remote';

export interface Folder {
  readonly path: string;
  /** It was made now. */
  readonly isNew: boolean;
  /** The package is unpacked there. */
  readonly has: boolean;
  readonly fileSystem: string;
}

export interface FolderOptions {
  /** Above it; empty: the usual ones. */
  readonly parents: readonly string[];
  /** A person named it: whatever its file system is. */
  readonly isNamed: boolean;
  /** KiB that have to be free, unless the package is there. */
  readonly need: number;
  readonly unpacked: string;
  /** A file that is there while something is done. */
  readonly mark: string;
}

/** In the order in which they are tried. /run/user goes when the user logs out, unless lingering is on. */
const USUAL = `
  look /tmp "vigie-remote-$u" ||
  look /var/tmp "vigie-remote-$u" ||
  { [ -e "/var/lib/systemd/linger/$(id -un)" ] && [ -n "\${XDG_RUNTIME_DIR:-}" ] && look "$XDG_RUNTIME_DIR" vigie-remote; } ||
  look /dev/shm "vigie-remote-$u"
`;

/** File systems that are a node's own: a socket and files in use on others are seen, or lost, by more than one node. */
const LOCAL = 'ext*|xfs|btrfs|tmpfs|ramfs|overlay*|zfs|f2fs|jfs|reiserfs|bcachefs';

const script = ({ parents, isNamed, need, unpacked, mark }: FolderOptions): string => `
u=$(id -u); need=${need}; named=${isNamed ? 1 : 0}
no() { printf '%s ' no "$@" | tr '\\n\\r' '  '; echo; return 1; }
# Whoever may rename a folder on the way can put another one there.
safe() {
  a=$1
  while :; do
    s=$(ls -ldn -- "\${a:-/}") || return 1
    set -- $s
    [ "$3" = 0 ] || [ "$3" = "$u" ] || return 1
    case $1 in
      ?????w*|????????w*) case $1 in ?????????[tT]*) ;; *) return 1;; esac;;
    esac
    [ -n "$a" ] || return 0
    a=\${a%/*}
  done
}
ours() {
  [ ! -h "$1" ] && [ -d "$1" ] && [ -O "$1" ] || { no "$1" foreign; return 1; }
  s=$(ls -ldn -- "$1")
  case $s in drwx------*) ;; *) no "$1" mode; return 1;; esac
  [ -f "$1/${MARKER}" ] || [ -z "$(ls -A -- "$1")" ] || { no "$1" other; return 1; }
}
undo() { if [ "$new" = 1 ]; then rm -f -- "$d/${MARKER}"; rmdir -- "$d"; fi; }
look() {
  p=$(cd -P -- "$1" 2>/dev/null && pwd -P) || { no "$1" missing; return 1; }
  [ "$p" = / ] && p=
  d=$p/$2; new=0
  case $d in *[!A-Za-z0-9_@%+=:,./-]*) no "$1" name; return 1;; esac
  t=$(stat -f -c %T -- "\${p:-/}" 2>/dev/null) || t=unknown
  if [ $named = 0 ]; then case $t in ${LOCAL}) ;; *) no "$1" remote "$t"; return 1;; esac; fi
  safe "$p" || { no "$1" open; return 1; }
  if [ ! -h "$d" ] && [ ! -e "$d" ]; then
    m=$(mkdir -m 700 -- "$d" 2>&1) || { no "$d" make "$m"; return 1; }
    new=1
  fi
  ours "$d" || return 1
  m=$( { : >"$d/${MARKER}"; } 2>&1 ) || { no "$d" make "$m"; undo; return 1; }
  # Of a file that is marked so systemd-tmpfiles takes nothing away, however old it is.
  chmod +t "$d/${MARKER}" 2>/dev/null
  x=$d/x.$$
  m=$( { printf '#!/bin/sh\\nexit 0\\n' >"$x" && chmod 700 "$x"; } 2>&1 ) || { rm -f -- "$x"; no "$d" make "$m"; undo; return 1; }
  "$x" 2>/dev/null; r=$?
  rm -f -- "$x"
  [ $r = 0 ] || { no "$d" noexec; undo; return 1; }
  has=0; [ -d "$d/"${quoted(unpacked)} ] && has=1
  set -- $(df -Pk -- "$d" | tail -n 1)
  free=\${4:-0}
  if [ $has = 0 ]; then
    case $free in *[!0-9]*) ;; *) [ "$free" -ge "$need" ] || { no "$d" space "$free"; undo; return 1; };; esac
  fi
  : >"$d/"${quoted(mark)}
  say folder "$d"; say new $new; say has $has; say type "$t"
}
${parents.length === 0 ? USUAL : parents.map((parent) => `look ${quoted(parent)} "vigie-remote-$u"`).join(' ||\n')}
`;

const mebi = (kib: number): string => `${Math.ceil(kib / 1024)} MiB`;

function wordsFor(line: string, need: number): string {
  const [, place = '', why = '', rest = ''] = /^(\S*) (\S+) ?(.*)$/.exec(line) ?? [];
  const said = plainText(rest, 200);
  const words: Readonly<Record<string, string>> = {
    missing: 'is not there',
    name: 'has characters in its name that are not taken',
    remote: `is on a file system that other nodes share, or an unknown one (${said})`,
    open: 'can be replaced by somebody else, or something on the way to it',
    foreign: 'is a link, or belongs to somebody else',
    mode: 'can be read by others (chmod 700)',
    other: 'has other things in it',
    make: `cannot be written to (${said})`,
    noexec: 'lets no programs run (noexec)',
    space: `has ${mebi(Number(rest))} free, and ${mebi(need)} are needed`,
  };
  return `${plainText(place, 200)} ${words[why] ?? 'cannot be used'}`;
}

/** @throws {ScriptError} With what is wrong with each place. */
export async function makeFolder(session: Session, options: FolderOptions, signal: AbortSignal): Promise<Folder> {
  const told = await runScript(session, script(options), signal);
  const path = told.get('folder');
  if (!SAFE_PATH.test(path)) {
    const reasons = told.all('no').map((line) => wordsFor(line, options.need));
    const todo = options.isNamed ? '' : '; name a folder on a disk of that node that you may write to';
    throw new ScriptError(`no folder there can be used: ${reasons.join('; ') || 'none is there'}${todo}`);
  }
  const fileSystem = plainText(told.get('type'), 40);
  return { path, isNew: told.get('new') === '1', has: told.get('has') === '1', fileSystem };
}

/** Lines that end a script unless its folder is ours as it was left. For everything that follows the first look. */
export const inFolder = (path: string): string => `
d=${quoted(path)}
if [ ! -e "$d" ] && [ ! -h "$d" ]; then say gone; say vigie-end; exit 0; fi
if [ -h "$d" ] || [ ! -d "$d" ] || [ ! -O "$d" ] || [ ! -f "$d/${MARKER}" ]; then say gone changed; say vigie-end; exit 0; fi
`;

/** For what must not take a folder that cannot be looked into for an empty one. @throws {ScriptError} In words. */
export function refuseChanged(told: Told, folder: string): void {
  if (told.get('gone') !== 'changed') return;
  throw new ScriptError(
    `${folder} is not as it was left (its file ${MARKER} is missing, or it is somebody else's): nothing is done there`,
  );
}
