/** Small documents that were kept, as they are understood. */

import { z } from 'zod';
import { Acknowledgement, AlarmState } from '../../shared/api/alarms.ts';
import type { Instance } from './instances.ts';

/** Null: it cannot be understood. */
export function acknowledgementOf(document: unknown): Acknowledgement | null {
  const parsed = Acknowledgement.safeParse(document);
  return parsed.success ? parsed.data : null;
}

const KeptInstance = z.object({
  ...{ rule: z.string(), revision: z.string(), alarm: z.string(), scope: z.string(), place: z.string() },
  ...{ metric: z.string(), state: AlarmState, since: z.number(), fired: z.number().nullable() },
  ...{ held: z.number(), running: z.boolean(), at: z.number() },
  ...{ seen: z.number().nullable(), value: z.number().nullable() },
});

/** Those that can be understood; the rest begins anew. */
export const instancesOf = (documents: Iterable<unknown>): Instance[] =>
  Array.from(documents).flatMap((document): Instance[] => {
    const parsed = KeptInstance.safeParse(document);
    return parsed.success ? [parsed.data] : [];
  });
