import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Bytes of `65536`, `64KiB`, `1.5MiB`, `2GiB`, or null when the text is no size. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)?$/.exec(text.trim());
  if (!match) return null;
  const bytes = Math.round(Number(match[1]) * UNITS[match[2] ?? 'B']!);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact spelling of a number of bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = UNITS[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** A number of bytes, or text with a unit; the parsed value is bytes. */
export const Size = z.union([z.string(), z.number()]).transform((value, ctx) => {
  const bytes = parseSize(String(value));
  if (bytes === null) {
    ctx.addIssue({ code: 'custom', message: 'expected a size, such as 64KiB, 1MiB or 2GiB' });
    return z.NEVER;
  }
  return bytes;
});
