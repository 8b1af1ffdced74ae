import type { Scope } from '../../src/engine/live/scope.ts';
import type { TargetHost } from '../../src/engine/targets/type.ts';

/** What a session is given that has only a scope of its own. */
export const hostWith = (scope: Scope): TargetHost => ({
  scope: () => scope,
  about: () => undefined,
  drop: () => undefined,
  hostname: 'host',
  engineId: 'e',
  isSelf: () => false,
  grace: 0,
});
