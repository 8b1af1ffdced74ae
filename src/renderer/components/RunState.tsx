import type { RunState as State } from '../../shared/api/runs.ts';

const TONES: Readonly<Record<State, string>> = {
  running: 'good',
  ending: 'warn',
  finished: 'calm',
  interrupted: 'bad',
};

/** Dot and word; the dot's form differs too. */
export function RunState({ state }: { readonly state: State }) {
  return (
    <span className="v-state">
      <span className={`v-dot v-${TONES[state]}`} aria-hidden="true" /> {state}
    </span>
  );
}
