/** Where a page of a list ended: what it was sorted by there, and which of those it was. Opaque to readers. */

export interface Place {
  readonly sort: string;
  readonly order: 'asc' | 'desc';
  readonly value: string | number;
  readonly last: string | number;
}

export const writeCursor = ({ sort, order, value, last }: Place): string =>
  Buffer.from(JSON.stringify([sort, order, value, last])).toString('base64url');

export const orderOf = ({ sort, order }: Asked): 'asc' | 'desc' => order ?? (sort === 'command' ? 'asc' : 'desc');

interface Asked {
  readonly sort: string;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly cursor?: string | undefined;
}

/** Where a list goes on. Null: at its beginning, or the cursor is none of this question. */
export function placeOf(asked: Asked): Place | null {
  if (asked.cursor === undefined) return null;
  const { sort } = asked;
  const order = orderOf(asked);
  try {
    const read: unknown = JSON.parse(Buffer.from(asked.cursor, 'base64url').toString());
    if (!Array.isArray(read) || read.length !== 4 || read[0] !== sort || read[1] !== order) return null;
    const [, , value, last] = read as [string, string, unknown, unknown];
    if (typeof value !== (sort === 'command' ? 'string' : 'number')) return null;
    if (typeof last !== 'string' && typeof last !== 'number') return null;
    return { sort, order, value: value as string | number, last };
  } catch {
    return null;
  }
}
