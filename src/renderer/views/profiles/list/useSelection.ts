import { useMemo, useState } from 'react';
import { NOTHING_PICKED, pick, pickRange } from './selection.ts';
import type { Picked } from './selection.ts';

export interface ListSelection {
  readonly picked: Picked;
  set(picked: Picked): void;
  clear(): void;
  /** `shown`: as the table has them in order; `range`: all from the one ticked before. */
  toggle(id: string, shown: readonly string[], range: boolean): void;
}

/** What is ticked. It stays when a filter hides it: runs of several searches can be compared. */
export function useSelection(): ListSelection {
  const [picked, setPicked] = useState(NOTHING_PICKED);
  return useMemo(
    () => ({
      picked,
      set: setPicked,
      clear: () => setPicked(NOTHING_PICKED),
      toggle: (id, shown, range) => setPicked((before) => (range ? pickRange(before, shown, id) : pick(before, id))),
    }),
    [picked],
  );
}
