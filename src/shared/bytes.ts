import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of `512MiB`, `4GiB`, `1.5TiB`, or null when the text is not a size with a unit. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*(B|KiB|MiB|GiB|TiB)$/.exec(text.trim());
  return match ? Math.round(Number(match[1]) * UNITS[match[2]!]!) : null;
}

/** The shortest exact spelling of a number of bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    const size = UNITS[unit]!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** A size as text with a unit; the parsed value is bytes. */
export const Size = z.string().transform((text, ctx) => {
  const bytes = parseSize(text);
  if (bytes === null) {
    ctx.addIssue({ code: 'custom', message: 'expected a size with a unit, such as 512MiB or 4GiB' });
    return z.NEVER;
  }
  return bytes;
});
