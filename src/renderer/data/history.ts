import type { RangeResult, RangeSeries } from '../../shared/api/query.ts';

/** Spans of which answers are kept: going back to one of the last ranges shows it at once. */
const MOST_SPANS = 8;
/** A picture of so many points over a range needs no other answer beside it. */
const ENOUGH_POINTS = 240;
/** An answer of which less than this share is seen does not decide how the picture looks. */
const LEAST_SHARE = 0.5;
/** A moving window is asked for again and again: an answer that has moved by less than this takes the place of the last. */
const MOVED_SHARE = 0.1;

/** One answer: some series over a span. */
export interface Layer {
  readonly from: number;
  readonly to: number;
  /** Width of a bucket, ms; 0: each point is a sample. */
  readonly step: number;
  /** Points that were asked for at most. */
  readonly points: number;
  readonly times: readonly number[];
  readonly series: ReadonlyMap<string, RangeSeries>;
  readonly note: string | null;
}

/** A part of time and the answer that shows it: points `first` to `last`, the latter not included. */
export interface Piece {
  readonly layer: Layer;
  readonly first: number;
  readonly last: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What has been fetched of one scope. Answers of several spans and resolutions are kept beside each other, and a range is
 * drawn from those that show it best: while a finer or wider one is on its way, what is here stays on the screen.
 */
export class History {
  /** Newest last. */
  #layers: Layer[] = [];

  /** @param points how many were asked for at most. */
  add(result: RangeResult, points = 0): void {
    const { from, to, step, times, note } = result;
    const series = new Map(result.series.map((data) => [data.key, data]));
    const layer: Layer = { from, to, step, points, times, series, note: note ?? null };
    this.#layers = this.#layers.filter((old) => !replaces(layer, old));
    const other = this.#layers.findIndex((old) => isSamePoints(layer, old));
    if (other < 0) this.#layers.push(layer);
    else {
      // Other series of the same question: together they are one answer.
      const [old] = this.#layers.splice(other, 1);
      this.#layers.push({ ...layer, series: new Map([...old!.series, ...series]), note: layer.note ?? old!.note });
    }
    const spans = new Set<string>();
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      spans.add(`${this.#layers[i]!.from} ${this.#layers[i]!.to}`);
      if (spans.size > MOST_SPANS) this.#layers.splice(i, 1);
    }
  }

  /** End of what is covered; samples after it come from the ring. */
  get to(): number {
    return this.#layers.reduce((most, { to }) => Math.max(most, to), 0);
  }

  /** Some points stand for more than one sample. */
  get coarse(): boolean {
    return this.#layers.some(({ step }) => step > 0);
  }

  /** These series were asked for with that many points over exactly this span, or all their samples are here. */
  has(keys: readonly string[], { from, to }: Span, points: number): boolean {
    const wanted = { from: Math.floor(from), to: Math.ceil(to) };
    return this.#layers.some(
      (layer) =>
        covers(layer, wanted) &&
        (layer.step === 0 || (layer.from === wanted.from && layer.to === wanted.to && layer.points >= points)) &&
        keys.every((key) => layer.series.has(key)),
    );
  }

  /** The answer that shows most of a range best; null: none has anything of it. */
  best(keys: readonly string[], from: number, to: number): Layer | null {
    let best: Piece | null = null;
    let most = -1;
    for (const piece of this.pieces(keys, from, to)) {
      const share = Math.min(to, piece.layer.to) - Math.max(from, piece.layer.from);
      if (share > most) [best, most] = [piece, share];
    }
    return best?.layer ?? null;
  }

  /**
   * What a range is drawn from, in order of time; lines of one chart are drawn from the same answers. The first piece
   * has a point before the range and the last one after it where they can, so that lines reach the edges.
   */
  pieces(keys: readonly string[], from: number, to: number): Piece[] {
    const usable = this.#usable(keys);
    const seen = {
      from: Math.max(from, Math.min(...usable.map((layer) => layer.from))),
      to: Math.min(to, Math.max(...usable.map((layer) => layer.to))),
    };
    if (usable.length === 0 || seen.from > seen.to) return [];
    const taken = takeParts(usable, seen);
    return taken.flatMap(({ layer, ...part }, i): Piece[] => {
      const before = i === 0;
      const after = i === taken.length - 1;
      // A bucket that a part begins in belongs to it.
      const first = firstAt(layer.times, layer.step > 0 ? part.from - layer.step + 1 : part.from);
      const last = firstAt(layer.times, after ? part.to + 0.5 : part.to);
      const piece = {
        layer,
        first: before ? Math.max(0, first - 1) : first,
        last: after ? Math.min(layer.times.length, last + 1) : last,
      };
      return piece.last > piece.first ? [piece] : [];
    });
  }

  /** Those that have most of the series, newest first. */
  #usable(keys: readonly string[]): Layer[] {
    let most = 1;
    let usable: Layer[] = [];
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = this.#layers[i]!;
      let count = 0;
      for (const key of keys) if (layer.series.has(key)) count++;
      if (count > most) usable = [];
      if (count >= most) usable.push(layer);
      most = Math.max(most, count);
    }
    return usable;
  }
}

