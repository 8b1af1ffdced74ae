import { useSyncExternalStore } from 'react';
import { Link } from 'wouter';
import { Icon } from '../components/Icon.tsx';
import { alarmPath } from '../data/alarms.ts';
import { formatClock } from '../format/time.ts';
import type { Board } from './board.ts';
import { marksOf } from './marks.ts';
import type { PanelSpec } from './panels.ts';

/** Alarms that are written out below a plot. */
const SHOWN = 2;

/** The alarms of a plot in words, newest first; each leads to its page. */
export function PanelMarks({ board, panel }: { readonly board: Board; readonly panel: PanelSpec }) {
  const index = useSyncExternalStore(board.subscribeMarks, () => board.marks);
  const { from, to } = board.shown();
  const marks = marksOf(index, panel).filter((mark) => mark.from <= to && (mark.to ?? Infinity) >= from);
  if (marks.length === 0) return null;
  const shown = marks.slice(-SHOWN).reverse();
  return (
    <ul className="v-panel-marks" aria-label="Alarms">
      {shown.map((mark) => (
        <li key={`${mark.alarm} ${mark.from}`} className={`v-mark v-mark-${mark.severity}`}>
          <Icon name="bell" size={12} />
          <Link className="v-link" href={alarmPath({ ...mark, id: mark.alarm })}>
            <bdi>{mark.name}</bdi>
          </Link>
          <span className="v-muted">
            {mark.to === null
              ? `fires since ${formatClock(mark.from)}`
              : `${formatClock(mark.from)}–${formatClock(mark.to)}`}
          </span>
        </li>
      ))}
      {marks.length > SHOWN ? <li className="v-muted">and {marks.length - SHOWN} earlier</li> : null}
    </ul>
  );
}
