/** Events, as they are made of alarms. */

import type { Held } from './book.ts';
import type { NewEvent } from './journal.ts';

/** It fires, or would if something were known. */
export const goesOn = ({ state, fired }: Held): boolean =>
  state === 'firing' || (state === 'no_data' && fired !== null);

type About = Pick<NewEvent, 'time' | 'kind'> & Partial<Pick<NewEvent, 'was' | 'value'>>;

export function eventOf(held: Held, { time, kind, was = null, value }: About): NewEvent {
  const { id, rule, scope, place, metric, state, threshold } = held;
  const { name, severity } = rule.settings;
  return {
    ...{ time, kind, alarm: id, rule: rule.id, name, severity, scope, place, metric },
    ...{ was, state: was === null ? null : state },
    ...{ value: value === undefined ? held.value : value, threshold, note: '' },
  };
}
