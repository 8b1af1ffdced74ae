/** The messages of the bridge (bridge.ts), as the main process checks them. */

import { z } from 'zod';
import { MAX_SAVED_TEXT, THEMES } from './bridge.ts';

/** An address on the web: `https` only, without a user name or password in it. */
const ExternalLink = z
  .url({ protocol: /^https$/ })
  .max(2048)
  .regex(/^https:\/\/[^/?#@\\\s]+([/?#][^\s]*)?$/, 'only https links are opened');

/** A suggested name: no folders, nothing that is hidden or special. The person chooses where it goes. */
const FileName = z
  .string()
  .min(1)
  .max(200)
  // oxlint-disable-next-line no-control-regex -- these are what must not be in a file name
  .regex(/^[^/\\:*?"<>|\u0000-\u001f.][^/\\:*?"<>|\u0000-\u001f]*$/, 'a plain file name');

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

const SetTheme = z.strictObject({ call: z.literal('setTheme'), theme: z.enum(THEMES) });

/** Every message that the main process takes from a page. */
export const BridgeMessage = z.discriminatedUnion('call', [OpenExternal, SaveFile, Notify, SetTheme]);
export type BridgeMessage = z.infer<typeof BridgeMessage>;
