/** What an answer is made of, without its values: to hold our answers beside recorded ones of another program. */

/** Members with their types; lists are the set of their elements' shapes. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return setOf(value);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, one]) => [key, shapeOf(one)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The same of an object whose member names are data, such as job ids: the set of its values' shapes. */
export function shapeOfValues(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('no object');
  return setOf(Object.values(value));
}

const setOf = (values: readonly unknown[]): string[] =>
  [...new Set(values.map((one) => JSON.stringify(shapeOf(one))))].toSorted();
