/**
 * Where an engine is over there, and its token: asked of the host after login, as the user who logged in. What comes back
 * is the word of a host that may be anybody's: limited, checked, and only ever used to talk to that host itself.
 */

import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { EngineAddress } from '../../../shared/api/connections.ts';
import type { Session } from '../types.ts';
import { plainText } from '../words.ts';

const MAX_OUTPUT = 64 * 1024;
const MAX_TOKEN = 2048;
/** Engines that are tried, most. */
const MAX_FOUND = 4;
const TOKEN = /^[\x21-\x7e]{16,1024}$/;
const PATH = /^\/\P{Cc}{1,1023}$/u;

interface PortPlace {
  readonly kind: 'port';
  readonly host: string;
  readonly port: number;
}

export type Place = { readonly kind: 'socket'; readonly path: string } | PortPlace;

export interface Found {
  readonly place: Place;
  /** The file over there with its token; null: nothing is known of one. */
  readonly tokenFile: string | null;
}

export interface Look {
  /** The one to try first, first. */
  readonly found: readonly Found[];
  /** Name of the host that answered: behind a round-robin name it is another one each time. */
  readonly host: string | null;
  /** Why nothing was found, in words. */
  readonly absent: string;
  /** Sockets that are known to be the user's: of the others, and of ports, a file says that an engine was there. */
  readonly own: ReadonlySet<string>;
}

/**
 * One line, without a quote or an exclamation mark: whatever the login shell is, it only hands it on. A socket or file of
 * somebody else at the place where ours would be is not taken: /tmp of a login node is everybody's.
 */
const SCRIPT = [
  'u=$(id -u); h=$(uname -n); echo vigie-begin; echo "host $h"',
  // Through a link, or in a folder of somebody else, it could be exchanged after this look.
  'd="/tmp/vigie-$u"; if [ -h "$d" ] || [ -h "$d/engine.socket" ]; then d=/dev/null; elif [ -O "$d" ]; then :; else d=/dev/null; fi',
  'for s in "${VIGIE_SOCKET:-}" "$d/engine.socket"; do if [ -S "$s" ] && [ -O "$s" ]; then echo "socket $s"; fi; done',
  'b="${XDG_DATA_HOME:-$HOME/.local/share}/vigie"',
  'for f in "$b/$h/engine.json" "$b"/*/engine.json; do if [ -f "$f" ] && [ -O "$f" ]; then echo "file $(head -c 4096 "$f" | tr -d "\\n")"; fi; done | head -n 20',
  'echo vigie-end',
].join('; ');

/**
 * Of sockets and ports that a file names, those that belong to the user who logged in: an engine that was killed leaves its
 * file behind, and somebody else may be there since. Ports come as hexadecimal digits, as /proc has them.
 */
const OWN_SCRIPT = [
  'u=$(id -u); echo vigie-begin',
  'for s in "$@"; do if [ -S "$s" ] && [ -O "$s" ]; then printf "own %s\\n" "$s"; fi; done',
  // Those that listen: a login node has thousands of others.
  'grep -h " 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r n l r t q w e i x; do if [ "$t $i" = "0A $u" ]; then echo "port ${l##*:}"; fi; done',
  'echo vigie-end',
].join('; ');

/** The command line that asks. */
export const FIND_COMMAND = `exec sh -c '${SCRIPT}'`;

/** Text quoted for any login shell that knows single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const Announced = z.object({
  socket: z.string().regex(PATH),
  url: z.string().max(256).nullable().catch(null),
  token_file: z.string().regex(PATH).nullable().catch(null),
});

/** What was printed between the marks: a login shell may print anything before and after them. */
export function readLook(output: string): Look {
  const lines = output.split('\n').map((line) => line.trimEnd());
  const begin = lines.indexOf('vigie-begin');
  const end = lines.indexOf('vigie-end', begin);
  if (begin < 0 || end < 0) {
    return {
      found: [],
      ...{ host: null, own: new Set() },
      absent: 'the host did not say whether an engine runs there: it runs no ordinary shell for you',
    };
  }
  const said = lines.slice(begin + 1, end);
  const of = (key: string): string[] =>
    said.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const host = plainText(of('host')[0] ?? '', 253) || null;
  const files = of('file').flatMap((text) => {
    try {
      return [Announced.parse(JSON.parse(text))];
    } catch {
      return [];
    }
  });
  const sockets = new Set(of('socket').filter((path) => PATH.test(path)));
  const found: Found[] = [];
  for (const path of [...sockets, ...files.map(({ socket }) => socket)]) {
    if (found.some(({ place }) => place.kind === 'socket' && place.path === path)) continue;
    const tokenFile = files.find(({ socket }) => socket === path)?.token_file ?? null;
    found.push({ place: { kind: 'socket', path }, tokenFile });
  }
  // Where Unix sockets may not be forwarded, its port may.
  for (const { url, token_file: tokenFile } of files) {
    const place = loopback(url);
    const isKnown = found.some((one) => one.place.kind === 'port' && one.place.port === place?.port);
    if (place && !isKnown) found.push({ place, tokenFile });
  }
  const absent = `no engine of yours was found on ${host ?? 'the host'}: start one from here (vigie remote start), or over there (vigie serve)`;
  return { found: found.slice(0, 2 * MAX_FOUND), host, absent, own: sockets };
}

