/** Channels: how people are told of alarms, which of them are told what, and what became of each message. */

import { z } from 'zod';
import { Duration } from '../duration.ts';
import { Severity } from './alarms.ts';
import { Matcher } from './silences.ts';

export const ChannelKind = z.enum(['desktop', 'email', 'webhook', 'slack', 'alertmanager']);
export type ChannelKind = z.infer<typeof ChannelKind>;

const WebUrl = z.url({ protocol: /^https?$/ }).max(2048);
const Address = z.email().max(320);
const Secret = z.string().max(16_384);
/** Absent: as it was. Empty: none. Never in an answer: there `has_…` says whether there is one. */
const KeptSecret = Secret.optional();

/** Settings of each kind. Secrets are written, never read. */
export const ChannelSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('desktop') }),
  z.strictObject({
    kind: z.literal('email'),
    host: z.string().min(1).max(253),
    port: z.number().int().min(1).max(65_535).default(587),
    /** starttls: refuse to go on without; tls: from the first byte; none: only where the owner allows it. */
    security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
    ca_file: z.string().max(4096).default(''),
    username: z.string().max(320).default(''),
    password: KeptSecret,
    from: Address,
    to: z.array(Address).min(1).max(50),
  }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: WebUrl,
    /** JSON with `{{…}}` in its texts; empty: the form that docs/alarms.md describes. */
    body: z.string().max(65_536).default(''),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
        z
          .string()
          .max(4096)
          .regex(/^[^\r\n\0]*$/),
      )
      .default({}),
    /** Key of the HMAC-SHA256 over the body, sent as `X-Vigie-Signature: sha256=HEX`. */
    hmac_key: KeptSecret,
    bearer: KeptSecret,
  }),
  z.strictObject({
    kind: z.literal('slack'),
    /** The address is the secret. Slack's incoming webhooks and Mattermost's. */
    url: Secret.optional(),
    channel: z.string().max(200).default(''),
  }),
  z.strictObject({
    kind: z.literal('alertmanager'),
    /** Its base, such as `http://localhost:9093`. */
    url: WebUrl,
    username: z.string().max(320).default(''),
    password: KeptSecret,
    bearer: KeptSecret,
  }),
]);
export type ChannelSettings = z.infer<typeof ChannelSettings>;
export type ChannelSettingsInput = z.input<typeof ChannelSettings>;

export const NewChannel = z.strictObject({
  name: z.string().trim().min(1).max(200),
  enabled: z.boolean().default(true),
  settings: ChannelSettings,
  /** Most messages in a minute; what is over waits and is told together. */
  per_minute: z.number().int().min(1).max(600).default(10),
});
export type NewChannel = z.infer<typeof NewChannel>;
export type NewChannelInput = z.input<typeof NewChannel>;

/** PATCH: what is given replaces what was; `settings` as a whole, with secrets that they leave out as they were. */
export const ChannelPatch = z.strictObject({
  name: NewChannel.shape.name.optional(),
  enabled: z.boolean().optional(),
  settings: ChannelSettings.optional(),
  per_minute: NewChannel.shape.per_minute.unwrap().optional(),
});
export type ChannelPatch = z.infer<typeof ChannelPatch>;
export type ChannelPatchInput = z.input<typeof ChannelPatch>;

export const DeliveryState = z.enum(['waiting', 'sent', 'retrying', 'failed', 'dropped']);
export const Delivery = z.object({
  id: z.string(),
  channel: z.string(),
  /** What it tells of: the group's title. */
  title: z.string(),
  alarms: z.number().int().nonnegative(),
  kind: z.enum(['firing', 'resolved', 'repeat', 'test']),
  state: DeliveryState,
  created: z.number(),
  /** Of the last attempt, and of the next; null: none. */
  tried: z.number().nullable(),
  next: z.number().nullable(),
  attempts: z.number().int().nonnegative(),
  /** What the other side answered, or what went wrong, in words. */
  answer: z.string(),
});
export type Delivery = z.infer<typeof Delivery>;

export const Channel = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  per_minute: z.number(),
  kind: ChannelKind,
  /** Without its secrets. */
  settings: z.record(z.string(), z.unknown()),
  /** Names of the secrets that are set. */
  secrets: z.array(z.string()),
  /** Messages that wait, and the last one that was sent or failed. */
  waiting: z.number().int().nonnegative(),
  last: Delivery.nullable(),
  /** What is wrong with it now; null: nothing. */
  problem: z.string().nullable(),
});
export type Channel = z.infer<typeof Channel>;
export const ChannelList = z.object({ channels: z.array(Channel) });
export type ChannelList = z.infer<typeof ChannelList>;

/** Whom to tell of what: the first route that matches, and further ones while `more` is on. */
export const Route = z.strictObject({
  id: z.string().max(64).default(''),
  severities: z.array(Severity).max(3).default([]),
  matchers: z.array(Matcher).max(64).default([]),
  /** Ids of channels; empty: nobody. */
  channels: z.array(z.string().max(64)).max(50),
  /** Labels that make a group; alarms of a group are told together. */
  group_by: z.array(z.string().min(1).max(128)).max(20).default(['alarmname']),
  /** How long the first message of a group waits for others. */
  group_wait: Duration.pipe(z.number().min(0).max(3_600_000)).default(0),
  /** The shortest time between two messages of a group that changed. */
  group_interval: Duration.pipe(z.number().min(0).max(86_400_000)).default(60_000),
  /** Told again after so long while it fires; 0: never. */
  repeat: Duration.pipe(
    z
      .number()
      .min(0)
      .max(30 * 86_400_000),
  ).default(4 * 3_600_000),
  resolved: z.boolean().default(true),
  /** The routes below are looked at too. */
  more: z.boolean().default(false),
});
export type Route = z.infer<typeof Route>;
export type RouteInput = z.input<typeof Route>;
/** PUT /api/v1/channels/routes: the list as a whole, in order. Without any everything is told to all channels. */
export const RouteList = z.strictObject({ routes: z.array(Route).max(200) });
export type RouteList = z.infer<typeof RouteList>;
/** The list as it is answered: durations are text. */
export const ShownRoutes = z.object({
  routes: z.array(z.object({ ...Route.shape, group_wait: z.string(), group_interval: z.string(), repeat: z.string() })),
});
export type ShownRoutes = z.infer<typeof ShownRoutes>;

export const DeliveryQuery = z.object({
  channel: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type DeliveryQuery = z.infer<typeof DeliveryQuery>;
/** Newest first. */
export const DeliveryList = z.object({ deliveries: z.array(Delivery) });
export type DeliveryList = z.infer<typeof DeliveryList>;

/** POST /api/v1/channels/test: sends a test message now, also with settings that are not saved, and shows the answer. */
export const ChannelTestRequest = z.strictObject({
  /** Secrets that are left out are taken from this channel. */
  id: z.string().max(64).optional(),
  settings: ChannelSettings.optional(),
});
export type ChannelTestRequest = z.infer<typeof ChannelTestRequest>;
export const ChannelTestResult = z.object({
  ok: z.boolean(),
  /** Status and body of the answer, or the error; cut at 4 kB. */
  answer: z.string(),
  /** Milliseconds. */
  took: z.number(),
});
export type ChannelTestResult = z.infer<typeof ChannelTestResult>;
