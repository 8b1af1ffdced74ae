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

/** How a series is kept; live views have every series at every tick. */
export interface SeriesOptions {
  /**
   * One of many of its kind (a core, a device, an interface): the store keeps it every ten seconds, so that a node with
   * 256 cores does not cost 256 times as much. Sums over all of them, which most views show, are not detail.
   */
  readonly detail?: boolean;
}

/**
 * Where a source's values go: the node's scope. A series is registered once and then set by its handle.
 *
 * A gauge keeps its value until it is set or cleared. When `sample` throws, every gauge of the source is cleared by the
 * caller, so that nobody reads a last value for ever; the source sets them again as soon as it can. Counters stay: they
 * are totals.
 */
export interface SourceWriter {
  /** A cumulative number, such as the kernel's own totals. Registering the same name again gives the same handle. */
  counter(name: string, doc: string, options?: SeriesOptions): number;
  gauge(name: string, doc: string, options?: SeriesOptions): number;
  /** The total as the kernel has it. A smaller one than before is a restart of the counter. */
  setCounter(handle: number, total: number): void;
  /** The value at this tick. */
  setGauge(handle: number, value: number): void;
  /** The thing behind a gauge went away (an interface, a mount): the value leaves. */
  clearGauge(handle: number): void;
}

/**
 * A source that runs. All sources are sampled one after another within the tick, so `sample` must not wait: what can
 * hang (statfs of a network file system) or takes long (walking all processes) runs beside it, by `background.ts`, or in
 * a child that `open` starts and `close` ends; `sample` then emits what is known, and throws once it is too old.
 */
export interface SourceInstance {
  /** Once per tick. `seconds` since the tick before by the monotonic clock, 0 at the first. May throw: reported once. */
  sample(out: SourceWriter, seconds: number): void;
  /** Resolves when the work beside the tick that has begun has ended; a `sample` then emits what it told. For tests. */
  settled?(): Promise<void>;
  /** Closes files, ends children and timers. Called once; `sample` is not called afterwards. */
  close(): void | Promise<void>;
}

export interface Source {
  /** Short, unique, for messages, configuration and the label of the engine's own figures about it: `cpu`. */
  readonly name: string;
  /**
   * Null when this machine does not have it: expected absence is not a failure. Must be cheap: asked again about once a
   * minute, for what is mounted or loaded later.
   */
  open(roots: Roots): SourceInstance | null;
}
