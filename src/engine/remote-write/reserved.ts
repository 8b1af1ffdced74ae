/** Labels that say where a series comes from. A metric's own label of such a name gets `exported_` before it. */
export const RESERVED_LABELS: ReadonlySet<string> = new Set(['jobid', 'run', 'target', 'vigie_name']);
