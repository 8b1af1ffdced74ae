import type { Connection, Prompt } from '../../../../shared/api/connections.ts';
import { shellWord } from '../../../format/shell.ts';

/** Where in the chain it is asked: `hop 1 of 2`; empty: the chain is not known, or has one place only. */
export function placeText({ hops }: Pick<Connection, 'hops'>, { hop }: Pick<Prompt, 'hop'>): string {
  const at = hops.findIndex(({ name }) => name === hop);
  if (at < 0 || hops.length < 2) return '';
  return at === hops.length - 1 ? 'the host itself' : `hop ${at + 1} of ${hops.length}`;
}

/** Takes the old lines of a hop out of a known_hosts file. */
export const removeCommand = (
  { hop, listed_as: name = hop }: Pick<Prompt, 'hop' | 'listed_as'>,
  file: string,
): string => `ssh-keygen -R ${shellWord(name)} -f ${shellWord(file)}`;

/** Time that is left, `4:05`. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Why a prompt is gone that this page did not answer. */
export function goneText({ hop, expires }: Pick<Prompt, 'hop' | 'expires'>, now: number): string {
  // The engine tells it up to a period later.
  if (expires <= now + 1000) return `Nobody answered ${hop} in time: the login was cancelled.`;
  return `The question of ${hop} is over: somebody else answered it, or it is not needed any more.`;
}
