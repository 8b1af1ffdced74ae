/** Routes in words, and between their forms. */

import { Route } from '../../../../shared/api/channels.ts';
import type { RouteInput } from '../../../../shared/api/channels.ts';
import type { Matcher } from '../../../../shared/api/silences.ts';
import type { Severity } from '../../../../shared/api/alarms.ts';
import type { ShownRoute } from '../../../data/alarmsApi.ts';
import { matchersText } from '../words.ts';

/** A route to be sent back. Channels that were removed are left out: the engine takes no route that names one. */
export const toInput = (route: ShownRoute, channels: readonly { readonly id: string }[]): RouteInput => ({
  ...route,
  channels: route.channels.filter((id) => channels.some((channel) => channel.id === id)),
});

export interface RouteForm {
  readonly severities: readonly Severity[];
  readonly matchers: readonly Matcher[];
  readonly channels: readonly string[];
  readonly groupBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeat: string;
  readonly resolved: boolean;
  readonly more: boolean;
}

export const EMPTY_ROUTE: RouteForm = {
  severities: [],
  matchers: [],
  channels: [],
  groupBy: ['alarmname'],
  groupWait: '0s',
  groupInterval: '1m',
  repeat: '4h',
  resolved: true,
  more: false,
};

export const routeForm = (route: ShownRoute): RouteForm => ({
  severities: route.severities,
  matchers: route.matchers,
  channels: route.channels,
  groupBy: route.group_by,
  groupWait: route.group_wait,
  groupInterval: route.group_interval,
  repeat: route.repeat,
  resolved: route.resolved,
  more: route.more,
});

export type RouteField = 'matchers' | 'channels' | 'groupBy' | 'groupWait' | 'groupInterval' | 'repeat';
const FIELDS: Readonly<Record<string, RouteField>> = {
  matchers: 'matchers',
  channels: 'channels',
  group_by: 'groupBy',
  group_wait: 'groupWait',
  group_interval: 'groupInterval',
  repeat: 'repeat',
};

export interface ReadRoute {
  readonly request: RouteInput | null;
  readonly errors: Partial<Record<RouteField, string>>;
}

export function readRoute(form: RouteForm, id: string): ReadRoute {
  const request = {
    id,
    severities: [...form.severities],
    matchers: form.matchers.filter(({ label }) => label !== ''),
    channels: [...form.channels],
    group_by: [...form.groupBy],
    group_wait: form.groupWait.trim(),
    group_interval: form.groupInterval.trim(),
    repeat: form.repeat.trim(),
    resolved: form.resolved,
    more: form.more,
  };
  const errors: Partial<Record<RouteField, string>> = {};
  const parsed = Route.safeParse(request);
  for (const { path, message } of parsed.error?.issues ?? []) {
    errors[FIELDS[String(path[0])] ?? 'channels'] ??= message;
  }
  return { request: parsed.success ? request : null, errors };
}

/** Which alarms a route takes: `critical alarms with rack="r12"`. */
export function whichText({ severities, matchers }: Pick<ShownRoute, 'severities' | 'matchers'>): string {
  const which = severities.length === 0 || severities.length === 3 ? 'All' : severities.join(' and ');
  const text = `${which} alarms${matchers.length === 0 ? '' : ` with ${matchersText(matchers)}`}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** How they are told: `together by alarmname, again every 4h, also when resolved`. */
export function howText(route: ShownRoute): string {
  const together = route.group_by.length === 0 ? 'all together' : `together by ${route.group_by.join(', ')}`;
  const wait = route.group_wait === '0ms' || route.group_wait === '0s' ? '' : `after ${route.group_wait}`;
  const again = /^0(ms|s)?$/.test(route.repeat) ? 'once' : `again every ${route.repeat}`;
  return [together, wait, again, route.resolved ? 'also when resolved' : 'not when resolved']
    .filter((part) => part !== '')
    .join(', ');
}

/** Which alarms a new channel is told of: what is finer is a route. */
export const TELLS = ['all', 'warning', 'critical', 'none'] as const;
export type Tells = (typeof TELLS)[number];
const SEVERITIES_OF: Readonly<Record<Tells, readonly Severity[]>> = {
  all: [],
  warning: ['warning', 'critical'],
  critical: ['critical'],
  none: [],
};

/**
 * The routes with which a new channel is told of this much, and all others as before. Null: they need not change.
 *
 * @param others Ids of the other channels.
 */
export function routesWith(
  routes: readonly RouteInput[],
  others: readonly string[],
  added: string,
  tells: Tells,
): RouteInput[] | null {
  // Without routes every channel is told of everything, which ends for all with the first route.
  if (routes.length === 0 && tells === 'all') return null;
  if (routes.length > 0 && tells === 'none') return null;
  // First, so that no route above ends the search before; the others go on below.
  const own = tells === 'none' ? [] : [{ severities: [...SEVERITIES_OF[tells]], channels: [added], more: true }];
  return [...own, ...(routes.length === 0 ? [{ channels: [...others] }] : routes)];
}
