import { Button } from '@mantine/core';
import { Link } from 'wouter';
import type { Target } from '../../../shared/api/targets.ts';
import { shownState } from '../../data/targets.ts';
import { formatDateTime, formatShortSpan } from '../../format/time.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import { LastScrape } from './columns.tsx';
import { TargetState } from './TargetState.tsx';
import { useTargetActions } from './useTargetActions.tsx';
import { fixedReason, originText, targetName, typeName } from './words.ts';

interface HeaderProps {
  readonly target: Target;
  /** Why nothing may be changed; null: it may. */
  readonly refusal: string | null;
}

/** What a target is and how it is, and what can be done with it. */
export function TargetHeader({ target, refusal }: HeaderProps) {
  const actions = useTargetActions();
  const fixed = fixedReason(target);
  const state = shownState(target);
  const isNode = target.scopes.length > 0;
  return (
    <header className="v-jobhead">
      <div className="v-toolbar">
        <Link href="/ui/targets" className="v-link">
          Targets
        </Link>
        <h1 title={target.url}>
          <bdi>{targetName(target)}</bdi>
        </h1>
        <TargetState state={state} />
        <span className="v-muted">
          {target.type === null ? 'type not known until it answers' : typeName(target.type)}
          {isNode ? ` · ${formatCount(target.series)} series` : ''} · last scrape <LastScrape target={target} />
          {target.duration === null ? '' : `, took ${formatShortSpan(target.duration)}`}
          {target.bytes > 0 ? `, ${formatValue(target.bytes, 'B')}` : ''} · every {target.period} ·{' '}
          {originText(target.origin)}
        </span>
        <div className="v-spacer" />
        <Button
          size="xs"
          variant="default"
          disabled={refusal !== null}
          title={refusal ?? undefined}
          onClick={() => void actions.setPaused([target], !target.paused)}
        >
          {target.paused ? 'Resume' : 'Pause target'}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={refusal !== null || fixed !== null}
          title={refusal ?? fixed ?? undefined}
          onClick={() => void actions.remove([target])}
        >
          Remove
        </Button>
      </div>
      <Notes target={target} />
    </header>
  );
}

function Notes({ target }: { readonly target: Target }) {
  const labels = Object.entries(target.labels);
  if (target.reason === null && target.notes.length === 0 && labels.length === 0) return null;
  return (
    <div className="v-target-notes">
      {target.reason === null ? null : (
        <p className={target.state === 'slow' || target.state === 'new' ? '' : 'v-bad-text'} role="status">
          {target.reason} <span className="v-muted">since {formatDateTime(target.since)}</span>
        </p>
      )}
      {target.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {labels.length === 0 ? null : (
        <p className="v-muted">with {labels.map(([name, value]) => `${name}=${value}`).join(', ')}</p>
      )}
    </div>
  );
}
