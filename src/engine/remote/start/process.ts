/**
 * Starts and ends the engine over there. Which process it is, is kept with the time at which it began: a number alone
 * is soon somebody else's.
 */

import { z } from 'zod';
import { plainText } from '../words.ts';
import { inFolder, refuseChanged } from './folder.ts';
import { wanted, type Place } from './install.ts';
import { quoted, runScript, ScriptError } from './script.ts';

/** It is ready, or ended, within this, s: reading a long history takes its time. */
const READY_WITHIN = 120;
const ENDED_WITHIN = 60;

const UNPACKED = /^engine-[0-9a-f]{16}$/;

/** `alive`: the process of the folder's file, still the same one, and running a program of this folder. */
const ALIVE = `
began() { s=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1; set -- $s; [ $# -ge 20 ] && shift 19 && echo "$1"; }
alive() {
  [ -f "$d/run/pid" ] && read -r pid when <"$d/run/pid" || return 1
  case $pid in ''|*[!0-9]*) return 1;; esac
  exe=$(readlink "/proc/$pid/exe" 2>/dev/null)
  case $exe in "$d"/engine-*) ;; *) return 1;; esac
  [ "$(began "$pid")" = "$when" ]
}
nap() { sleep 0.2 2>/dev/null || sleep 1; }
`;

const Ready = z.object({ event: z.literal('ready'), socket: z.string().min(1).max(1024), pid: z.number() });

export interface Started {
  /** Path of its socket over there. */
  readonly socket: string;
  /** It ran before. */
  readonly wasThere: boolean;
}

/** On a Unix socket only, apart from the login. `isAgain`: the old one, after what was to come in its place was taken back. @throws {ScriptError} With what it says. */
export async function startEngine(
  { session, folder, by }: Place,
  name: string,
  signal: AbortSignal,
  isAgain = false,
): Promise<Started> {
  const told = await runScript(
    session,
    `${inFolder(folder)}
${ALIVE}
mkdir -p -- "$d/run"
${isAgain ? `: >"$d"/${wanted(by)}` : ''}
o=$d/run/out; l=$d/run/log; e=$d/${quoted(name)}
was=0; p=
# One that was begun a moment ago by a login that was lost is waited for, too.
if alive; then
  if grep -q '"event":"ready"' "$o" 2>/dev/null; then was=1; say was there; else p=$pid; w=$when; fi
else
  rm -f -- "$o" "$d/run/pid"
  set --
  command -v nohup >/dev/null 2>&1 && set -- nohup
  command -v setsid >/dev/null 2>&1 && set -- setsid "$@"
  ( cd / && exec "$@" "$e/bin/vigie" serve --listen off </dev/null >"$o" 2>"$l" ) &
  p=$!; w=$(began "$p")
  echo "$p $w" >"$d/run/pid"
  # See the folder's own marker.
  chmod +t "$d/run/pid" "$o" "$l" 2>/dev/null
fi
if [ $was = 0 ]; then
  i=0
  while [ $i -lt ${READY_WITHIN * 5} ]; do
    grep -q '"event":"ready"' "$o" 2>/dev/null && break
    [ -n "$(readlink "/proc/$p/exe" 2>/dev/null)" ] || break
    # Taken away by whoever cancels.
    [ -f "$d"/${wanted(by)} ] || break
    nap; i=$((i+1))
  done
fi
if [ -f "$d"/${wanted(by)} ] && alive && grep -q '"event":"ready"' "$o"; then
  say ready "$(head -c 4096 "$o" | head -n 1)"
elif [ $was = 0 ]; then
  tail -n 3 "$l" 2>/dev/null | one log
  # The same process still, and not yet of any use.
  [ "$(began "$p")" = "$w" ] && kill -TERM "$p" 2>/dev/null
  rm -f -- "$d/run/pid"
fi`,
    signal,
  );
  if (told.has('gone')) throw new ScriptError(`${folder} is not there any more`);
  const ready = Ready.safeParse(parse(told.get('ready')));
  if (!ready.success) throw new ScriptError(`the engine does not start there: ${lastWords(told.get('log'))}`);
  return { socket: ready.data.socket, wasThere: told.has('was') };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of lines of its log, which are JSON unless it did not get as far. */
function lastWords(log: string): string {
  const said = [...log.matchAll(/"msg":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => String(parse(text!)));
  return plainText(said.at(-1) ?? log.trim(), 600) || 'it says nothing';
}

export type Stopped = 'stopped' | 'not-running';

/** Asks it to end, and waits until it has written what it holds. @throws {ScriptError} When it does not. */
export async function stopEngine({ session, folder }: Place, signal: AbortSignal): Promise<Stopped> {
  const told = await runScript(
    session,
    `${inFolder(folder)}
${ALIVE}
if alive; then
  kill -TERM "$pid" && say stopping; i=0
  while alive && [ $i -lt ${ENDED_WITHIN * 5} ]; do nap; i=$((i+1)); done
  alive && say hangs "$pid"
fi
alive || rm -f -- "$d/run/pid"`,
    signal,
  );
  refuseChanged(told, folder);
  if (told.has('hangs')) {
    const pid = plainText(told.get('hangs'), 20);
    throw new ScriptError(
      `the engine (process ${pid}) did not end within ${ENDED_WITHIN} s: look what it waits for there`,
    );
  }
  return told.has('stopping') ? 'stopped' : 'not-running';
}

/** The unpacked package that runs there, by its name; null: none does. @throws {ScriptError} Without the folder. */
export async function runningThere({ session, folder }: Place, signal: AbortSignal): Promise<string | null> {
  const told = await runScript(
    session,
    `${inFolder(folder)}\n${ALIVE}\nif alive; then e=\${exe#"$d"/}; say runs "\${e%%/*}"; fi`,
    signal,
  );
  if (told.has('gone')) throw new ScriptError(`${folder} is not there any more: nothing of the engine is left of it`);
  return UNPACKED.exec(told.get('runs'))?.[0] ?? null;
}
