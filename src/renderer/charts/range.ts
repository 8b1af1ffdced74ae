/** What part of time a view shows. Lives in the URL, so that a reload and a link show the same. */
export type TimeRange =
  /** The last `window` ms, moving; null: from the start on. */
  | { readonly kind: 'live'; readonly window: number | null }
  | { readonly kind: 'fixed'; readonly from: number; readonly to: number };

const DAY = 86_400_000;

export const WINDOWS: readonly (readonly [name: string, ms: number | null, label: string])[] = [
  ['1m', 60_000, '1 min'],
  ['5m', 300_000, '5 min'],
  ['15m', 900_000, '15 min'],
  ['1h', 3_600_000, '1 h'],
  ['6h', 21_600_000, '6 h'],
  ['24h', DAY, '24 h'],
  ['7d', 7 * DAY, '7 d'],
  ['30d', 30 * DAY, '30 d'],
  ['90d', 90 * DAY, '90 d'],
  ['all', null, 'All'],
];

/** The few windows that stand beside each other; all of them are in the menu. */
const RUN_WINDOWS = ['1m', '5m', '15m', '1h', 'all'];
const NODE_WINDOWS = ['5m', '1h', '6h', '24h', '7d', '30d'];

export const windowsFor = (kind: 'run' | 'node'): typeof WINDOWS =>
  WINDOWS.filter(([name]) => (kind === 'run' ? RUN_WINDOWS : NODE_WINDOWS).includes(name));

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

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A range `factor` times as wide, in which `at` stays where it is on the screen; at the middle unless told. */
export function zoomSpan({ from, to }: Span, factor: number, at = (from + to) / 2): Span {
  const width = Math.max(LEAST_RANGE_MS, (to - from) * factor);
  const share = to > from ? (at - from) / (to - from) : 0.5;
  const start = at - share * width;
  return { from: start, to: start + width };
}

/** A range moved by a share of its width. */
export function panSpan({ from, to }: Span, share: number): Span {
  const by = share * (to - from);
  return { from: from + by, to: to + by };
}

/** The range moved into the limits, and narrowed to them where it is wider; never narrower than a second. */
export function fitSpan({ from, to }: Span, limits: Span): Span {
  const width = Math.max(LEAST_RANGE_MS, Math.min(to - from, limits.to - limits.from));
  const start = Math.max(limits.from, Math.min(from, limits.to - width));
  return { from: start, to: start + width };
}

/** What is asked for to draw less than a minute: also what is around, so that lines reach the edges. */
const ROOM_MS = 60_000;

export const withRoom = (span: Span): Span =>
  span.to - span.from >= ROOM_MS ? span : { from: Math.max(1, span.from - ROOM_MS), to: span.to + ROOM_MS };

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  if (a.kind === 'live') return b.kind === 'live' && a.window === b.window;
  return b.kind === 'fixed' && Math.round(a.from) === Math.round(b.from) && Math.round(a.to) === Math.round(b.to);
}

/** Ranges that were left for others, the last one last. */
export type ZoomStack = readonly TimeRange[];

const MOST_ZOOMS = 100;

/** `left` was shown before. */
export const pushZoom = (stack: ZoomStack, left: TimeRange): ZoomStack => {
  const top = stack.at(-1);
  return top && sameRange(top, left) ? stack : [...stack, left].slice(-MOST_ZOOMS);
};

const widthOf = (range: TimeRange): number =>
  range.kind === 'fixed' ? range.to - range.from : (range.window ?? Infinity);

/** The last range that was wider than `shown`, and what is left then; null: none was. A step out never narrows. */
export function popZoom(stack: ZoomStack, shown: TimeRange): { range: TimeRange; stack: ZoomStack } | null {
  const width = widthOf(shown) + 1;
  const at = stack.findLastIndex((range) => widthOf(range) > width);
  return at < 0 ? null : { range: stack[at]!, stack: stack.slice(0, at) };
}

/** The browser's own way back is a step out of the zoom as well. */
export const syncZoom = (stack: ZoomStack, shown: TimeRange): ZoomStack => {
  const top = stack.at(-1);
  return top && sameRange(top, shown) ? stack.slice(0, -1) : stack;
};
