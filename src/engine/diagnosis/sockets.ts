/** The sockets that programs push to: whose they are, whether somebody listens, what an earlier engine left behind. */

import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { connect } from 'node:net';
import type { Check } from '../../shared/api/diagnosis.ts';
import { ok, problem, warning } from './check.ts';
import { listenerOf, ownUid, programText, userName } from './owners.ts';
import type { Patient } from './patient.ts';

/** A listener with a full backlog does not answer: that is one, too. In ms. */
const ANSWER_WITHIN = 1000;

type Listening = 'yes' | 'no' | 'forbidden';

function listening(path: string): Promise<Listening> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (what: Listening): void => {
      socket.destroy();
      resolve(what);
    };
    socket.once('connect', () => done('yes'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      done(code === 'EACCES' || code === 'EPERM' ? 'forbidden' : code === 'EAGAIN' ? 'yes' : 'no'),
    );
    socket.setTimeout(ANSWER_WITHIN, () => done('yes'));
  });
}

const stat = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
};

interface Place {
  /** For ids and words. */
  readonly id: 'engine_socket' | 'legacy_socket';
  readonly what: string;
  readonly flag: string;
  readonly path: string;
  /** The engine that answered listens here. */
  readonly ours: boolean;
}

export async function checkSockets({ config, status }: Patient): Promise<Check[]> {
  const socket = status?.engine.socket ?? config.socket;
  const legacy = status?.engine.legacy_socket ?? config.legacySocket;
  const checks = [
    ...checkDirectory(socket),
    ...(await checkSocket({
      id: 'engine_socket',
      what: "the engine's socket",
      flag: '--socket',
      path: socket,
      ours: status !== null,
    })),
  ];
  if (legacy === null) return [...checks, ok('sockets', 'legacy_socket', 'the socket of the old proxy is off')];
  const ours = status !== null && status.engine.legacy_socket === legacy;
  const place = { what: 'the socket for clients of the old proxy', flag: '--legacy-socket', path: legacy, ours };
  return [...checks, ...(await checkSocket({ id: 'legacy_socket', ...place }))];
}

function checkDirectory(socket: string): Check[] {
  const path = dirname(socket);
  const found = stat(path);
  const elsewhere = 'give --socket a path in a directory of your own';
  if (!found) return [ok('sockets', 'socket_directory', `${path} is not there yet: the engine makes its default one`)];
  if (!found.isDirectory()) {
    return [problem('sockets', 'socket_directory', `${path} is not a directory`, `remove it, or ${elsewhere}`)];
  }
  if (found.uid !== ownUid()) {
    const owner = userName(found.uid);
    return [
      problem('sockets', 'socket_directory', `${path} belongs to ${owner}: they can replace the socket`, elsewhere),
    ];
  }
  if ((found.mode & 0o022) !== 0) {
    const text = `${path} can be written by others: they can replace the socket`;
    return [problem('sockets', 'socket_directory', text, `chmod 700 ${path}, or ${elsewhere}`)];
  }
  if ((found.mode & 0o077) !== 0) {
    const text = `${path} can be entered by others; only the mode of the socket itself keeps them out`;
    return [warning('sockets', 'socket_directory', text, `chmod 700 ${path}`)];
  }
  return [ok('sockets', 'socket_directory', `${path} is yours alone`)];
}

async function checkSocket({ id, what, flag, path, ours }: Place): Promise<Check[]> {
  const found = stat(path);
  const other = `choose another path with ${flag}`;
  if (!found) return [ok('sockets', id, `${what}, ${path}, is not there: nobody listens`)];
  if (!found.isSocket()) {
    return [problem('sockets', id, `${path} should be ${what} and is something else`, `remove it, or ${other}`)];
  }
  if (found.uid !== ownUid()) {
    return [problem('sockets', id, `${what}, ${path}, belongs to ${userName(found.uid)}`, other)];
  }
  const state = await listening(path);
  if (state === 'forbidden') {
    return [problem('sockets', id, `you may not connect to ${what}, ${path}`, `chmod 600 ${path}`)];
  }
  if (state === 'no') {
    const text = `${what}, ${path}, was left behind by a program that ended`;
    return [warning('sockets', id, text, 'nothing to do: an engine that starts takes it over')];
  }
  const checks = [ours ? ok('sockets', id, `${what}, ${path}, is open`) : foreign(id, what, path, other)];
  if ((found.mode & 0o066) !== 0) {
    checks.push(warning('sockets', `${id}_mode`, `${path} can be used by others`, `chmod 600 ${path}`));
  }
  return checks;
}

/** Somebody listens, and it is not the engine that answers. */
function foreign(id: Place['id'], what: string, path: string, other: string): Check {
  const who = programText(listenerOf(path));
  if (id === 'legacy_socket') {
    const text = `${who} listens on ${path}, not this engine: an old proxy, or another engine. Its clients push there`;
    return warning('sockets', 'legacy_proxy', text, `stop it and start the engine again, or ${other}`);
  }
  const text = `${who} listens on ${what}, ${path}, and does not answer as an engine`;
  return problem('sockets', id, text, `stop it, or ${other}`);
}
