/** Orders and rates that hold still while somebody looks. */

/** What is larger by less than this does not pass its neighbour. */
const MARGIN = 1.03;

/**
 * The ids with the largest value first, as near to the order before as that allows: one moves up only past what it
 * exceeds by a little. Ids that are new come last and move up from there; with `fresh` the exact order.
 */
export function steadyOrder(
  before: readonly string[],
  values: ReadonlyMap<string, number>,
  fresh = before.length === 0,
): string[] {
  const exact = [...values.keys()].sort((a, b) => values.get(b)! - values.get(a)! || (a < b ? -1 : 1));
  if (fresh) return exact;
  const known = new Set(before);
  const order = [...before.filter((id) => values.has(id)), ...exact.filter((id) => !known.has(id))];
  for (let i = 1; i < order.length; i++) {
    for (let at = i; at > 0 && values.get(order[at]!)! > MARGIN * Math.max(0, values.get(order[at - 1]!)!); at--) {
      [order[at - 1], order[at]] = [order[at]!, order[at - 1]!];
    }
  }
  return order;
}

/** A total at a time in ms. */
export interface Sample {
  readonly time: number;
  readonly values: ReadonlyMap<string, number>;
}

/** Rates are over about so long, in ms. */
const WINDOW_MS = 5000;

/** The samples to keep when one more comes: those of the window, and the last before it. */
export function keepSamples(samples: readonly Sample[], next: Sample): Sample[] {
  const last = samples.at(-1);
  // The same answer again, or an engine whose clock was set back.
  if (last && next.time <= last.time) return next.time === last.time ? [...samples] : [next];
  const all = [...samples, next];
  const inside = all.findIndex((sample) => sample.time >= next.time - WINDOW_MS);
  return all.slice(Math.max(0, inside - 1));
}

/** Increase per second over the kept samples; null until there are two. */
export function rateOf(samples: readonly Sample[], id: string): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.time <= first.time) return null;
  const by = (last.values.get(id) ?? 0) - (first.values.get(id) ?? 0);
  return by < 0 ? null : (1000 * by) / (last.time - first.time);
}

/** Calls of one kind per second: over the last seconds of a live run, else over all of it. */
export function callsPerSecond(
  { call, calls }: { readonly call: string; readonly calls: number | null },
  samples: readonly Sample[],
  elapsed: number | null,
): number | null {
  if (samples.length > 0) return rateOf(samples, call);
  return calls !== null && elapsed !== null ? calls / elapsed : null;
}
