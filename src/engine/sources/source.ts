/**
 * A source reads numbers of this node: one file per family of /proc or /sys, one line in index.ts. Reading, parsing and
 * emitting are three functions, and the roots are options, so that recorded trees can stand in for the machine.
 */

/** Where sources find the machine's files. */
export interface Roots {
  /** Normally /proc. */
  readonly proc: string;
  /** Normally /sys. */
  readonly sys: string;
}

/** Where a source's values go: the node's scope. A series is registered once and then set by its handle. */
export interface SourceWriter {
  /** A cumulative number, such as the kernel's own totals. Registering the same name again gives the same handle. */
  counter(name: string, doc: string): number;
  gauge(name: string, doc: string): number;
  /** The total as the kernel has it. A smaller one than before is a restart of the counter. */
  setCounter(handle: number, total: number): void;
  /** The value at this tick. */
  setGauge(handle: number, value: number): void;
  /** The thing behind a gauge went away (an interface, a mount): the value leaves. */
  clearGauge(handle: number): void;
}

export interface SourceInstance {
  /** Once per tick. `seconds` since the tick before by the monotonic clock, 0 at the first. May throw: reported once. */
  sample(out: SourceWriter, seconds: number): void;
  close(): void;
}

export interface Source {
  /** Short, unique, for messages and configuration: `cpu`. */
  readonly name: string;
  /** Null when this machine does not have it: expected absence is not a failure. */
  open(roots: Roots): SourceInstance | null;
}
