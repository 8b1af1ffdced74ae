/**
 * What is at a place that somebody named. A URL is tried as each type in turn; with a path it is Prometheus text first,
 * since only that is found at paths. Of a host alone, the ports that exporters, engines and proxies have by default.
 */

import type { TargetTypeName } from '../../shared/api/targets.ts';
import { sshAddress } from '../../shared/target-address.ts';
import { TYPES } from './types.ts';
import { TargetError, type Access, type Probe, type TargetType, type TargetUrl } from './type.ts';
import { bracketed, parseTargetUrl } from './url.ts';

/** Of node exporters, and of engines and proxies. */
const PORTS = [9100, 1337] as const;

export interface Tried {
  readonly url: string;
  readonly type: TargetTypeName;
  readonly reason: string;
}

export interface FoundType {
  readonly probe: Probe | null;
  /** Why not; null when there is a probe. */
  readonly error: TargetError | null;
  readonly tried: readonly Tried[];
}

/** The places that a text may mean, in the order in which they are preferred. Throws {@link TargetError}. */
export function placesOf(text: string): TargetUrl[] {
  const url = parseTargetUrl(text);
  const { ssh, hostname, portGiven, pathGiven } = url;
  const hasScheme = text.replace(/^\s*ssh:\/\//i, '').includes('://');
  if (hasScheme || portGiven || pathGiven) return [url];
  const places = PORTS.map((port) => `http://${bracketed(hostname)}:${port}`);
  return places.map((place) => parseTargetUrl(ssh === null ? place : sshAddress(ssh, place)));
}

/** `only`: the type is known, and is only looked for where it is. */
export async function findType(
  text: string,
  only: TargetTypeName | null,
  access: Access,
  signal: AbortSignal,
  types: readonly TargetType[] = TYPES,
): Promise<FoundType> {
  const wanted = only === null ? types : types.filter(({ name }) => name === only);
  // Side by side: a port that swallows all packets must not use up the time of the other one.
  const looks = await Promise.all(
    placesOf(text).map((url) => look(url, url.pathGiven ? wanted.toReversed() : wanted, access, signal)),
  );
  const tried = looks.flatMap((one) => one.tried);
  const found = looks.find(({ probe }) => probe !== null)?.probe ?? null;
  if (found) return { probe: found, error: null, tried };
  const errors = looks.flatMap(({ error }) => (error ? [error] : []));
  // Something that answers tells more than nothing that does not.
  const best = errors.find(({ kind }) => kind === 'refused') ?? errors[0];
  if (!best) return { probe: null, error: nothingKnown(text, wanted), tried };
  if (errors.length === 1 || best.kind === 'refused') return { probe: null, error: best, tried };
  const all = [...new Set(errors.map(({ message }) => message))].join('; ');
  return { probe: null, error: new TargetError('down', all), tried };
}

interface Look {
  readonly probe: Probe | null;
  readonly error: TargetError | null;
  readonly tried: Tried[];
}

async function look(url: TargetUrl, types: readonly TargetType[], access: Access, signal: AbortSignal): Promise<Look> {
  const tried: Tried[] = [];
  let refused: TargetError | null = null;
  for (const type of types) {
    try {
      const probe = await type.probe(url, access, signal);
      if (probe) return { probe, error: null, tried };
      tried.push({ url: url.href, type: type.name, reason: `it does not answer as ${WORDS[type.name]}` });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TargetError)) throw error;
      tried.push({ url: url.href, type: type.name, reason: error.message });
      // What cannot be trusted is the same whatever else is asked, and where nothing answers, nothing else does either.
      if (error.fingerprint !== null) return { probe: null, error, tried };
      if (error.kind === 'down') return { probe: null, error: refused ?? error, tried };
      // An engine without its token, a proxy that cannot be read: nothing that comes later is more telling.
      refused ??= error;
    }
  }
  return { probe: null, error: refused, tried };
}

const WORDS: Readonly<Record<TargetTypeName, string>> = {
  prometheus: 'Prometheus text',
  proxy: 'a metric proxy',
  vigie: 'an engine of this kind',
  system: 'this node',
};

function nothingKnown(text: string, types: readonly TargetType[]): TargetError {
  const names = types.map(({ name }) => WORDS[name]).join(', ');
  return new TargetError('refused', `${text} answers, but not as ${names}: is it the right port and path?`);
}
