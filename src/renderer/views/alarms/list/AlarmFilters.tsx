import { NativeSelect } from '@mantine/core';
import { GROUPINGS, HANDLED, LISTED_STATES, SEVERITIES } from '../../../data/alarms.ts';
import type { AlarmCounts, AlarmQuery, Grouping, Handled } from '../../../data/alarms.ts';
import { formatCount } from '../../../format/units.ts';
import { Chip } from '../parts.tsx';
import { HANDLED_NAMES, SEVERITY_NAMES, STATE_HELP, STATE_NAMES, STATE_TONES } from '../words.ts';

interface FilterProps {
  readonly query: AlarmQuery;
  readonly onChange: (name: string, value: string | null) => void;
}

const GROUP_NAMES: Readonly<Record<Grouping, string>> = { rule: 'By rule', place: 'By place', none: 'One list' };

/** Severity, whether somebody has taken it, and how the list is grouped. */
export function AlarmSelects({ query, onChange }: FilterProps) {
  return (
    <>
      <NativeSelect
        size="xs"
        aria-label="Severity"
        value={query.severity}
        onChange={({ currentTarget: { value } }) => onChange('severity', value === 'all' ? null : value)}
        data={[
          { value: 'all', label: 'All severities' },
          ...SEVERITIES.map((value) => ({ value, label: SEVERITY_NAMES[value] })),
        ]}
      />
      <NativeSelect
        size="xs"
        aria-label="Taken"
        value={query.handled}
        onChange={({ currentTarget: { value } }) => onChange('handled', value === 'all' ? null : value)}
        data={HANDLED.map((value: Handled) => ({ value, label: HANDLED_NAMES[value] }))}
      />
      <NativeSelect
        size="xs"
        aria-label="Grouping"
        value={query.group}
        onChange={({ currentTarget: { value } }) => onChange('group', value === 'rule' ? null : value)}
        data={GROUPINGS.map((value) => ({ value, label: GROUP_NAMES[value] }))}
      />
    </>
  );
}

/** How many are in each state, and of the firing ones how many are silenced; each count shows only those. */
export function StateChips({ query, onChange, counts }: FilterProps & { readonly counts: AlarmCounts }) {
  const none = query.state === 'all' && query.handled === 'all';
  return (
    <div className="v-chips" role="group" aria-label="State">
      <Chip
        pressed={none}
        onClick={() => {
          onChange('state', null);
          onChange('handled', null);
        }}
      >
        all <b>{formatCount(counts.all)}</b>
      </Chip>
      {LISTED_STATES.map((state) =>
        counts[state] === 0 && query.state !== state && state !== 'firing' ? null : (
          <Chip
            key={state}
            pressed={query.state === state}
            title={STATE_HELP[state]}
            onClick={() => onChange('state', query.state === state ? null : state)}
          >
            <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" />
            {STATE_NAMES[state]} <b>{formatCount(counts[state])}</b>
          </Chip>
        ),
      )}
      {(['silenced', 'acknowledged'] as const).map((handled) =>
        counts[handled] === 0 && query.handled !== handled ? null : (
          <Chip
            key={handled}
            pressed={query.handled === handled}
            title={`Of those that fire: ${handled}`}
            onClick={() => onChange('handled', query.handled === handled ? null : handled)}
          >
            {handled} <b>{formatCount(counts[handled])}</b>
          </Chip>
        ),
      )}
    </div>
  );
}
