/** Lines over time as inline SVG. */

import type { Unit } from '../../../shared/model/naming.ts';
import { markup, type Markup } from './markup.ts';
import { amount, duration, moment } from './words.ts';

const [WIDTH, HEIGHT] = [900, 200];
const [LEFT, RIGHT, TOP, BOTTOM] = [80, 10, 8, 22];
const TICKS = 4;
/** Colours that there are. */
export const MOST_LINES = 5;

export interface Line {
  readonly name: string;
  readonly times: Float64Array;
  /** NaN: a gap. */
  readonly values: Float64Array;
}

export interface Plot {
  readonly title: string;
  readonly unit: Unit;
  /** The values are per second. */
  readonly per: boolean;
  /** At most {@link MOST_LINES}. */
  readonly lines: readonly Line[];
}

/** Null: no line has a value. `start`: of the run, ms since the epoch. */
export function drawPlot({ title, unit, per, lines }: Plot, start: number): Markup | null {
  let [from, to, low, high] = [Infinity, -Infinity, 0, -Infinity];
  for (const { times, values } of lines) {
    for (const [i, value] of values.entries()) {
      if (!Number.isFinite(value)) continue;
      [from, to] = [Math.min(from, times[i]!), Math.max(to, times[i]!)];
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  if (high === -Infinity) return null;
  if (to === from) to = from + 1000;
  const top = high > low ? high : low + 1;
  const x = (time: number): number => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => TOP + ((top - value) / (top - low)) * (HEIGHT - TOP - BOTTOM);
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => low + ((top - low) * i) / TICKS);
  const marks = Array.from({ length: TICKS + 1 }, (_, i) => from + ((to - from) * i) / TICKS);
  const text = `${title}, ${moment(from)} to ${moment(to)}, up to ${amount(high, unit, per)}`;
  return markup`<figure>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text}">
      ${ticks.map((value) => {
        const at = y(value).toFixed(1);
        return markup`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" /><text
            x="${LEFT - 6}"
            y="${at}"
            text-anchor="end"
            dominant-baseline="middle"
            >${amount(value, unit, per)}</text
          >`;
      })}
      ${marks.map((time, i) => {
        const anchor = i === 0 ? 'start' : i === TICKS ? 'end' : 'middle';
        return markup`<text x="${x(time).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="${anchor}"
          >${duration((time - start) / 1000)}</text
        >`;
      })}
      ${lines.map((line, i) => markup`<path class="line s${i % MOST_LINES}" d="${pathOf(line, x, y)}" />`)}
    </svg>
    <figcaption>
      ${title}: ${lines.map(({ name }, i) => markup`${i === 0 ? '' : ', '}<b class="s${i % MOST_LINES}">${name}</b>`)}
    </figcaption>
  </figure>`;
}

function pathOf({ times, values }: Line, x: (time: number) => number, y: (value: number) => number): string {
  let path = '';
  let isOpen = false;
  for (const [i, value] of values.entries()) {
    const known = Number.isFinite(value);
    // A point by itself would have no length, and not be seen.
    if (known) path += `${isOpen ? 'L' : 'M'}${x(times[i]!).toFixed(1)} ${y(value).toFixed(1)}${isOpen ? '' : 'h.1'}`;
    isOpen = known;
  }
  return path;
}
