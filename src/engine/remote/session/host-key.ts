/** Whether a host's key is taken: what known_hosts says of it, and `StrictHostKeyChecking`, as OpenSSH decides. */

import type { HostKeyVerdict, StrictHostKeyChecking } from '../types.ts';

/**
 * - `take`: it is known.
 * - `add`: not known, and taken without asking; written down.
 * - `ask`: a person decides.
 * - `take-without-secrets`: changed, and the configuration says not to check: OpenSSH then gives no password away.
 * - `hand-over`: only a certificate could prove this host.
 * - `refuse`: with the reason.
 */
export type KeyDecision =
  | { readonly kind: 'take' | 'add' | 'ask' | 'hand-over' }
  | { readonly kind: 'take-without-secrets' | 'refuse'; readonly words: string };

export interface ShownKey {
  readonly host: string;
  readonly keyType: string;
  readonly fingerprint: string;
}

function changedWords(shown: ShownKey, verdict: Extract<HostKeyVerdict, { kind: 'changed' }>): string {
  const listed = verdict.was.map((key) => `${key.fingerprint} (${key.keyType}, ${key.file}:${key.line})`).join(', ');
  return (
    `${shown.host}: its host key has changed. It shows ${shown.fingerprint} (${shown.keyType}); known is ${listed}. ` +
    'Either the host was set up anew, or somebody stands between you and it. Ask whoever runs it for the fingerprint; ' +
    'when it is the new one, remove the old line and connect again.'
  );
}

export function decideKey(verdict: HostKeyVerdict, strict: StrictHostKeyChecking, shown: ShownKey): KeyDecision {
  switch (verdict.kind) {
    case 'known':
      return { kind: 'take' };
    case 'revoked': {
      const { file, line } = verdict.at;
      const words = `${shown.host}: its host key ${shown.fingerprint} is marked as revoked (${file}:${line}): it must not be used any more`;
      return { kind: 'refuse', words };
    }
    case 'changed':
      return { kind: strict === 'no' ? 'take-without-secrets' : 'refuse', words: changedWords(shown, verdict) };
    case 'needs-ca':
      return { kind: 'hand-over' };
    case 'unknown':
      if (strict === 'ask') return { kind: 'ask' };
      if (strict !== 'yes') return { kind: 'add' };
      return {
        kind: 'refuse',
        words: `${shown.host}: its host key ${shown.fingerprint} (${shown.keyType}) is not known, and StrictHostKeyChecking is yes`,
      };
  }
}
