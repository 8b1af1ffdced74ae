/** JSON to any address, in our form or in one that a person writes, signed if there is a key. */

import { createHmac } from 'node:crypto';
import { fillTemplate, templateValue } from '../../../shared/alarms/template.ts';
import { plainText } from '../templates.ts';
import type { ChannelType, Message, MessageAlarm, SettingsOf } from './channel.ts';
import { checkUrl, post } from './post.ts';

const MOST = 1000;
/** These are made here. */
const OWN_HEADERS =
  /^(authorization|connection|content-.*|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|user-agent|x-vigie-.*)$/i;
const MAX_DEPTH = 20;

/** An alarm as the default form has it. */
const alarmOf = ({ status, ...alarm }: MessageAlarm): object => ({
  status: status === 'resolved' ? 'resolved' : 'firing',
  fresh: status === 'fresh',
  ...alarm,
});

const defaultForm = (message: Message): object => ({
  version: 1,
  ...{ id: message.id, kind: message.kind, time: message.time, engine: message.engine, title: message.title },
  group: message.group,
  ...{ firing: message.firing, resolved: message.resolved },
  /** Alarms that are counted and not listed. */
  left_out: message.firing + message.resolved - message.alarms.length,
  alarms: message.alarms.map(alarmOf),
});

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What the texts of a form may name: of the message, else of its first alarm. */
const PARTS: Readonly<Record<string, (message: Message) => string>> = {
  id: ({ id }) => id,
  kind: ({ kind }) => kind,
  title: ({ title }) => title,
  engine: ({ engine }) => engine,
  status: ({ firing }) => (firing > 0 ? 'firing' : 'resolved'),
  firing: ({ firing }) => String(firing),
  resolved: ({ resolved }) => String(resolved),
  time: ({ time }) => new Date(time).toISOString(),
  description: ({ alarms }) => alarms[0]?.description ?? '',
  link: ({ alarms }) => alarms[0]?.link ?? '',
};

/** A text that is nothing but one of these becomes what it names, and not a text. */
const WHOLE: Readonly<Record<string, (message: Message) => Json>> = {
  '{{alarms}}': ({ alarms }) => alarms.map(alarmOf) as Json[],
  '{{firing}}': ({ firing }) => firing,
  '{{resolved}}': ({ resolved }) => resolved,
  '{{value}}': ({ alarms }) => alarms[0]?.value ?? null,
  '{{threshold}}': ({ alarms }) => alarms[0]?.threshold ?? null,
  '{{text}}': (message) => plainText(message, { most: 50, links: true }),
};

function lookup(name: string, message: Message): string | undefined {
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (part) return part(message);
  if (name === 'text') return plainText(message, { most: 50, links: true });
  const [alarm] = message.alarms;
  return alarm ? templateValue(name, alarm) : undefined;
}

/** Texts are filled in after the form was read as JSON: nothing that is filled in can change its structure. */
function filled(form: Json, message: Message, depth = 0): Json {
  if (depth > MAX_DEPTH) return null;
  if (typeof form === 'string') {
    const whole = Object.hasOwn(WHOLE, form.trim()) ? WHOLE[form.trim()] : undefined;
    return whole ? whole(message) : fillTemplate(form, (name) => lookup(name, message));
  }
  if (Array.isArray(form)) return form.map((item) => filled(item, message, depth + 1));
  if (typeof form !== 'object' || form === null) return form;
  return Object.fromEntries(Object.entries(form).map(([key, item]) => [key, filled(item, message, depth + 1)]));
}

export function webhookBody(form: string, message: Message): string {
  return JSON.stringify(form.trim() === '' ? defaultForm(message) : filled(JSON.parse(form) as Json, message));
}

/** Why a form cannot be used, in words; null: it can. */
export function checkForm(form: string): string | null {
  if (form.trim() === '') return null;
  try {
    const value: unknown = JSON.parse(form);
    if (typeof value !== 'object' || value === null) return 'body: it must be a JSON object or list';
    return depthOf(value) > MAX_DEPTH ? `body: it is nested more than ${MAX_DEPTH} times` : null;
  } catch (error) {
    return `body: it is not JSON: ${(error as Error).message.slice(0, 200)}`;
  }
}

/** Looks no deeper than it has to. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return depth;
  return Math.max(depth, ...Object.values(value).map((item) => depthOf(item, depth + 1)));
}

/** `sha256=HEX` over exactly the bytes of the body. */
export const signatureOf = (body: string, key: string): string =>
  `sha256=${createHmac('sha256', key).update(body, 'utf8').digest('hex')}`;

const hasSecret = ({ bearer }: SettingsOf<'webhook'>): boolean => (bearer ?? '') !== '';

export const webhookType: ChannelType<'webhook'> = {
  kind: 'webhook',
  secrets: ['hmac_key', 'bearer'],
  most: MOST,
  keep: 86_400_000,
  place: ({ url }) => new URL(url).origin,
  check(settings, policy) {
    const url = checkUrl(settings.url, hasSecret(settings), policy);
    if (url !== null) return `url: ${url}`;
    for (const [name, value] of Object.entries(settings.headers)) {
      if (OWN_HEADERS.test(name)) return `headers: ${name} is a header that Vigie sets itself`;
      if (!/^[\t\u0020-\u007e]*$/.test(value)) return `headers: ${name}: expected printable ASCII`;
    }
    if (/[^\u0021-\u007e]/.test(settings.bearer ?? '')) return 'bearer: expected one word of printable ASCII';
    return checkForm(settings.body);
  },
  open({ url, body: form, headers, hmac_key: key = '', bearer = '' }, context) {
    return {
      send(message, signal) {
        const body = webhookBody(form, message);
        const all = {
          ...headers,
          'x-vigie-delivery': message.id,
          ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
          ...(key === '' ? {} : { 'x-vigie-signature': signatureOf(body, key) }),
        };
        return post({ url: new URL(url), headers: all, body, secrets: [key, bearer] }, context, signal);
      },
    };
  },
};
