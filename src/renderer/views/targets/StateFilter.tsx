import { UnstyledButton } from '@mantine/core';
import { SHOWN_STATES } from '../../data/targets.ts';
import type { ShownState } from '../../data/targets.ts';
import { formatCount } from '../../format/units.ts';
import { STATE_HELP, STATE_TONES } from './words.ts';

interface StateFilterProps {
  readonly counts: Readonly<Record<ShownState | 'all', number>>;
  readonly value: ShownState | 'all';
  readonly onChange: (state: ShownState | 'all') => void;
}

/** How many are in each state; each count shows only those. */
export function StateFilter({ counts, value, onChange }: StateFilterProps) {
  return (
    <div className="v-chips" role="group" aria-label="State">
      {(['all', ...SHOWN_STATES] as const).map((state) =>
        state !== 'all' && counts[state] === 0 && value !== state ? null : (
          <UnstyledButton
            key={state}
            className="v-chip"
            aria-pressed={value === state}
            title={state === 'all' ? undefined : STATE_HELP[state]}
            onClick={() => onChange(value === state ? 'all' : state)}
          >
            {state === 'all' ? null : <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" />}
            {state} <b>{formatCount(counts[state])}</b>
          </UnstyledButton>
        ),
      )}
    </div>
  );
}
