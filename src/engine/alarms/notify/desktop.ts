/** Notifications of the desktop: shown by a page of this engine, in a browser or in the desktop program. */

import type { LiveNotification } from '../../../shared/api/live.ts';
import { plainText, worst } from '../templates.ts';
import { SendError, type ChannelType, type Message } from './channel.ts';
import type { Pages } from './pages.ts';

/** Alarms whose text is shown: more is not read. */
const MOST = 5;
const MAX_IDS = 100;

export function notificationOf(message: Message): LiveNotification {
  const { id, time, kind, alarms } = message;
  return {
    type: 'notification',
    ...{ id, time, kind, title: message.title },
    severity: worst(alarms),
    text: plainText(message, { most: MOST, links: false }).slice(0, 1000),
    alarms: alarms.slice(0, MAX_IDS).map((alarm) => alarm.id),
  };
}

export const desktopType = (pages: Pages): ChannelType<'desktop'> => ({
  kind: 'desktop',
  secrets: [],
  most: MAX_IDS,
  keep: 600_000,
  place: () => '',
  check: () => null,
  open: () => ({
    async send(message) {
      const { open } = pages;
      if (open === 0) throw new SendError('no console is open that may show notifications');
      pages.show(notificationOf(message));
      return `shown by ${open} open console${open === 1 ? '' : 's'}`;
    },
  }),
});
