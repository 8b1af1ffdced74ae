import { type ShownState } from '../../data/targets.ts';
import { STATE_HELP, STATE_TONES } from './words.ts';

/** Dot and word; the dot's form differs too. */
export function TargetState({ state }: { readonly state: ShownState }) {
  return (
    <span className="v-state" title={STATE_HELP[state]}>
      <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" /> {state}
    </span>
  );
}
