/** Which channels are told of an alarm, and with which others it is told together. Pure. */

import { compileMatchers, type Labels } from '../../../shared/alarms/matchers.ts';
import type { Severity } from '../../../shared/api/alarms.ts';
import { Route } from '../../../shared/api/channels.ts';
import { LinearPattern } from '../../store/linear-pattern.ts';

/** Times of a group, ms. */
export interface GroupTimes {
  readonly wait: number;
  readonly interval: number;
  /** 0: never. */
  readonly repeat: number;
  /** Ends are told. */
  readonly resolved: boolean;
}

/** One route to one channel. */
export interface Lane {
  readonly route: string;
  readonly channel: string;
  readonly times: GroupTimes;
  readonly by: readonly string[];
}

/** While nobody has set any, everything is told to all. */
const EVERYTHING: Route = Route.parse({ channels: [] });

interface Compiled {
  readonly severities: readonly Severity[];
  readonly matches: (labels: Labels) => boolean;
  readonly lanes: readonly Lane[];
  readonly more: boolean;
}

const lanesOf = (route: Route, channels: readonly string[]): Lane[] =>
  [...new Set(channels)].map((channel) => ({
    ...{ route: route.id, channel, by: [...new Set(route.group_by)].sort() },
    times: { wait: route.group_wait, interval: route.group_interval, repeat: route.repeat, resolved: route.resolved },
  }));

const compilePattern = (pattern: string): ((text: string) => boolean) => {
  const compiled = new LinearPattern(pattern);
  return (text) => compiled.matches(text);
};

/** Throws an error in words where a pattern cannot be used. */
export const checkRoutes = (routes: readonly Route[]): unknown => new Routes(routes, []);

export class Routes {
  readonly #routes: readonly Compiled[];

  /** `channels`: ids of those that may be told now. Throws an error in words where a pattern cannot be used. */
  constructor(routes: readonly Route[], channels: readonly string[]) {
    const given = routes.length === 0 ? [{ ...EVERYTHING, channels: [...channels] }] : routes;
    this.#routes = given.map((route) => ({
      severities: route.severities,
      matches: compileMatchers(route.matchers, compilePattern),
      lanes: lanesOf(
        route,
        route.channels.filter((id) => channels.includes(id)),
      ),
      more: route.more,
    }));
  }

  /** The ways on which an alarm is told; each channel at most once: by the first route that leads to it. */
  lanes(labels: Labels, severity: Severity): Lane[] {
    const found: Lane[] = [];
    for (const { severities, matches, lanes, more } of this.#routes) {
      if ((severities.length > 0 && !severities.includes(severity)) || !matches(labels)) continue;
      for (const lane of lanes) if (found.every(({ channel }) => channel !== lane.channel)) found.push(lane);
      if (!more) break;
    }
    return found;
  }
}
