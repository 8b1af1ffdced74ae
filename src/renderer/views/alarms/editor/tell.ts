/** A rule's own route among all routes: whom to tell of it, whatever the routes below say. Pure functions. */

import type { Channel, RouteInput } from '../../../../shared/api/channels.ts';
import type { ShownRoute } from '../../../data/alarmsApi.ts';

/** Null: as the routes say; else ids of channels. */
export type Told = readonly string[] | null;

const isOwn = (route: Pick<ShownRoute, 'matchers' | 'severities'>, name: string): boolean => {
  const [only, ...rest] = route.matchers;
  return (
    rest.length === 0 &&
    route.severities.length === 0 &&
    only?.label === 'alarmname' &&
    only.op === '=' &&
    only.value === name
  );
};

/** Whom a rule's own route tells; null: it has none. */
export function toldBy(routes: readonly ShownRoute[], name: string): Told {
  return name === '' ? null : (routes.find((route) => isOwn(route, name))?.channels ?? null);
}

/**
 * All routes with the rule's own one first, or without it. Null: nothing changes.
 *
 * @param before The rule's name until now, which its own route has; null: it is new.
 */
export function routesFor(
  routes: readonly ShownRoute[],
  channels: readonly Channel[],
  { before, name, told }: { before: string | null; name: string; told: Told },
): RouteInput[] | null {
  const at = before === null ? undefined : routes.find((route) => isOwn(route, before));
  const others: RouteInput[] = routes.filter((route) => route !== at);
  if (told === null) return at ? others : null;
  if (at && before === name && sameSet(at.channels, told)) return null;
  const own: RouteInput = { ...at, matchers: [{ label: 'alarmname', op: '=', value: name }], channels: [...told] };
  // Without any route all channels are told everything: a first one must not end that for all other rules.
  const rest = routes.length === 0 ? [{ channels: channels.map(({ id }) => id) }] : others;
  return [own, ...rest];
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one) => b.includes(one));
