/** The port of --listen: whether it is free, and who has it when it is not. */

import { connect } from 'node:net';
import type { Check } from '../../shared/api/diagnosis.ts';
import type { Config } from '../config.ts';
import { ok, problem, warning } from './check.ts';
import { holderOf, ownUid, portListener, userName } from './owners.ts';
import type { Patient } from './patient.ts';

const ANSWER_WITHIN = 1000;

function taken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.setTimeout(ANSWER_WITHIN, () => done(true));
  });
}

export async function checkPort({ config, status }: Pick<Patient, 'config' | 'status'>): Promise<Check[]> {
  const { listen } = config;
  if (listen.kind !== 'tcp') return [ok('port', 'port', 'no TCP port is asked for')];
  if (listen.port === 0) return [ok('port', 'port', 'any free port is taken')];
  return [await judgePort(listen, status?.engine.pid ?? null)];
}

async function judgePort(
  { host, port, isDefault }: Extract<Config['listen'], { kind: 'tcp' }>,
  engine: number | null,
): Promise<Check> {
  if (!(await taken(host, port))) {
    const text =
      engine === null ? `port ${port} is free` : `nobody listens on port ${port}: the engine has another one`;
    return ok('port', 'port', text);
  }
  const listener = portListener(port);
  const program = listener ? holderOf(listener.inode) : null;
  if (engine !== null && program?.pid === engine) return ok('port', 'port', `the engine listens on port ${port}`);
  const who = program
    ? `${program.name} (pid ${program.pid})`
    : listener && listener.uid !== ownUid()
      ? `a program of ${userName(listener.uid)}`
      : 'another program';
  const text = `port ${port} is taken by ${who}`;
  if (!isDefault) return problem('port', 'port', text, 'choose another one with --listen; 0 takes a free one');
  const advice = 'nothing to do: an engine takes a free port instead, and prints it. Its token is for that one only';
  return warning('port', 'port', text, advice);
}
