/** What can be done with an engine over there: start, stop, upgrade, remove. Nothing of it is left half. */

import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { EngineAction, EngineStart, EngineStep, PlacedEngine } from '../../../shared/api/connections.ts';
import type { EngineLink } from '../engines/link.ts';
import type { Session } from '../types.ts';
import { whyElsewhere } from './elsewhere.ts';
import { makeFolder } from './folder.ts';
import { isOlder, lookAtHost, type Host } from './host.ts';
import {
  removeFolder,
  removeOthers,
  removeUnpacked,
  takeBack,
  unpack,
  unpackedName,
  wanted,
  type Place,
} from './install.ts';
import { findPackage, type LocalPackage } from './local-package.ts';
import { runningThere, startEngine, stopEngine } from './process.ts';
import { ScriptError } from './script.ts';
import { checksumThere, removePart, send, type SendOptions } from './send.ts';
import { Skipped, type Work } from './work.ts';

/** Whether an engine is there is known within this, ms; and that the one that was started is reached. */
const LOOK_WITHIN = 30_000;
const REACH_WITHIN = 60_000;

export interface ActionParts {
  readonly host: string;
  /** Connects where it is not, and waits until it is up. */
  session(signal: AbortSignal): Promise<Session>;
  link(): EngineLink | null;
  placed(): PlacedEngine | null;
  place(placed: PlacedEngine | null): void;
  /** Where packages are on this machine. */
  readonly packages: readonly string[];
  /** Of this engine: 8 hexadecimal digits. */
  readonly by: string;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

const SENDING = ['package', 'folder', 'send', 'check', 'unpack'] as const;

export const STEPS: Readonly<Record<EngineAction, readonly EngineStep['name'][]>> = {
  start: ['connect', 'host', ...SENDING, 'run', 'reach'],
  upgrade: ['connect', 'host', ...SENDING, 'stop', 'run', 'reach', 'clean'],
  stop: ['connect', 'host', 'stop'],
  remove: ['connect', 'host', 'stop', 'clean'],
};

const size = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** How it came out, in words. @throws {Error} In words. */
export async function act(
  work: Work,
  action: EngineAction,
  given: EngineStart,
  parts: ActionParts,
): Promise<string | null> {
  const { signal } = work;
  let session: Session | undefined;
  let host: Host | undefined;
  await work.step('connect', async () => {
    session = await parts.session(signal);
    return null;
  });
  if (!session) throw new Error('not connected');
  const there = session;
  await work.step('host', async () => {
    host = await lookAtHost(there, signal);
    const placed = parts.placed();
    if (placed && placed.host !== host.name && !given.elsewhere) throw new ScriptError(whyElsewhere(host.name, placed));
    return `${host.name}: ${host.arch}, glibc ${host.glibc}`;
  });
  if (!host) throw new Error('the host is not known');
  if (action === 'start' || action === 'upgrade') return bring(work, action, given, parts, there, host);
  const placed = needPlaced(parts);
  const place: Place = { session: there, folder: placed.folder, by: parts.by };
  await work.step('stop', () => stop(place, signal));
  parts.link()?.nudge();
  if (action === 'stop') return `its files stay in ${placed.folder} on ${placed.host}, to start it again`;
  let left: string | null = null;
  await work.step('clean', async () => {
    left = await removeFolder(place, signal);
    return left;
  });
  parts.place(null);
  return left ?? `its history stays in your data directory there`;
}

function needPlaced(parts: ActionParts): PlacedEngine {
  const placed = parts.placed();
  if (placed) return placed;
  throw new ScriptError('no engine was put there by this one: what you started there yourself is left alone');
}

async function stop(place: Place, signal: AbortSignal): Promise<null | Skipped> {
  return (await stopEngine(place, signal)) === 'stopped' ? null : new Skipped('it does not run');
}

async function bring(
  work: Work,
  action: 'start' | 'upgrade',
  { folder: named }: EngineStart,
  parts: ActionParts,
  session: Session,
  host: Host,
): Promise<string | null> {
  const { signal } = work;
  const before = action === 'upgrade' ? needPlaced(parts) : parts.placed();
  let answers: string | null = null;
  let local: LocalPackage | undefined;
  await work.step('package', async () => {
    answers = action === 'start' ? await answersThere(parts, signal) : null;
    if (answers !== null) return new Skipped(answers);
    local = await findPackage(host.arch, parts.packages);
    if (isOlder(host.glibc, local.glibc)) {
      throw new ScriptError(`${host.name} has glibc ${host.glibc}, and the engine needs ${local.glibc} or newer`);
    }
    return `${local.name}, ${size(local.size)}`;
  });
  if (!local) return answers;
  const place = await put(work, parts, session, local, folderOf(named, before, host));
  const name = unpackedName(local);

  if (action === 'upgrade') await work.step('stop', () => stopOld(work, place, name, signal));
  await work.step('run', async () => {
    // Also when it was begun and broken off.
    work.onUndo(async (until) => {
      await takeBack(place, null, false, until);
      if ((await runningThere(place, until)) === name) await stopEngine(place, until);
      parts.link()?.nudge();
    });
    const { wasThere } = await startEngine(place, name, signal);
    return wasThere ? 'it ran already' : null;
  });
  const { version } = local;
  work.onUndo(async () => parts.place(before));
  parts.place({ host: host.name, folder: place.folder, version, since: parts.now() });
  await work.step('reach', () => reach(parts, signal));
  // It runs, and is reached: what is cleaned up after is not worth taking it away again.
  work.commit();
  if (action === 'upgrade') {
    await work.step('clean', async () => {
      const count = await removeOthers(place, name, signal);
      return count === 0 ? new Skipped('nothing older is there') : null;
    });
  }
  await takeBack(place, null, false, signal);
  const words = `vigie ${version} runs on ${host.name}; for programs there: ${place.folder}/${name}/bin/vigie-run`;
  return host.ends === null ? words : `${words}. Note: ${host.ends}`;
}

async function stopOld(work: Work, place: Place, name: string, signal: AbortSignal): Promise<null | Skipped> {
  const old = await runningThere(place, signal);
  if (old === null) return new Skipped('it does not run');
  if (old === name) return new Skipped('this version runs already');
  work.onUndo(async (until) => {
    if ((await runningThere(place, until)) === null) await startEngine(place, old, until, true);
  });
  await stopEngine(place, signal);
  return null;
}

interface Wished {
  readonly parents: readonly string[];
  readonly isNamed: boolean;
}

/** Where it was before, unless told another place. */
function folderOf(named: string | undefined, before: PlacedEngine | null, host: Host): Wished {
  if (named !== undefined) return { parents: [named], isNamed: true };
  if (before === null || before.host !== host.name) return { parents: [], isNamed: false };
  return { parents: [before.folder.replace(/\/[^/]*$/, '')], isNamed: true };
}

/** The package is unpacked there, and runs. */
async function put(
  work: Work,
  parts: ActionParts,
  session: Session,
  local: LocalPackage,
  wished: Wished,
): Promise<Place> {
  const { signal } = work;
  const { by } = parts;
  const name = unpackedName(local);
  const part = `part-${local.sha256.slice(0, 16)}-${by}`;
  let place: Place | undefined;
  let has = false;
  let goOn = false;
  await work.step('folder', async () => {
    const need = Math.ceil((1.05 * (local.size + local.unpacked)) / 1024);
    // Where it was made has to be known before it can be taken back.
    const folder = await makeFolder(session, { ...wished, need, unpacked: name, mark: wanted(by) }, work.late);
    place = { session, folder: folder.path, by };
    const at = place;
    // What was sent is gone on with the next time, unless somebody cancels, or it is of no use.
    work.onUndo((until, why) => {
      const keep = why === 'failed' && goOn;
      return takeBack(at, keep ? null : part, folder.isNew && !keep, until);
    });
    has = folder.has;
    return `${folder.path} (${folder.fileSystem})`;
  });
  if (!place) throw new Error('no folder');
  const at = place;
  let resumed = 0;
  const options = (progress: (done: number, total: number) => void): SendOptions => ({
    ...{ session, local, folder: at.folder, part, signal },
    progress: (done) => progress(done, local.size),
  });
  const sent = async (progress: (done: number, total: number) => void): Promise<string | null | Skipped> => {
    if (has) return new Skipped('it is there already');
    goOn = true;
    resumed = await send(options(progress)).catch((error: unknown) => {
      // Without room, what is there is only in the way.
      if (error instanceof ScriptError && !error.message.startsWith('the connection')) goOn = false;
      throw error;
    });
    return resumed === 0 ? null : `${size(resumed)} of it were there from before`;
  };
  await work.step('send', sent);
  await work.step('check', async () => {
    if (has) return new Skipped('it was compared when it was sent');
    let sum = await checksumThere(options(() => undefined));
    if (sum !== local.sha256 && resumed > 0) {
      // What was there from before may have been the wrong half.
      await removePart(options(() => undefined));
      await sent(() => undefined);
      sum = await checksumThere(options(() => undefined));
    }
    goOn = sum === local.sha256;
    if (!goOn) throw new ScriptError('what arrived is not what was sent: its checksum differs, so it is removed again');
    return null;
  });
  await work.step('unpack', async () => {
    if (has) return new Skipped('it is there already');
    work.onUndo((until) => removeUnpacked(at, name, until));
    goOn = false;
    await unpack(at, local, part, signal);
    return null;
  });
  return at;
}

/** Why nothing is to be started, in words; null: no engine answers there. */
async function answersThere(parts: ActionParts, signal: AbortSignal): Promise<string | null> {
  const until = performance.now() + LOOK_WITHIN;
  let link = parts.link();
  while (link && link.state !== 'absent' && link.state !== 'refused' && performance.now() < until) {
    if (link.state === 'up' && (await isAnswering(link, signal))) {
      return `an engine of yours (vigie ${link.known?.version ?? '?'}) answers there already: nothing was started`;
    }
    link.nudge();
    await delay(200, undefined, { signal });
    link = parts.link();
  }
  return null;
}

/** How it was when it was last looked at is not how it is. */
async function isAnswering(link: EngineLink, signal: AbortSignal): Promise<boolean> {
  try {
    await link.json(
      '/api/v1/whoami',
      z.unknown(),
      64 * 1024,
      AbortSignal.any([signal, AbortSignal.timeout(LOOK_WITHIN)]),
    );
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function reach(parts: ActionParts, signal: AbortSignal): Promise<string | null> {
  const until = performance.now() + REACH_WITHIN;
  let last: string | null = null;
  while (performance.now() < until) {
    const link = parts.link();
    if (!link) throw new ScriptError('the connection was closed meanwhile');
    if (link.state === 'up' && (await isAnswering(link, signal))) return null;
    if (link.state === 'refused') throw new ScriptError(`it is not taken: ${link.reason ?? ''}`);
    last = link.reason;
    link.nudge();
    await delay(500, undefined, { signal });
  }
  throw new ScriptError(`it runs there and is not reached: ${last ?? 'it does not answer'}`);
}
