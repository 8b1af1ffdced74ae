/** Rows of calls and ranks in the order asked for. */

import type { TableSort } from '../../../components/DataTable.tsx';
import { steadyOrder } from './steady.ts';

/** A sortable column: texts and numbers that stand still, or a number that grows while the run lives. */
export interface SortKey<Row> {
  readonly value: (row: Row) => number | string | null;
  readonly moving: boolean;
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: number | string | null, b: number | string | null): number {
  if (typeof a === 'string' || typeof b === 'string') return collator.compare(String(a ?? ''), String(b ?? ''));
  return (a ?? -Infinity) === (b ?? -Infinity) ? 0 : (a ?? -Infinity) < (b ?? -Infinity) ? -1 : 1;
}

export interface OrderRequest<Row> {
  readonly rows: readonly Row[];
  readonly id: (row: Row) => string;
  readonly key: SortKey<Row>;
  readonly sort: TableSort;
  /** The order shown before with the same sort; empty: none. */
  readonly before: readonly string[];
  /** Nothing may move: somebody points at a row. */
  readonly hold: boolean;
}

/** Ids in order. What moves keeps its place until it is clearly out of it; equal rows stay as they came. */
export function orderRows<Row>({ rows, id, key, sort, before, hold }: OrderRequest<Row>): string[] {
  const sign = sort.descending ? -1 : 1;
  const exact = (): string[] => [...rows].sort((a, b) => sign * compare(key.value(a), key.value(b))).map(id);
  if (before.length === 0 || !key.moving) return exact();
  const present = new Set(rows.map(id));
  const known = new Set(before);
  if (hold) return [...before.filter((one) => present.has(one)), ...exact().filter((one) => !known.has(one))];
  const values = new Map(rows.map((row) => [id(row), Number(key.value(row) ?? 0)]));
  // The order is of the largest first, so what ascends is read from its end.
  return sort.descending ? steadyOrder(before, values) : steadyOrder(before.toReversed(), values).reverse();
}
