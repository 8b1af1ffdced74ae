/** One question of an API, answered as JSON. What it says is not trusted: the caller checks it. */

import type { z } from 'zod';
import type { Fetcher } from './fetch.ts';
import { TargetError, type TargetUrl } from './type.ts';
import { withPath } from './url.ts';

export interface JsonAnswer {
  readonly value: unknown;
  readonly bytes: number;
}

/** Throws {@link TargetError}, also for what is no JSON. */
export async function askJson(
  fetcher: Fetcher,
  url: TargetUrl,
  path: string,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const chunks: Buffer[] = [];
  const bytes = await fetcher.get(
    withPath(url, path),
    {
      accept: 'application/json',
      begin: () => undefined,
      // The piece is used again by its owner.
      chunk: (piece) => void chunks.push(Buffer.from(piece)),
    },
    signal,
  );
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return { value: JSON.parse(text) as unknown, bytes };
  } catch {
    const [line = ''] = text.slice(0, 60).split('\n');
    throw new TargetError('refused', `the answer at ${path} is not JSON: ${line}`);
  }
}

/** The same, of a known shape. Throws {@link TargetError} when it is of another one. */
export async function askFor<T>(
  fetcher: Fetcher,
  url: TargetUrl,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<{ readonly value: T; readonly bytes: number }> {
  const { value, bytes } = await askJson(fetcher, url, path, signal);
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, bytes };
  const [issue] = parsed.error.issues;
  throw new TargetError(
    'refused',
    `the answer at ${path} is not as expected: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

/** The HTTP status that an error tells of; null: none. */
export function statusOf(error: unknown): number | null {
  const match = error instanceof TargetError ? /^(\d{3})\b/.exec(error.message) : null;
  return match ? Number(match[1]) : null;
}

/** Nothing answers there, or what does cannot be trusted: whatever else is asked, it will be the same. */
export const isNoAnswer = (error: unknown): boolean =>
  error instanceof TargetError && (error.fingerprint !== null || (error.kind === 'down' && statusOf(error) === null));
