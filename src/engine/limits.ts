/**
 * What the engine takes at most. Everything that somebody outside can make grow has a limit here; what is above it is
 * refused with a reason and counted, and whatever is there already goes on.
 */

import { z } from 'zod';
import { Duration } from '../shared/duration.ts';
import { MAX_LABELS, MAX_METRIC_NAME } from '../shared/model/metric.ts';
import { Size } from '../shared/size.ts';
import { MAX_SERIES_PER_SCOPE } from './live/scope.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MINUTE = 60_000;

const count = (least: number, most: number): z.ZodType<number, number | string> =>
  z
    .union([z.number(), z.string().regex(/^\d+$/, 'expected a number').transform(Number)])
    .pipe(z.number().int().min(least).max(most));
const size = (least: number, most: number): z.ZodType<number, number | string> =>
  Size.pipe(z.number().min(least).max(most));
/** A timer cannot wait for longer than 24 days. */
const time = Duration.pipe(z.number().min(100).max(86_400_000));

/** Series of all runs and the node together: a setting of its own, since it is the one people change. */
export const MaxSeries = count(1, 100_000_000);
export const DEFAULT_MAX_SERIES = 2_000_000;

/** The mapping `limits:` of the configuration file. */
export const LimitSettings = z.strictObject({
  /** Series of one run. */
  series_per_run: count(1, MAX_SERIES_PER_SCOPE).default(20_000),
  /** Series of the node up to which clients without a job may add some; the sources are not asked. */
  series_per_node: count(1, MAX_SERIES_PER_SCOPE).default(50_000),
  /** Ranks' own values: (rank, series) pairs, of connected clients and of ended ranks kept for profiles. */
  rank_values: count(1, 1_000_000_000).default(10_000_000),
  /** Runs open at once. */
  runs: count(1, 1_000_000).default(10_000),
  /** Longest metric name, in UTF-16 code units. */
  name_length: count(16, MAX_METRIC_NAME).default(MAX_METRIC_NAME),
  /** Labels of a metric. */
  labels: count(0, MAX_LABELS).default(MAX_LABELS),
  /** One message of a client. */
  message_size: size(4 * KIB, 64 * MIB).default(MIB),
  /** Messages whose end has not come yet, of all clients together. */
  unfinished_messages: size(4 * KIB, 16 * GIB).default(64 * MIB),
  /** Connections to the engine's and the legacy socket. */
  connections: count(1, 1_000_000).default(16_384),
  /** Connections to the address of --listen. */
  http_connections: count(1, 1_000_000).default(4096),
  /** Requests per second of one address, those that are let in and others counted apart; a burst has twice as many. */
  requests_per_second: count(1, 1_000_000).default(1000),
  request_body: size(KIB, GIB).default(MIB),
  response_size: size(64 * KIB, 512 * MIB).default(128 * MIB),
  /** Answers that readers have not taken yet, all together. */
  unread_responses: size(64 * KIB, 16 * GIB).default(512 * MIB),
  /** A connection that has never said anything is closed. */
  first_message: time.default(2 * MINUTE),
  /** A request must have arrived within this time. */
  request_time: time.default(30_000),
  /** An answer must have been taken within this time. */
  response_time: time.default(2 * MINUTE),
  /** A connection between two requests. */
  keep_alive: time.default(65_000),
  /** Resident memory above which no new series and runs are taken. */
  memory: size(64 * MIB, 1024 * GIB).default(2 * GIB),
});
export type Limits = Readonly<z.output<typeof LimitSettings>>;

export const DEFAULT_LIMITS: Limits = LimitSettings.parse({});
