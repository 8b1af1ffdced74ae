/** What part of time a view shows. Lives in the URL, so that a reload and a link show the same. */
export type TimeRange =
  /** The last `window` ms, moving; null: from the start on. */
  | { readonly kind: 'live'; readonly window: number | null }
  | { readonly kind: 'fixed'; readonly from: number; readonly to: number };

export const WINDOWS: readonly (readonly [name: string, ms: number | null, label: string])[] = [
  ['1m', 60_000, '1 min'],
  ['5m', 300_000, '5 min'],
  ['15m', 900_000, '15 min'],
  ['1h', 3_600_000, '1 h'],
  ['6h', 21_600_000, '6 h'],
  ['24h', 86_400_000, '24 h'],
  ['all', null, 'All'],
];

/** The windows to choose from: only what has a start can be shown from its start on. */
export const windowsFor = (hasStart: boolean): typeof WINDOWS =>
  WINDOWS.filter(([name]) => (hasStart ? name !== '6h' && name !== '24h' : name !== 'all'));

export const DEFAULT_WINDOW = '5m';
/** A narrower range than this shows nothing that samples could fill. */
export const LEAST_RANGE_MS = 1000;

/** Reads `from`, `to` and `last` of a URL's query. Nonsense is taken for the default. */
export function parseRange(params: URLSearchParams, defaultWindow = DEFAULT_WINDOW): TimeRange {
  const from = Number(params.get('from') ?? NaN);
  const to = Number(params.get('to') ?? NaN);
  if (from > 0 && to - from >= LEAST_RANGE_MS) return { kind: 'fixed', from, to };
  const name = params.get('last') ?? defaultWindow;
  const known = WINDOWS.find(([n]) => n === name) ?? WINDOWS.find(([n]) => n === defaultWindow)!;
  return { kind: 'live', window: known[1] };
}

/** The query parameters of a range; null removes one. */
export function rangeParams(
  range: TimeRange,
  defaultWindow = DEFAULT_WINDOW,
): Record<'from' | 'to' | 'last', string | null> {
  if (range.kind === 'fixed') {
    return { from: String(Math.round(range.from)), to: String(Math.round(range.to)), last: null };
  }
  const name = WINDOWS.find(([, ms]) => ms === range.window)?.[0] ?? defaultWindow;
  return { from: null, to: null, last: name === defaultWindow ? null : name };
}

/** A range `factor` times as wide around the same middle, or moved by `shift` of its width. */
export function changeRange(from: number, to: number, factor: number, shift: number): { from: number; to: number } {
  const width = Math.max(LEAST_RANGE_MS, (to - from) * factor);
  const middle = (from + to) / 2 + shift * (to - from);
  return { from: Math.max(1, middle - width / 2), to: middle + width / 2 };
}
