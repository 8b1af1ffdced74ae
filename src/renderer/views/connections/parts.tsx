/** Small parts that several of the connections' views have. */

import type { Connection, ConnectionState } from '../../../shared/api/connections.ts';
import { farState, STATE_HELP, STATE_NAMES, STATE_TONES } from './words.ts';
import './connections.css';

/** Dot and word; the dot's form differs too. */
export function StateMark({ state }: { readonly state: ConnectionState }) {
  return (
    <span className="v-state" title={STATE_HELP[state]}>
      <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" /> {STATE_NAMES[state]}
    </span>
  );
}

/** How the engine over there is. */
export function FarMark({ connection }: { readonly connection: Connection }) {
  const { name, tone } = farState(connection);
  return (
    <span className="v-state">
      <span className={`v-dot v-${tone}`} aria-hidden="true" /> {name}
    </span>
  );
}

/** A red line that is read out; nothing when there is nothing wrong. */
export function Wrong({ error }: { readonly error: Error | null }) {
  return error === null ? null : (
    <p role="alert" className="v-bad-text">
      {error.message}
    </p>
  );
}
