import type {
  Connection,
  ConnectionLog,
  ConnectionState,
  EngineState,
  Forward,
  Hop,
  RemoteEngine,
} from '../../../shared/api/connections.ts';
import { formatDateTime } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';

/** Colour and form of a state's dot. */
export const STATE_TONES: Readonly<Record<ConnectionState, string>> = {
  idle: 'rest',
  connecting: 'warn',
  asking: 'warn',
  up: 'good',
  reconnecting: 'warn',
  down: 'bad',
  refused: 'stop',
};

export const STATE_NAMES: Readonly<Record<ConnectionState, string>> = {
  idle: 'not connected',
  connecting: 'connecting',
  asking: 'asks a person',
  up: 'connected',
  reconnecting: 'reconnecting',
  down: 'not reachable',
  refused: 'refused',
};

/** What a state means, for whoever meets it the first time. */
export const STATE_HELP: Readonly<Record<ConnectionState, string>> = {
  idle: 'not connected, and nobody asked for it',
  connecting: 'on its way',
  asking: 'goes on when a person has answered',
  up: 'logged in; everything goes over this one connection',
  reconnecting: 'it was connected, and is tried again by itself',
  down: 'nothing answers; it is tried again by itself, more slowly',
  refused: 'needs a person: correct what is wrong, then connect again',
};

const ENGINE_NAMES: Readonly<Record<EngineState, string>> = {
  looking: 'looked for',
  up: 'reached',
  down: 'does not answer',
  absent: 'none there',
  refused: 'not taken',
};

const ENGINE_TONES: Readonly<Record<EngineState, string>> = {
  looking: 'warn',
  up: 'good',
  down: 'bad',
  absent: 'rest',
  refused: 'stop',
};

/** How the engine over there is, in words and as a dot: without the connection nothing can be said of it. */
export function farState({ state, engine }: Connection): { name: string; tone: string } {
  if (engine === null) return { name: 'none is looked for', tone: 'rest' };
  if (state !== 'up') return { name: 'waits for the connection', tone: 'rest' };
  return { name: ENGINE_NAMES[engine.state], tone: ENGINE_TONES[engine.state] };
}

/** Which engine it is, `Vigie 1.2 on node7`; empty: none is there, or it is not known. */
export function whereText({ state, version, host }: RemoteEngine): string {
  if (state === 'absent') return '';
  return [version === null ? '' : `Vigie ${version}`, host === null ? '' : `on ${host}`].filter(Boolean).join(' ');
}

/** States in which there is something to end. */
export const isBegun = ({ state }: Pick<Connection, 'state'>): boolean => state !== 'idle' && state !== 'refused';

/** States in which somebody has to look. */
export const isBad = ({ state }: Pick<Connection, 'state'>): boolean => state === 'down' || state === 'refused';

export const connectionPath = ({ id }: Pick<Connection, 'id'>): string => `/ui/connections/${encodeURIComponent(id)}`;

const nounOf = (count: number): string => (count === 1 ? 'connection' : 'connections');
export const connectionsText = (count: number): string => `${formatCount(count)} ${nounOf(count)}`;

/** The second line of a row: what is wrong, else where it leads. */
export function secondLine({ name, host, state, reason, problem, hops }: Connection): string {
  if (reason !== null && state !== 'up') return reason;
  if (problem !== null) return problem;
  const last = hops.at(-1)?.host;
  const parts = [name === host ? '' : host, last !== undefined && last !== host ? last : ''];
  return parts.filter((part) => part !== '').join(' · ');
}

/** How a destination is reached, in two lines: how many hops are between, which is seen in any width, and their names. */
export function wayText(hops: readonly Pick<Hop, 'name'>[]): readonly [count: string, names: string] {
  const between = hops.slice(0, -1).map(({ name }) => name);
  if (between.length === 0) return ['directly', ''];
  return [between.length === 1 ? '1 hop' : `${formatCount(between.length)} hops`, between.join(' → ')];
}

/** How far the profiles over there are here, in words. */
export function syncText({ state, profiles, complete, reason }: RemoteEngine['sync']): string {
  if (profiles === 0 && complete !== null && reason === null) {
    return `It had none when it was looked at last, ${formatDateTime(complete)}.`;
  }
  const here =
    profiles === 0
      ? 'No profile of it is here'
      : profiles === 1
        ? '1 profile is here'
        : `${formatCount(profiles)} profiles are here`;
  const until = complete === null ? '' : `, complete as of ${formatDateTime(complete)}`;
  const now = {
    off: profiles === 0 && complete === null ? '' : '; it goes on when it is connected',
    idle: '',
    running: '; more are on their way',
    waiting: '; waits for the connection',
    failed: '; it does not go on',
  }[state];
  return `${here}${until}${now}${reason === null ? '' : `: ${reason}`}.`;
}

/** Where a forward is on this machine. */
export const listenText = ({ listen }: Forward): string => `${listen.host}:${listen.port}`;

/** Addresses of targets that are reached through a connection begin with this. */
export const targetsSearch = ({ host }: Pick<Connection, 'host'>): string =>
  `/ui/targets?q=${encodeURIComponent(`ssh://${host}/`)}`;

/** The log as a file. What a host said in several lines stands in, so that none is taken for a line of the log. */
export const logText = (lines: ConnectionLog['lines']): string =>
  lines.map(({ time, text }) => `${new Date(time).toISOString()} ${text.replaceAll('\n', '\n  | ')}\n`).join('');
