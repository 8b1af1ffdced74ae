/** What is kept of alarms that were told: until their end was told, too. */

import { z } from 'zod';
import type { Alarm } from '../../../shared/api/alarms.ts';
import { ToldAlarm } from './channel.ts';

/** An alarm in a group. */
export interface Member {
  alarm: ToldAlarm;
  firing: boolean;
  /** Silenced or acknowledged: nothing new is told of it. */
  quiet: boolean;
  /** It was told that it fires. */
  told: boolean;
  /** Since when it waits to be told, ms. */
  since: number;
  ended: number | null;
}

const Times = z.object({ wait: z.number(), interval: z.number(), repeat: z.number(), resolved: z.boolean() });

/** Record `group`/`g/ID`. */
export const GroupRecord = z.object({
  channel: z.string(),
  route: z.string(),
  labels: z.record(z.string(), z.string()),
  times: Times,
  /** When a message of it was made last, ms. */
  told: z.number(),
});
export type GroupRecord = z.infer<typeof GroupRecord>;

/** Record `group`/`m/CHANNEL/ALARM`: this channel was told that this alarm fires. */
export const MemberRecord = z.object({ group: z.string(), alarm: ToldAlarm });
export type MemberRecord = z.infer<typeof MemberRecord>;

export const groupKey = (id: string): string => `g/${id}`;
export const memberKey = (channel: string, alarm: string): string => `m/${channel}/${alarm}`;

/** What a message needs of an alarm. `fired`: when it began, where the alarm itself does not say. */
export function toldAlarm(alarm: Alarm, fired: number): ToldAlarm {
  const { id, rule, name, severity, scope, place, metric, labels, value, threshold, description, link } = alarm;
  return {
    ...{ id, rule, name, severity, scope, place, metric, labels, value, threshold, description, link },
    fired: alarm.fired ?? fired,
  };
}

/** It fires, or did when data were last seen: silence of the series is no end of the alarm. */
export const isFiring = ({ state, fired }: Pick<Alarm, 'state' | 'fired'>): boolean =>
  state === 'firing' || (state === 'no_data' && fired !== null);
export const isQuiet = ({ silenced, acknowledged }: Pick<Alarm, 'silenced' | 'acknowledged'>): boolean =>
  silenced.length > 0 || acknowledged !== null;
