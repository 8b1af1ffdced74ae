/**
 * Metric names of MPI as instrumentation sends them: `mpi___QUANTITY___CALL` and `total___mpi___…`, read into
 * {call, quantity}.
 *
 * Units, as the old proxy's exporter has them (its profiles say "Total seconds spent for MPI_Send"): times are **seconds**,
 * sizes **bytes**, hits calls. All are counters: sums over a rank's threads, and in a run over its ranks.
 */

/** `wait`, of all calls together only, is the part of `time` in calls that only wait. */
export type MpiQuantity = 'hits' | 'time' | 'wait' | 'size' | 'size_in' | 'size_out';

export interface MpiMetric {
  /** In lower case as in the name, `mpi_send`; null: all calls together. */
  readonly call: string | null;
  readonly quantity: MpiQuantity;
}

/** By the words of the names. */
const QUANTITIES: ReadonlyMap<string, MpiQuantity> = new Map([
  ['hits', 'hits'],
  ['time', 'time'],
  ['size', 'size'],
  ['size_in', 'size_in'],
  ['size_out', 'size_out'],
] as const);

const TOTALS: ReadonlyMap<string, MpiQuantity> = new Map([
  ['hits___total', 'hits'],
  ['time___total', 'time'],
  ['time___wait', 'wait'],
  ['size_total', 'size'],
  ['size___total', 'size'],
  ['size___total_in', 'size_in'],
  ['size___total_out', 'size_out'],
] as const);

const CALL = /^mpi___([a-z_]+?)___(p?mpi_[a-z0-9_]+)$/;
const TOTAL = 'total___mpi___';

/** What a family means, or null when it is none of MPI's. */
export function parseMpi(family: string): MpiMetric | null {
  if (family.startsWith(TOTAL)) {
    const quantity = TOTALS.get(family.slice(TOTAL.length));
    return quantity === undefined ? null : { call: null, quantity };
  }
  const match = CALL.exec(family);
  const quantity = match ? QUANTITIES.get(match[1]!) : undefined;
  return quantity === undefined ? null : { call: match![2]!, quantity };
}

/** As the standard spells it: `MPI_Comm_rank`, `MPI_Allreduce`. */
export function mpiCallName(call: string): string {
  const rest = call.replace(/^p?mpi_/, '');
  return `MPI_${rest.startsWith('t_') ? `T_${rest.slice(2)}` : rest.charAt(0).toUpperCase() + rest.slice(1)}`;
}

/**
 * What a rank does in a call. `waiting`: it does nothing but wait for others or for requests. `transfer`: it moves data,
 * and where the call blocks it waits too. `other`: start and end of MPI, and what a rank does by itself.
 */
export type MpiKind = 'waiting' | 'transfer' | 'other';

/** The calls whose time instrumentation adds to the total of `wait`. */
const WAITING = /^(?:(?:wait|test)(?:all|any|some)?|barrier|i?m?probe|parrived|win_(?:wait|test))$/;

/** What stands behind `mpi_`, of C's functions with large counts too, whose names end in `_c`. */
const TRANSFER = new RegExp(
  `^(?:${[
    'i?[bsr]?send',
    'i?m?recv',
    'i?sendrecv(?:_replace)?',
    'pready\\w*',
    'ibarrier',
    'start(?:all)?',
    'i?bcast',
    'i?(?:neighbor_)?(?:all)?gatherv?',
    'i?scatterv?',
    'i?(?:neighbor_)?alltoall[vw]?',
    'i?(?:all)?reduce(?:_scatter(?:_block)?)?',
    'i?(?:ex)?scan',
    'r?(?:put|get|accumulate|get_accumulate)',
    'fetch_and_op',
    'compare_and_swap',
    'win_(?:flush\\w*|lock\\w*|unlock\\w*|complete|fence|start|post|sync)',
    'file_i?(?:read|write)\\w*',
    'file_sync',
  ].join('|')})(?:_c)?$`,
);

export function mpiKind(call: string): MpiKind {
  const word = call.replace(/^p?mpi_/, '');
  if (WAITING.test(word)) return 'waiting';
  return TRANSFER.test(word) ? 'transfer' : 'other';
}
