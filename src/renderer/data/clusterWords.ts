/** What is said of an engine on the list, wherever it stands. Pure functions. */

import type { ListedEngine } from '../../shared/api/connections.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'calm';

const TONES: Readonly<Record<ListedEngine['state'], Tone>> = {
  up: 'good',
  looking: 'warn',
  down: 'calm',
  absent: 'bad',
  refused: 'bad',
};

const WORDS: Readonly<Record<ListedEngine['state'], string>> = {
  up: 'connected',
  looking: 'looking for it',
  down: 'not reached',
  absent: 'no engine there',
  refused: 'refused',
};

export const toneOf = ({ state, skew }: ListedEngine): Tone =>
  state === 'up' && skew !== null ? 'warn' : TONES[state];

/** `this engine`, or how the way to it is. */
export const stateWords = ({ connection, state }: ListedEngine): string =>
  connection === null ? 'this engine' : WORDS[state];

/** What of it can be looked at while it is not reached; null: it is reached, or there is nothing. */
export function keptWords({ connection, state, profiles }: ListedEngine): string | null {
  if (connection === null || state === 'up') return null;
  if (profiles === 0) return null;
  return `${profiles} ${profiles === 1 ? 'profile' : 'profiles'} here, readable offline`;
}

/** One line below its name: how it is, what to know, what is here. */
export function lineOf(engine: ListedEngine): string {
  const { host, name, version, group, reason, skew } = engine;
  const parts = [
    stateWords(engine),
    ...(engine.state === 'up' ? [] : [reason]),
    keptWords(engine),
    ...(host !== null && host !== name ? [host] : []),
    group === '' ? null : group,
    version === null ? null : `Vigie ${version}`,
    skew,
  ];
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}
