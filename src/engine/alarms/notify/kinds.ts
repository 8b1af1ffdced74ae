/** Every kind of channel: a line here and a file. Each is loaded when somebody uses it. */

import type { ChannelKind } from '../../../shared/api/channels.ts';
import type { ChannelType } from './channel.ts';
import type { Pages } from './pages.ts';

type Kinds = { readonly [K in ChannelKind]: (pages: Pages) => Promise<ChannelType<K>> };

const KINDS: Kinds = {
  desktop: async (pages) => (await import('./desktop.ts')).desktopType(pages),
  email: async () => (await import('./email.ts')).emailType,
  webhook: async () => (await import('./webhook.ts')).webhookType,
  slack: async () => (await import('./slack.ts')).slackType,
  alertmanager: async () => (await import('./alertmanager.ts')).alertmanagerType,
};

/** A kind's settings are its own: whoever has settings has looked at their kind. */
export const loadKind = async (kind: ChannelKind, pages: Pages): Promise<ChannelType> =>
  (await KINDS[kind](pages)) as unknown as ChannelType;
