/** Targets that stand in the configuration file itself, node sets among them. */

import type { Discovery, Found } from './discovery.ts';
import { MOST_FOUND } from './discovery.ts';
import { expandList } from './node-set.ts';

export function staticList(text: string, settings: Omit<Found, 'url'> = {}): Discovery {
  return {
    kind: 'static',
    name: text,
    every: null,
    look: async () => ({ targets: expandList(text, MOST_FOUND).map((url) => ({ ...settings, url })), notes: [] }),
  };
}