function loopback(url: string | null): PortPlace | null {
  if (url === null || !URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' || port === '' || !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return null;
  return { kind: 'port', host: '127.0.0.1', port: Number(port) };
}

/** @throws {Error} In words, when the host cannot be asked. */
export async function lookFor(session: Session, address: EngineAddress, signal: AbortSignal): Promise<Look> {
  if (address.kind === 'socket') {
    return toldPlace({ kind: 'socket', path: address.path }, null);
  }
  if (address.kind === 'port') {
    const { host, port } = address;
    const tokenFile =
      address.token_file ??
      (await lookFor(session, { kind: 'auto' }, signal)).found.find(
        ({ place }) => place.kind === 'port' && place.port === port,
      )?.tokenFile;
    return toldPlace({ kind: 'port', host, port }, tokenFile ?? null);
  }
  const look = readLook(await outputOf(session, FIND_COMMAND, MAX_OUTPUT, signal));
  const isProven = ({ place }: Found): boolean => place.kind === 'socket' && look.own.has(place.path);
  if (look.found.every(isProven)) return look;
  const own = await ownOf(session, look.found, signal);
  return { ...look, found: look.found.filter((one) => isProven(one) || own.has(nameOf(one))) };
}

/** Where a person says that it is. */
const toldPlace = (place: Place, tokenFile: string | null): Look => ({
  ...{ found: [{ place, tokenFile }], host: null, absent: '', own: new Set() },
});

const nameOf = ({ place }: Found): string =>
  place.kind === 'socket' ? `own ${place.path}` : `port ${place.port.toString(16).toUpperCase().padStart(4, '0')}`;

/** Whether a place that was found still belongs to the user who logged in: an engine may have ended since. */
export async function isOwn(session: Session, place: Place, signal: AbortSignal): Promise<boolean> {
  const found = { place, tokenFile: null };
  return (await ownOf(session, [found], signal)).has(nameOf(found));
}

/** The usual one was looked at before; and some login shells read an exclamation mark in quotes, too. */
const isRefused = (path: string): boolean => path.includes('!') || /^\/tmp\/vigie-\d+\/engine\.socket$/.test(path);

async function ownOf(session: Session, found: readonly Found[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  const paths = found.flatMap(({ place }) => (place.kind === 'socket' && !isRefused(place.path) ? [place.path] : []));
  const command = `exec sh -c '${OWN_SCRIPT}' sh ${paths.map(quoted).join(' ')}`;
  const lines = (await outputOf(session, command, MAX_OUTPUT, signal)).split('\n').map((line) => line.trimEnd());
  return new Set(lines.slice(lines.indexOf('vigie-begin') + 1));
}

/** The token in a file over there; null: there is none that can be used. */
export async function readToken(session: Session, path: string, signal: AbortSignal): Promise<string | null> {
  // A path of a configuration may begin with ~: the shell over there knows where that is.
  const home = path.startsWith('~/') ? '"$HOME"/' : '';
  const file = home === '' ? path : path.slice(2);
  if (!/^[^\p{Cc}!]{1,1024}$/u.test(file)) return null;
  const output = await outputOf(session, `head -c ${MAX_TOKEN} -- ${home}${quoted(file)}`, MAX_TOKEN, signal);
  const token = output.trim().split('\n').at(-1)?.trim() ?? '';
  return TOKEN.test(token) ? token : null;
}

async function outputOf(session: Session, command: string, most: number, signal: AbortSignal): Promise<string> {
  const run = await session.exec(command, signal);
  try {
    run.stdin.on('error', () => undefined).end();
    run.stderr.on('error', () => undefined).resume();
    return await readText(run.stdout, most, signal);
  } finally {
    run.close();
  }
}

function readText(stream: Readable, most: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const end = (): void => {
      signal.removeEventListener('abort', leave);
      stream.pause();
      resolve(Buffer.concat(parts).subarray(0, most).toString('utf8'));
    };
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave);
    stream.on('data', (part: Buffer) => {
      parts.push(part);
      size += part.length;
      // More than it may be: what came is looked at, the rest is not waited for.
      if (size >= most) end();
    });
    stream.once('end', end);
    stream.once('close', end);
    stream.once('error', reject);
  });
}
