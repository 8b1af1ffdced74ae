import { createContext } from 'react';
import type { Alarm, Rule } from '../../../../shared/api/alarms.ts';
import type { AlarmGroup } from '../../../data/alarms.ts';

/** What rows of the list need beside themselves. */
export interface ListActions {
  readonly ticked: ReadonlySet<string>;
  readonly shown: number;
  /** Why nothing may be changed; null: it may. */
  readonly refusal: string | null;
  readonly rules: ReadonlyMap<string, Rule>;
  tick(alarms: readonly Alarm[], on: boolean): void;
  tickAll(): void;
  toggleGroup(group: AlarmGroup): void;
  acknowledge(alarms: readonly Alarm[]): void;
  takeBack(alarms: readonly Alarm[]): void;
  silence(alarms: readonly Alarm[], ms: number): void;
  /** Opens the form of a silence of these. */
  askSilence(alarms: readonly Alarm[]): void;
}

export const ListContext = createContext<ListActions | null>(null);

/** Those that are still shown: what a filter hides is not changed with the rest. */
export function stillShown(ids: ReadonlySet<string>, shown: readonly Alarm[]): ReadonlySet<string> {
  if (ids.size === 0) return ids;
  const left = new Set(shown.filter(({ id }) => ids.has(id)).map(({ id }) => id));
  return left.size === ids.size ? ids : left;
}
