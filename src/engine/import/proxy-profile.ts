/** Reads a profile file of the Rust metric proxy: JSON, a job description and the job's last values. */

import { z } from 'zod';
import { JobDesc, toMilliseconds } from '../../shared/model/job.ts';
import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';

/** Bytes that are no profile. */
export class ProfileFileError extends Error {
  override readonly name = 'ProfileFileError';
}

/** What is not a number in JSON (NaN, infinities) the proxy writes as null. */
const number = z.number().nullable();

/** What our own exports begin with. They are for other programs, and lack what a run needs to be whole. */
const OwnExport = z.object({ format: z.literal('vigie-export') });

const ProfileFile = z.object({
  desc: JobDesc,
  counters: z
    .array(
      z.object({
        name: z.string(),
        doc: z.string().catch(''),
        ctype: z.union([
          z.object({ Counter: z.object({ value: number }) }),
          z.object({ Gauge: z.object({ min: number, max: number, hits: number, total: number }) }),
        ]),
      }),
    )
    .max(1_000_000),
});

export interface ProfileValue {
  readonly name: string;
  readonly doc: string;
  readonly kind: Kind;
  /** One number of a counter; min, max, hits, total of a gauge. */
  readonly values: Float64Array;
}

export interface ProxyProfile {
  /** Times in ms. */
  readonly desc: JobDesc;
  readonly values: readonly ProfileValue[];
}

/** Throws ProfileFileError. */
export function readProfile(bytes: Buffer): ProxyProfile {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ProfileFileError(`it is not JSON: ${(error as Error).message}`);
  }
  if (OwnExport.safeParse(json).success)
    throw new ProfileFileError(
      'it was made by vigie export, for other programs: import the database or the data directory of that engine',
    );
  const parsed = ProfileFile.safeParse(json);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const where = first === undefined || first.path.length === 0 ? '' : ` (${first.path.join('.')}: ${first.message})`;
    throw new ProfileFileError(`it is no profile of the Rust metric proxy${where}`);
  }
  const { desc, counters } = parsed.data;
  return {
    desc: { ...desc, start_time: toMilliseconds(desc.start_time), end_time: toMilliseconds(desc.end_time) },
    values: counters.map(({ name, doc, ctype }) => {
      if ('Counter' in ctype)
        return { name, doc, kind: 'counter', values: Float64Array.of(ctype.Counter.value ?? NaN) };
      const { min, max, hits, total } = ctype.Gauge;
      const values = new Float64Array(GAUGE_WIDTH);
      values.set([min ?? NaN, max ?? NaN, hits ?? 0, total ?? NaN]);
      return { name, doc, kind: 'gauge', values };
    }),
  };
}
