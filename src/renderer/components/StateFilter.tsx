import { UnstyledButton } from '@mantine/core';
import { formatCount } from '../format/units.ts';

interface StateFilterProps<State extends string> {
  /** In the order of the chips. */
  readonly states: readonly State[];
  readonly counts: Readonly<Record<State | 'all', number>>;
  readonly value: State | 'all';
  readonly names?: Readonly<Record<State, string>>;
  readonly help: Readonly<Record<State, string>>;
  readonly tones: Readonly<Record<State, string>>;
  /** Null: all. */
  readonly onChange: (state: State | null) => void;
}

/** How many are in each state; each count shows only those. */
export function StateFilter<State extends string>(props: StateFilterProps<State>) {
  const { states, counts, value, names, help, tones, onChange } = props;
  return (
    <div className="v-chips" role="group" aria-label="State">
      <UnstyledButton className="v-chip" aria-pressed={value === 'all'} onClick={() => onChange(null)}>
        all <b>{formatCount(counts.all)}</b>
      </UnstyledButton>
      {states.map((state) =>
        counts[state] === 0 && value !== state ? null : (
          <UnstyledButton
            key={state}
            className="v-chip"
            aria-pressed={value === state}
            title={help[state]}
            onClick={() => onChange(value === state ? null : state)}
          >
            <span className={`v-dot v-${tones[state]}`} aria-hidden="true" />
            {names?.[state] ?? state} <b>{formatCount(counts[state])}</b>
          </UnstyledButton>
        ),
      )}
    </div>
  );
}