const isSamePoints = (a: Layer, b: Layer): boolean =>
  a.from === b.from &&
  a.to === b.to &&
  a.step === b.step &&
  a.points === b.points &&
  a.times.length === b.times.length &&
  a.times[0] === b.times[0] &&
  a.times.at(-1) === b.times.at(-1);

const covers = (layer: Layer, { from, to }: Span): boolean => layer.from <= from && layer.to >= to;

function replaces(layer: Layer, old: Layer): boolean {
  const slack = MOVED_SHARE * (old.to - old.from);
  if (layer.from > old.from + slack || layer.to < old.to - slack || layer.step > old.step) return false;
  // What the old one has and the new one has not would be gone.
  if (layer.to < old.to) return false;
  for (const key of old.series.keys()) if (!layer.series.has(key)) return false;
  return true;
}

/** Index of the first time that is not before `time`. */
export function firstAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const pointsIn = ({ times }: Layer, { from, to }: Span): number => firstAt(times, to + 0.5) - firstAt(times, from);

interface Part extends Span {
  readonly layer: Layer;
}

/** Shares a span among answers: one that shows all of it finely enough, else the finest ones first. */
function takeParts(usable: readonly Layer[], seen: Span): Part[] {
  // Stable: of two that are as fine the newer one comes first.
  // Of samples the answer that reaches furthest has the same ones and those around.
  const reach = (layer: Layer): number => (layer.step === 0 ? layer.from - layer.to : 0);
  const finest = [...usable].sort((a, b) => a.step - b.step || reach(a) - reach(b));
  const whole = finest.find(
    (layer) => covers(layer, seen) && (layer.step === 0 || pointsIn(layer, seen) >= ENOUGH_POINTS),
  );
  if (whole) return [{ layer: whole, ...seen }];
  const width = Math.max(1, seen.to - seen.from);
  const share = (layer: Layer): number => (Math.min(seen.to, layer.to) - Math.max(seen.from, layer.from)) / width;
  const most = finest.filter((layer) => share(layer) >= LEAST_SHARE);
  const rest = finest.filter((layer) => share(layer) < LEAST_SHARE);
  const parts: Part[] = [];
  let open: Span[] = [seen];
  for (const layer of [...most, ...rest]) {
    const left: Span[] = [];
    for (const hole of open) {
      const from = Math.max(hole.from, layer.from);
      const to = Math.min(hole.to, layer.to);
      if (from > to || (from === to && hole.from < hole.to)) {
        left.push(hole);
        continue;
      }
      parts.push({ layer, from, to });
      if (from > hole.from) left.push({ from: hole.from, to: from });
      if (to < hole.to) left.push({ from: to, to: hole.to });
    }
    open = left;
    if (open.length === 0) break;
  }
  return parts.sort((a, b) => a.from - b.from);
}
