import { z } from 'zod';

const areNumbers = (all: unknown): boolean =>
  Array.isArray(all) && all.every((one) => one === null || Number.isFinite(one));

/**
 * Many numbers, of which some may not be known. The same as `z.array(z.number().nullable())`, in one loop: a schema for each
 * of a hundred thousand numbers holds up a page.
 */
export const Numbers = z
  .custom<(number | null)[]>(areNumbers, 'expected numbers or null')
  .meta({ type: 'array', items: { type: ['number', 'null'] } });
