/**
 * The live socket, WebSocket /api/v1/live. Text messages are the JSON below; binary messages are frames (frame.ts) whose
 * `stream` is the subscription's id. Described in docs/protocol.md.
 */

import { z } from 'zod';
import { Alarm, AlarmEvent, Severity, StateCounts } from './alarms.ts';
import { Connection, Prompt } from './connections.ts';
import { Run } from './runs.ts';
import { Series } from '../model/described-series.ts';
import { Role } from '../model/role.ts';
import { Status } from './status.ts';
import { Target, TargetCounts } from './targets.ts';

const id = z.number().int().min(1).max(0xffff_ffff);

/** Most subscriptions on one socket. */
export const MAX_SUBSCRIPTIONS = 64;

const LiveTopic = z.enum(['runs', 'status', 'targets', 'connections', 'prompts', 'alarms', 'notifications']);

export const LiveRequest = z.discriminatedUnion('type', [
  /** First message when the upgrade request carried no Authorization header (browsers cannot send one). */
  z.object({ type: z.literal('auth'), token: z.string().max(1024) }),
  z.object({
    type: z.literal('subscribe'),
    id,
    scope: z.string().min(1).max(1024),
    /** Canonical keys; absent means all series. */
    series: z.array(z.string().max(4096)).max(5000).optional(),
    /** Send the stored frames after this time (ms) first, then go on live, without a hole where the engine has them. */
    from: z.number().nonnegative().optional(),
  }),
  z.object({ type: z.literal('unsubscribe'), id }),
  /**
   * `runs`, `targets`, `connections`, `alarms`: those that changed, once per period; `status`: the engine's status once per
   * period; `prompts`: what connections ask a person, all of it whenever that changes, for readers who may control;
   * `notifications`: messages that the page shows for the engine. `since`: with `alarms`, the number of the last event that
   * this reader has; those after it come first.
   */
  z.object({ type: z.literal('watch'), topic: LiveTopic, since: z.number().int().nonnegative().optional() }),
  z.object({ type: z.literal('unwatch'), topic: LiveTopic }),
]);
export type LiveRequest = z.infer<typeof LiveRequest>;

export const LiveEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    api: z.object({ major: z.number(), minor: z.number() }),
    engine: z.string(),
    epoch: z.number(),
    /** Milliseconds between ticks. */
    period: z.number(),
    time: z.number(),
    /** What this reader may do; an older engine, whose only token may do everything, does not say it. */
    role: Role.default('control'),
  }),
  /** New series of a subscription's scope, before the first frame that has them. Only ever appended. */
  z.object({ type: z.literal('schema'), id, scope: z.string(), series: z.array(Series) }),
  /** The frames of a time span could not be sent (not stored, or too many): ask /api/v1/query for it. */
  z.object({ type: z.literal('gap'), id, from: z.number(), to: z.number() }),
  /** The stored frames asked for with `from` are all sent; what follows is live. */
  z.object({ type: z.literal('live'), id, time: z.number() }),
  /** The scope is closed (its run ended); no frame follows. */
  z.object({ type: z.literal('end'), id }),
  /** Runs that changed since the last such message; with `all` the complete list of live runs. */
  z.object({ type: z.literal('runs'), all: z.boolean(), runs: z.array(Run.extend({ rate: z.number().nullable() })) }),
  z.object({ type: z.literal('status'), status: Status }),
  /** Targets that changed since the last such message; with `all` the complete list. */
  z.object({
    type: z.literal('targets'),
    all: z.boolean(),
    targets: z.array(Target),
    /** Ids of those that are no longer on the list. */
    removed: z.array(z.string()),
    counts: TargetCounts,
  }),
  /** Connections that changed since the last such message; with `all` the complete list. */
  z.object({
    type: z.literal('connections'),
    all: z.boolean(),
    connections: z.array(Connection),
    /** Ids of those that are no longer on the list. */
    removed: z.array(z.string()),
  }),
  z.object({ type: z.literal('prompts'), prompts: z.array(Prompt) }),
  /**
   * Alarms that changed since the last such message, in any state but inactive. With `all` the list begins anew: this
   * message and the following ones have all of them.
   */
  z.object({
    type: z.literal('alarms'),
    all: z.boolean(),
    alarms: z.array(Alarm),
    /** Ids of those that are inactive now. */
    removed: z.array(z.string()),
    /** In order, each exactly once. */
    events: z.array(AlarmEvent),
    /** The list that began with `all` goes on in the next message. */
    more: z.boolean().optional(),
    /** The last event that this reader has now: what it says as `since` when it comes back. */
    number: z.number().int().nonnegative(),
    /** Events after `since` that are not among `events`, because there were too many: they are in the history. */
    missed: z.boolean(),
    counts: StateCounts,
  }),
  /** For people: the page shows it as a desktop notification. */
  z.object({
    type: z.literal('notification'),
    /** The same when it is sent again. */
    id: z.string(),
    time: z.number(),
    kind: z.enum(['firing', 'resolved', 'repeat', 'test']),
    severity: Severity,
    title: z.string(),
    text: z.string(),
    /** Ids of the alarms it is about, at most 100. */
    alarms: z.array(z.string()),
  }),
  z.object({ type: z.literal('error'), id: id.nullable(), code: z.string(), detail: z.string() }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;

/** A run on the `runs` topic: with the present rate per second of its headline series. */
export type LiveRun = Extract<LiveEvent, { type: 'runs' }>['runs'][number];
/** What changed of the alarms. */
export type LiveAlarms = Extract<LiveEvent, { type: 'alarms' }>;
export type LiveNotification = Extract<LiveEvent, { type: 'notification' }>;
