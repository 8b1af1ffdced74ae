/** Cells that the list by command and the list of runs have in common. */

import { Checkbox } from '@mantine/core';
import { useContext } from 'react';
import type { MouseEvent } from 'react';
import { Link } from 'wouter';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { Icon } from '../../../components/Icon.tsx';
import { RunState } from '../../../components/RunState.tsx';
import { formatCount, NO_VALUE } from '../../../format/units.ts';
import { runPath } from '../../jobs/columns.tsx';
import { Tags } from '../tags.tsx';
import { exitText, originText, regressionParts, runTime } from '../words.ts';
import { EngineNames } from './engines.tsx';
import { SelectionContext } from './selection.ts';

export function Tick({ run }: { readonly run: ProfileSummary }) {
  const { picked, toggle } = useContext(SelectionContext);
  return (
    <Checkbox
      size="xs"
      tabIndex={-1}
      aria-label={`Select ${run.jobid}`}
      checked={picked.ids.has(run.id)}
      readOnly
      onClick={(event: MouseEvent) => {
        event.stopPropagation();
        toggle(run.id, event.shiftKey);
      }}
    />
  );
}

export function TickAll() {
  const { picked, shown, toggleAll } = useContext(SelectionContext);
  const count = shown.filter((id) => picked.ids.has(id)).length;
  return (
    <Checkbox
      size="xs"
      aria-label="Select all that are loaded"
      disabled={shown.length === 0}
      checked={count > 0 && count === shown.length}
      indeterminate={count > 0 && count < shown.length}
      onChange={toggleAll}
    />
  );
}

/** Job id as a link, with what people said of the run below. */
export function RunName({ run }: { readonly run: ProfileSummary }) {
  return (
    <span className="v-two-lines">
      <span className="v-run-name">
        <Link href={runPath(run)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
          <bdi>{run.jobid}</bdi>
        </Link>
        <Marks run={run} />
      </span>
      <span>{run.tags.length > 0 ? <Tags tags={run.tags} /> : <Note run={run} />}</span>
    </span>
  );
}

function Note({ run }: { readonly run: ProfileSummary }) {
  const text = run.note.split('\n')[0] ?? '';
  return text === '' ? null : (
    <bdi className="v-muted" title={run.note}>
      {text}
    </bdi>
  );
}

/** Baseline, pin, note, origin: signs with their words for who does not see them. */
export function Marks({ run }: { readonly run: ProfileSummary }) {
  const origin = originText(run, useContext(EngineNames));
  return (
    <span className="v-marks">
      {run.baseline ? <span className="v-mark-word">baseline</span> : null}
      {run.pinned ? (
        <span title="Pinned: kept at full detail">
          <Icon name="pin" size={12} />
          <span className="v-hidden">pinned</span>
        </span>
      ) : null}
      {run.note === '' ? null : (
        <span title={run.note}>
          <Icon name="note" size={12} />
          <span className="v-hidden">has a note</span>
        </span>
      )}
      {origin === null ? null : <span className="v-muted">{origin}</span>}
    </span>
  );
}

/** How it ended: the state, and which processes failed. */
export function Ended({ run }: { readonly run: ProfileSummary }) {
  const text = exitText(run.exit);
  return text === null ? (
    <RunState state={run.state} />
  ) : (
    <span className="v-state v-bad-text" title={text}>
      <span className="v-dot v-bad" aria-hidden="true" /> {text}
    </span>
  );
}

/** How much longer it took than it should have, with a sign of its own; nothing when it did not. */
export function RegressionMark({ run }: { readonly run: ProfileSummary }) {
  const { regression } = run;
  if (regression === null) return run.baseline ? <span className="v-muted">baseline</span> : null;
  const [much, against] = regressionParts(regression);
  return (
    <span className="v-two-lines v-regression" title={`${much} ${against} (${runTime(regression.duration)})`}>
      <span>
        <Icon name="warning" size={12} /> {much}
      </span>
      <span>{against}</span>
    </span>
  );
}

/** Whose it is, and the nodes that it ran on: the first, and how many more. */
export function Where({ run }: { readonly run: ProfileSummary }) {
  const [first, ...rest] = run.nodes;
  const nodes = first === undefined ? run.nodelist : rest.length === 0 ? first : `${first} +${rest.length}`;
  const title = first === undefined ? run.nodelist : run.nodes.join(' ');
  return (
    <bdi className="v-muted" title={title.slice(0, 2000)}>
      {[run.user, nodes.slice(0, 200)].filter((part) => part !== '').join(' · ')}
    </bdi>
  );
}

export const sizeText = (size: number): string => (size > 0 ? formatCount(size) : NO_VALUE);
