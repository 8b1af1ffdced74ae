/** The messages of the bridge (bridge.ts), as the main process checks them. */

import { z } from 'zod';
import { MAX_BADGE, MAX_SAVED_TEXT, THEMES } from './bridge.ts';

/**
 * An address on the web: `https` only, without a user name or password in it. What comes out is as browsers write it, so
 * that the person is asked about what is opened: other scripts' letters in a host are `xn--`, nothing turns text around.
 */
export const ExternalLink = z
  .string()
  .max(2048)
  .regex(/^https:\/\/[^/?#@\\\s]+([/?#][^\s]*)?$/, 'only https links are opened')
  .pipe(z.url({ protocol: /^https$/, normalize: true }));

/**
 * A suggested name: no folders, nothing hidden or special, no invisible characters (they can make `exe.txt` of a name that
 * ends with `.exe`), no end that Windows drops. The person chooses where it goes.
 */
export const FileName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^/\\:*?"<>|\p{C}\p{Z}.]([^/\\:*?"<>|\p{C}\p{Zl}\p{Zp}]*[^/\\:*?"<>|\p{C}\p{Z}.])?$/u, 'a plain file name');

const SaveFile = z.strictObject({
  call: z.literal('saveFile'),
  name: FileName,
  text: z.string().max(MAX_SAVED_TEXT),
});

const Notify = z.strictObject({
  call: z.literal('notify'),
  title: z.string().min(1).max(200),
  body: z.string().max(1000),
});

const OpenExternal = z.strictObject({ call: z.literal('openExternal'), url: ExternalLink });

const Badge = z.strictObject({ call: z.literal('badge'), count: z.number().int().min(0).max(MAX_BADGE) });

const SetTheme = z.strictObject({ call: z.literal('setTheme'), theme: z.enum(THEMES) });

/** Every message that the main process takes from a page. */
export const BridgeMessage = z.discriminatedUnion('call', [OpenExternal, SaveFile, Notify, Badge, SetTheme]);
export type BridgeMessage = z.infer<typeof BridgeMessage>;
