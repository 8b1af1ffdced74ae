/** Incoming webhooks of Slack, and of Mattermost, which takes the same form. */

import { oneLine } from '../../../shared/alarms/template.ts';
import { plainText, worst } from '../templates.ts';
import type { ChannelType, Message } from './channel.ts';
import { checkUrl, post } from './post.ts';

const MOST = 20;
const MAX_LINKS = 3;
const COLOURS = { info: '#2f6fb3', warning: '#d9822b', critical: '#c23030', resolved: '#2e8540' } as const;

/**
 * Text of strangers between backticks, where both programs show what is there: no bold, links or pictures, and nobody is
 * called (`<!channel>`, `@all`). An @ gets an invisible character behind it, since some clients look for it there, too.
 */
function literal(text: string): string {
  return text
    .replaceAll('`', '\u2019')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b');
}

/** A link that cannot end its own brackets. */
const linked = (link: string): string =>
  `<${link.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E')}>`;

export function slackBody(message: Message, channel: string): string {
  const { alarms, firing } = message;
  const links = [...new Set(alarms.flatMap(({ link }) => (link === '' ? [] : [new URL(link).href])))].slice(
    0,
    MAX_LINKS,
  );
  const block = `\`\`\`\n${literal(plainText(message, { most: MOST, links: false }))}\n\`\`\``;
  const text = [block, ...links.map(linked)].join('\n');
  return JSON.stringify({
    ...(channel === '' ? {} : { channel }),
    text: `\`${literal(message.title)}\``,
    attachments: [
      {
        color: firing === 0 ? COLOURS.resolved : COLOURS[worst(alarms.filter(({ status }) => status !== 'resolved'))],
        fallback: literal(message.title),
        text,
        mrkdwn_in: ['text'],
      },
    ],
  });
}

export const slackType: ChannelType<'slack'> = {
  kind: 'slack',
  secrets: ['url'],
  most: MOST,
  keep: 86_400_000,
  // The address itself is the secret, and is not sent elsewhere.
  place: () => '',
  check({ url, channel }, policy) {
    if ((url ?? '') === '') return 'url: the address of the incoming webhook is missing';
    const refused = checkUrl(url!, true, policy);
    if (refused !== null) return `url: ${refused}`;
    return channel === oneLine(channel) ? null : 'channel: no control characters';
  },
  open({ url = '', channel }, context) {
    const { pathname, search, host } = new URL(url);
    return {
      send: (message, signal) =>
        post(
          {
            ...{ url: new URL(url), headers: {}, body: slackBody(message, channel), place: host },
            // An answer may say the path, which is what must not be known.
            secrets: [url, `${pathname}${search}`, ...(pathname.length > 1 ? [pathname] : [])],
          },
          context,
          signal,
        ),
    };
  },
};
