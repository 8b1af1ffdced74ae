/**
 * Sends the package, once: what is there of it already stays, whatever broke the connection off. It counts only when its
 * checksum over there is right.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import type { Session } from '../types.ts';
import { plainText, wordsOf } from '../words.ts';
import { inFolder } from './folder.ts';
import type { LocalPackage } from './local-package.ts';
import { collect, orAborted, quoted, runScript, ScriptError, whyNoRoom } from './script.ts';

/** A connection that brings nothing on this often in a row is given up. */
const TRIES = 8;
/** Nothing was taken for so long, ms: over there or on the way something hangs. */
const STALLED = 60_000;
const CHUNK = 256 * 1024;
/** All of it is read back within this, ms. */
const READ_WITHIN = 600_000;

export interface SendOptions {
  readonly session: Session;
  readonly local: LocalPackage;
  /** Over there. */
  readonly folder: string;
  /** Over there, in that folder: of this engine alone, so that two do not write to one file. */
  readonly part: string;
  readonly progress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Bytes that are there. */
async function sizeThere({ session, folder, part, signal }: SendOptions): Promise<number> {
  const file = quoted(`${folder}/${part}`);
  const told = await runScript(
    session,
    `${inFolder(folder)}\n: >>${file} && say size "$(wc -c <${file} | tr -d ' ')"`,
    signal,
  );
  const size = told.number('size');
  if (size === null) throw new ScriptError(`${folder} cannot be written to any more`);
  return size;
}

/** How many bytes were there before. @throws {ScriptError} In words. */
export async function send(options: SendOptions): Promise<number> {
  const { local, progress, signal } = options;
  let first: number | null = null;
  let last = -1;
  for (let failed = 0; ;) {
    const size = await sizeThere(options);
    if (size > local.size) {
      await removePart(options);
      if (first !== null) throw new ScriptError('more arrived there than was sent, so it is removed again');
      first = 0;
      continue;
    }
    first ??= size;
    progress(size);
    if (size === local.size) return first;
    // What came on counts, however little it was.
    failed = size > last ? 0 : failed + 1;
    last = Math.max(last, size);
    if (failed >= TRIES) throw new ScriptError(`the connection goes each time before anything is sent`);
    const why = await sendRest(options, size);
    signal.throwIfAborted();
    if (why !== null) throw new ScriptError(why);
  }
}

/** Null: what came of it is asked over there. */
async function sendRest(
  { session, local, folder, part, progress, signal }: SendOptions,
  from: number,
): Promise<string | null> {
  const stalled = new AbortController();
  const either = AbortSignal.any([signal, stalled.signal]);
  // A safe path: it means itself to any login shell.
  const run = await session.exec(`exec sh -c 'umask 077; LC_ALL=C exec cat >>"$0"' ${folder}/${part}`, either);
  const ended = collect(run, either);
  let isOver = false;
  const over = ended.then(
    () => void (isOver = true),
    () => void (isOver = true),
  );
  run.stdin.on('error', () => undefined);
  let done = from;
  let timer = setTimeout(() => stalled.abort(new Error('stalled')), STALLED);
  try {
    for await (const chunk of createReadStream(local.file, { start: from, highWaterMark: CHUNK })) {
      if (isOver) break;
      if (!run.stdin.write(chunk)) await Promise.race([once(run.stdin, 'drain', { signal: either }), over]);
      done += (chunk as Buffer).length;
      progress(done);
      timer = timer.refresh();
    }
    run.stdin.end();
    const { code, error } = await orAborted(ended, either);
    if (code === null || code === 0) return null;
    const said = plainText(error.trim(), 300);
    return `${whyNoRoom(said) ?? 'it could not be written there'} (it says: ${said || `status ${code}`})`;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Broken off: what is there is looked at again.
    if (stalled.signal.aborted || isOver) return null;
    return wordsOf(error);
  } finally {
    clearTimeout(timer);
    run.close();
    await over;
  }
}

export async function removePart({ session, folder, part, signal }: SendOptions): Promise<void> {
  await runScript(session, `${inFolder(folder)}\nrm -f -- ${quoted(`${folder}/${part}`)}`, signal);
}

/** SHA-256 of what is there, in hexadecimal digits: by whatever program it has, else what is there is read back. */
export async function checksumThere({ session, local, folder, part, signal }: SendOptions): Promise<string> {
  const file = quoted(`${folder}/${part}`);
  const told = await runScript(
    session,
    `${inFolder(folder)}
for c in 'sha256sum' 'shasum -a 256' 'openssl dgst -sha256 -r'; do
  command -v "\${c%% *}" >/dev/null 2>&1 || continue
  s=$($c <${file} 2>/dev/null) && say sum "\${s%% *}" && break
done`,
    signal,
  );
  const sum = told.get('sum').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(sum)) return sum;
  const { size } = local;
  const either = AbortSignal.any([signal, AbortSignal.timeout(READ_WITHIN)]);
  const run = await session.exec(`exec head -c ${size + 1} ${folder}/${part}`, either);
  const hash = createHash('sha256');
  let read = 0;
  run.stdin.on('error', () => undefined).end();
  run.stdout.on('data', (chunk: Buffer) => {
    read += chunk.length;
    // Whatever that host was asked for: it may send without an end.
    if (read > size) run.close();
    else hash.update(chunk);
  });
  const { code } = await collect(run, either);
  if (code !== 0 && read <= size) throw new ScriptError('the checksum over there could not be made');
  return hash.digest('hex');
}
