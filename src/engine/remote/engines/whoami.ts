/** What the one who asks may do at another engine: what both engines let them. Who it is, this engine says. */

import { WhoAmI } from '../../../shared/api/tokens.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { Role } from '../../../shared/model/role.ts';
import { wordsOf } from '../words.ts';
import type { EngineLink } from './link.ts';

const MAX_BYTES = 16 * 1024;

interface Asker {
  readonly role: Role;
  readonly by: 'token' | 'socket';
  readonly name: string;
}

/** Errors: `unauthorized`, `engine_refused`. */
export async function whoami(link: EngineLink, asker: Asker | null, signal: AbortSignal): Promise<WhoAmI> {
  if (!asker) throw new ApiError('unauthorized', 'nobody is known to ask');
  try {
    const there = await link.json(
      '/api/v1/whoami',
      WhoAmI,
      MAX_BYTES,
      AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    );
    const role = asker.role === 'control' && there.role === 'control' ? 'control' : 'view';
    return { role, by: asker.by, name: asker.name };
  } catch (error) {
    throw new ApiError('engine_refused', `the engine over there: ${wordsOf(error)}`);
  }
}
