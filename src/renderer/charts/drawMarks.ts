import type uPlot from 'uplot';
import type { Severity } from '../../shared/api/alarms.ts';
import type { Scheme } from './colours.ts';
import { levelsOf } from './marks.ts';
import type { AlarmMark } from './marks.ts';

/** Of a band's edge and a threshold; the band itself is mostly see-through. */
const INK: Readonly<Record<Scheme, Readonly<Record<Severity, string>>>> = {
  light: { critical: '#c92525', warning: '#a15c00', info: '#55606b' },
  dark: { critical: '#ff6b6b', warning: '#f0a83e', info: '#a9b3bd' },
};

/** Below the lines of a plot: where alarms of its series fired, and the thresholds that they crossed. */
export function drawMarks(
  u: uPlot,
  scheme: Scheme,
  marks: readonly AlarmMark[],
  shows: { readonly perSecond: boolean; readonly totals: boolean },
): void {
  if (marks.length === 0) return;
  const { ctx, bbox } = u;
  const [least, most] = [bbox.left, bbox.left + bbox.width];
  ctx.save();
  for (const { from, to, severity } of marks) {
    const left = Math.max(least, u.valToPos(from, 'x', true));
    const right = to === null ? most : Math.min(most, u.valToPos(to, 'x', true));
    if (right < least || left > most) continue;
    const width = Math.max(2, right - left);
    ctx.fillStyle = `${INK[scheme][severity]}26`;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    // A band is not told by its colour alone.
    ctx.fillStyle = INK[scheme][severity];
    ctx.fillRect(left, bbox.top, width, 3);
  }
  ctx.setLineDash([6, 4]);
  for (const { value, severity } of levelsOf(marks, shows)) {
    const y = u.valToPos(value, 'y', true);
    if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
    ctx.strokeStyle = INK[scheme][severity];
    ctx.beginPath();
    ctx.moveTo(least, y);
    ctx.lineTo(most, y);
    ctx.stroke();
  }
  ctx.restore();
}
