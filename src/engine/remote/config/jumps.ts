/** `ProxyJump`: hosts on the way, the nearest to us first. */

import type { Jump } from '../types.ts';
import { ConfigError, plainWords } from './error.ts';

/** Most hops: more is a mistake. */
const MAX_JUMPS = 32;

/** @throws {ConfigError} */
function parseJump(text: string, whole: string): Jump {
  const wrong = (): ConfigError => new ConfigError(`ProxyJump ${plainWords(whole, 200)} is not a list of hosts`);
  const bare = text.startsWith('ssh://') ? text.slice('ssh://'.length).replace(/\/$/, '') : text;
  const at = bare.lastIndexOf('@');
  const user = at < 0 ? undefined : bare.slice(0, at);
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(bare.slice(at + 1));
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (host === undefined || user === '' || /[\s"'\\]/.test(bare)) throw wrong();
  if (port !== undefined && (port < 1 || port > 65_535)) throw wrong();
  return { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

/** @throws {ConfigError} When it is not a list of hosts. `none` is no list: the caller looks for it. */
export function parseJumps(text: string): readonly Jump[] {
  const items = text.split(',');
  if (items.length > MAX_JUMPS) throw new ConfigError(`ProxyJump has more than ${MAX_JUMPS} hosts`);
  return items.map((item) => parseJump(item, text));
}

/** As `ssh -G` prints it: of the last one only what it says, of the others what was written. */
export function printJumps(text: string): string {
  const comma = text.lastIndexOf(',') + 1;
  const last = text.slice(comma);
  return text.slice(0, comma) + (last.startsWith('ssh://') ? last.slice('ssh://'.length).replace(/\/$/, '') : last);
}
