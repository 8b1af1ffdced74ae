/** What the desktop's main process and the process with the engine say to each other. */

import { z } from 'zod';

/** An engine that runs already and that a window could show. */
export const RunningEngine = z.object({
  /** `http://` and an address of this machine. */
  url: z.string().regex(/^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/, 'an address of this machine'),
  token: z.string().min(1),
  pid: z.number().int().positive(),
  host: z.string(),
});
export type RunningEngine = z.infer<typeof RunningEngine>;

/** Most secrets that are kept, and most characters of one. */
export const MAX_SECRETS = 2000;
export const MAX_SECRET = 16_384;

/** Of a connection and what it asks; says nothing to others. */
const SecretName = z.string().regex(/^[\w-]{1,64}\/[0-9a-f]{32}$/);

/**
 * What the engine asks of the desktop's keyring, over the channel between their processes: no page, no file, no argument
 * and no environment has a part in it. `id` comes back with the answer.
 */
export const KeyringAsk = z.discriminatedUnion('ask', [
  /** Whether it can keep anything; this may open it. */
  z.strictObject({ type: z.literal('keyring'), id: z.number(), ask: z.literal('problem') }),
  z.strictObject({ type: z.literal('keyring'), id: z.number(), ask: z.literal('names') }),
  z.strictObject({ type: z.literal('keyring'), id: z.number(), ask: z.literal('get'), name: SecretName }),
  z.strictObject({
    ...{ type: z.literal('keyring'), id: z.number(), ask: z.literal('put'), name: SecretName },
    secret: z.string().min(1).max(MAX_SECRET),
  }),
  z.strictObject({
    ...{ type: z.literal('keyring'), id: z.number(), ask: z.literal('forget') },
    names: z.array(SecretName).max(MAX_SECRETS),
  }),
]);
export type KeyringAsk = z.infer<typeof KeyringAsk>;

/** `problem`: why it was not done, in words; null: it was. */
export const KeyringAnswer = z.strictObject({
  type: z.literal('keyring'),
  id: z.number(),
  problem: z.string().nullable(),
  names: z.array(SecretName).max(MAX_SECRETS).default([]),
  secret: z.string().max(MAX_SECRET).nullable().default(null),
});
export type KeyringAnswer = z.infer<typeof KeyringAnswer>;

export const ToEngine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    /** Settings as on the command line; checked by the engine as those are. */
    settings: z.record(z.string(), z.unknown()),
    /** Path of the configuration file. */
    config: z.string().nullable(),
    /** The port that an earlier start had, so that the page finds the engine again; another one is taken if it is gone. */
    port: z.number().int().min(1).max(65_535).nullable(),
  }),
  z.object({ type: z.literal('stop') }),
  KeyringAnswer,
]);
export type ToEngine = z.infer<typeof ToEngine>;

export const FromEngine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    engine: RunningEngine,
    socket: z.string(),
    data: z.string().nullable(),
  }),
  z.object({
    type: z.literal('failed'),
    /** What kind of failure, such as `store_locked` or `in_use`. */
    code: z.string(),
    message: z.string(),
    /** The engine that is in the way, when it can be shown instead. */
    running: RunningEngine.nullable(),
  }),
]);
export type FromEngine = z.infer<typeof FromEngine>;
/** Why an engine did not start. */
export type StartFailure = Extract<FromEngine, { type: 'failed' }>;
