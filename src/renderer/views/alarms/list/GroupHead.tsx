import { Checkbox, UnstyledButton } from '@mantine/core';
import { useContext } from 'react';
import { Link } from 'wouter';
import type { AlarmGroup } from '../../../data/alarms.ts';
import { LISTED_STATES, scopePath } from '../../../data/alarms.ts';
import { Icon } from '../../../components/Icon.tsx';
import { formatCount } from '../../../format/units.ts';
import { SeverityMark } from '../parts.tsx';
import { shortAddress, STATE_NAMES, STATE_TONES } from '../words.ts';
import { ListContext } from './selection.ts';

/** The head of a group: what it is, how many are in which state, and a box that selects all of them. */
export function GroupHead({ group }: { readonly group: AlarmGroup }) {
  const list = useContext(ListContext);
  if (!list) return null;
  const { alarms, counts, open, title } = group;
  const ticked = alarms.filter(({ id }) => list.ticked.has(id)).length;
  const from = alarms[0]?.from ?? null;
  const to =
    group.by === 'place'
      ? scopePath(group.key)
      : from === null
        ? `/ui/alarms/rules/${encodeURIComponent(group.key)}`
        : null;
  return (
    <div className="v-group-head">
      <Checkbox
        size="xs"
        tabIndex={-1}
        aria-label={`Select all of ${title}`}
        checked={ticked === alarms.length}
        indeterminate={ticked > 0 && ticked < alarms.length}
        onChange={(event) => list.tick(alarms, event.currentTarget.checked)}
        onClick={(event) => event.stopPropagation()}
      />
      <UnstyledButton
        className="v-group-name"
        tabIndex={-1}
        aria-expanded={open}
        onClick={(event) => {
          event.stopPropagation();
          list.toggleGroup(group);
        }}
      >
        <Icon name={open ? 'down' : 'later'} size={14} /> <bdi>{title}</bdi>
      </UnstyledButton>
      {group.by === 'place' && from !== null ? <span className="v-muted">at {shortAddress(from)}</span> : null}
      {group.by === 'rule' ? <SeverityMark severity={group.severity} /> : null}
      {LISTED_STATES.map((state) =>
        counts[state] === 0 ? null : (
          <span key={state} className="v-muted">
            <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" />
            {formatCount(counts[state])} {STATE_NAMES[state]}
          </span>
        ),
      )}
      {counts.silenced > 0 ? <span className="v-muted">{formatCount(counts.silenced)} silenced</span> : null}
      {counts.acknowledged > 0 ? (
        <span className="v-muted">{formatCount(counts.acknowledged)} acknowledged</span>
      ) : null}
      <span className="v-spacer" />
      {to === null ? null : (
        <Link href={to} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
          {group.by === 'rule' ? 'Rule' : 'Plots'}
        </Link>
      )}
    </div>
  );
}
