/** Pages of lists that are answered whole when nobody asks for a page. */

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Of a page. */
const DEFAULT_LIMIT = 1000;

/** `items` in order; `isAfter`: what comes after the cursor. `next` is there only when a page was asked for. */
export function pageOf<T>(
  items: readonly T[],
  { limit, cursor }: PageQuery,
  isAfter: (item: T) => boolean,
  cursorOf: (item: T) => string,
): { items: T[]; next: { next?: string | null } } {
  if (limit === undefined && cursor === undefined) return { items: [...items], next: {} };
  const left = items.filter(isAfter);
  const page = left.slice(0, limit ?? DEFAULT_LIMIT);
  return { items: page, next: { next: left.length > page.length ? cursorOf(page.at(-1)!) : null } };
}
