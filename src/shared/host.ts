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
