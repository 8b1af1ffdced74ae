import { expect, test } from 'vitest';

import { decideKey } from '../../../../../src/engine/remote/session/host-key.ts';
import type { HostKeyVerdict, StrictHostKeyChecking } from '../../../../../src/engine/remote/types.ts';

const at = { file: '/k', line: 3 };
const shown = { host: 'login', keyType: 'ssh-ed25519', fingerprint: 'SHA256:new' };
const old = { ...at, keyType: 'ssh-ed25519', fingerprint: 'SHA256:old' };
const verdicts: Record<string, HostKeyVerdict> = {
  known: { kind: 'known', at },
  unknown: { kind: 'unknown', others: [] },
  changed: { kind: 'changed', was: [old] },
  revoked: { kind: 'revoked', at },
  'needs-ca': { kind: 'needs-ca', at },
};

test.each([
  ['known', 'take', 'take', 'take', 'take'],
  ['unknown', 'refuse', 'ask', 'add', 'add'],
  ['changed', 'refuse', 'refuse', 'refuse', 'take-without-secrets'],
  ['revoked', 'refuse', 'refuse', 'refuse', 'refuse'],
  ['needs-ca', 'hand-over', 'hand-over', 'hand-over', 'hand-over'],
])('%s: yes %s, ask %s, accept-new %s, no %s', (name, ...expected) => {
  const strict: StrictHostKeyChecking[] = ['yes', 'ask', 'accept-new', 'no'];
  const verdict = verdicts[name];
  if (verdict === undefined) throw new Error(name);
  expect(strict.map((one) => decideKey(verdict, one, shown).kind)).toEqual(expected);
});

test('a changed key is told with both fingerprints and where the old one stands', () => {
  const decision = decideKey({ kind: 'changed', was: [old] }, 'ask', shown);
  const words = 'words' in decision ? decision.words : '';
  for (const part of ['SHA256:new', 'SHA256:old', '/k:3', 'login']) expect(words).toContain(part);
});
