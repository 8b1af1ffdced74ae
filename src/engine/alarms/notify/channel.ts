/** What a kind of channel is: one file for each, and one line in kinds.ts. */

import { z } from 'zod';
import { Severity } from '../../../shared/api/alarms.ts';
import type { ChannelKind, ChannelSettings } from '../../../shared/api/channels.ts';
import type { AddressPolicy } from './address.ts';

/** What a message tells of one alarm. Kept until its end was told: it is all that is known when its rule is gone. */
export const ToldAlarm = z.object({
  id: z.string(),
  rule: z.string(),
  name: z.string(),
  severity: Severity,
  scope: z.string(),
  place: z.string(),
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
  value: z.number().nullable(),
  threshold: z.number(),
  /** When it began to fire, ms since the epoch. */
  fired: z.number(),
  description: z.string(),
  link: z.string(),
});
export type ToldAlarm = z.infer<typeof ToldAlarm>;

export const MessageAlarm = ToldAlarm.extend({
  /** fresh: it is told for the first time; still: it was told before and goes on. */
  status: z.enum(['fresh', 'still', 'resolved']),
  /** When it ended; null: it goes on. */
  ended: z.number().nullable(),
});
export type MessageAlarm = z.infer<typeof MessageAlarm>;

export const Message = z.object({
  /** The delivery's id, the same when it is sent again. */
  id: z.string(),
  kind: z.enum(['firing', 'resolved', 'repeat', 'test']),
  /** When it was made, ms since the epoch. */
  time: z.number(),
  /** The host that the engine runs on. */
  engine: z.string(),
  /** The same for all messages of a group: mail programs put them together. */
  thread: z.string(),
  title: z.string(),
  /** Labels that all of them have because of their group. */
  group: z.record(z.string(), z.string()),
  /** Of all, also those that are left out of `alarms`. */
  firing: z.number(),
  resolved: z.number(),
  /** Fresh ones first, then those that ended, then those that go on. */
  alarms: z.array(MessageAlarm),
});
export type Message = z.infer<typeof Message>;

/** A message that did not get there. The text is for people. */
export class SendError extends Error {
  override readonly name = 'SendError';
  /** Trying again would not help: the other side does not want this message. */
  readonly permanent: boolean;
  /** How long the other side wants to be left alone, ms; null: it did not say. */
  readonly retryAfter: number | null;

  constructor(message: string, options: { permanent?: boolean; retryAfter?: number | null } = {}) {
    super(message);
    this.permanent = options.permanent ?? false;
    this.retryAfter = options.retryAfter ?? null;
  }
}

export interface SendContext {
  readonly policy: AddressPolicy;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Milliseconds that one attempt may take. */
  readonly timeout: number;
}

export interface Sender {
  /** What the other side answered. Throws {@link SendError}. */
  send(message: Message, signal: AbortSignal): Promise<string>;
  /** Says again what fires, to one that would forget it. Throws {@link SendError}. */
  refresh?(firing: readonly ToldAlarm[], signal: AbortSignal): Promise<void>;
}

export type SettingsOf<K extends ChannelKind> = Extract<ChannelSettings, { kind: K }>;

export interface ChannelType<K extends ChannelKind = ChannelKind> {
  readonly kind: K;
  /** Names of the settings that are never shown. */
  readonly secrets: readonly string[];
  /** Alarms that one message lists; the rest is only counted. */
  readonly most: number;
  /** It has to be reminded of what fires. */
  readonly reminds?: true;
  /** A message that nobody could be given is dropped after so long, ms. */
  readonly keep: number;
  /** Where secrets would be sent to: they are not taken along to another place. */
  place(settings: SettingsOf<K>): string;
  /** Why these settings cannot be used here, in words; null: they can. */
  check(settings: SettingsOf<K>, policy: AddressPolicy): string | null;
  open(settings: SettingsOf<K>, context: SendContext): Sender;
}
