/** What the form of a channel says, as text in fields, and what the engine is sent for it. */

import { NewChannel } from '../../../../shared/api/channels.ts';
import type { Channel, ChannelKind, ChannelSettingsInput, NewChannelInput } from '../../../../shared/api/channels.ts';
import { CHANNEL_NAMES } from '../words.ts';

export interface ChannelForm {
  readonly kind: ChannelKind;
  readonly name: string;
  readonly perMinute: string;
  readonly host: string;
  readonly port: string;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly caFile: string;
  readonly username: string;
  readonly from: string;
  /** Addresses, separated by blanks, commas or lines. */
  readonly to: string;
  readonly url: string;
  readonly body: string;
  /** A line each: `Name: value`. */
  readonly headers: string;
  /** Of Slack and Mattermost. */
  readonly room: string;
  /** Secrets: empty stays as it was, unless it is among `cleared`. */
  readonly password: string;
  readonly hmacKey: string;
  readonly bearer: string;
  readonly secretUrl: string;
  readonly cleared: readonly Secret[];
}

export const SECRETS = ['password', 'hmac_key', 'bearer', 'url'] as const;
export type Secret = (typeof SECRETS)[number];
export type ChannelField = Exclude<keyof ChannelForm, 'cleared' | 'kind'>;

export const emptyChannel = (kind: ChannelKind): ChannelForm => ({
  kind,
  name: '',
  perMinute: '10',
  host: '',
  port: '587',
  security: 'starttls',
  caFile: '',
  username: '',
  from: '',
  to: '',
  url: '',
  body: '',
  headers: '',
  room: '',
  password: '',
  hmacKey: '',
  bearer: '',
  secretUrl: '',
  cleared: [],
});

export function formOf(channel: Channel): ChannelForm {
  const { settings } = channel;
  const text = (name: string): string => {
    const value = settings[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const headers = settings['headers'];
  const lines = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  const to = settings['to'];
  const security = text('security');
  return {
    ...emptyChannel(channel.kind),
    name: channel.name,
    perMinute: String(channel.per_minute),
    host: text('host'),
    port: text('port') || '587',
    security: security === 'tls' || security === 'none' ? security : 'starttls',
    caFile: text('ca_file'),
    username: text('username'),
    from: text('from'),
    to: Array.isArray(to) ? to.join('\n') : '',
    // Slack's address is its secret, and not in answers.
    url: channel.kind === 'slack' ? '' : text('url'),
    body: text('body'),
    headers: lines.map(([name, value]) => `${name}: ${String(value)}`).join('\n'),
    room: text('channel'),
  };
}

/** Usual ports of each way to speak to a mail server. */
export const MAIL_PORTS = { starttls: '587', tls: '465', none: '25' } as const;

/** A secret to be sent: what was typed, empty to remove it, absent to keep it. */
function secret(form: ChannelForm, name: Secret, typed: string): Partial<Record<Secret, string>> {
  if (typed !== '') return { [name]: typed };
  return form.cleared.includes(name) ? { [name]: '' } : {};
}

function headersOf(text: string, errors: Errors): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf(':');
    if (at <= 0) errors.headers ??= `“${line}” is not Name: value`;
    else headers[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return headers;
}

export const addressesOf = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

type Errors = Partial<Record<ChannelField, string>>;

function settingsOf(form: ChannelForm, errors: Errors): ChannelSettingsInput {
  const password = secret(form, 'password', form.password);
  const bearer = secret(form, 'bearer', form.bearer);
  switch (form.kind) {
    case 'desktop':
      return { kind: 'desktop' };
    case 'email':
      return {
        kind: 'email',
        host: form.host.trim(),
        port: Number(form.port),
        security: form.security,
        ca_file: form.caFile.trim(),
        username: form.username.trim(),
        from: form.from.trim(),
        to: addressesOf(form.to),
        ...password,
      };
    case 'webhook':
      return {
        kind: 'webhook',
        url: form.url.trim(),
        body: form.body,
        headers: headersOf(form.headers, errors),
        ...secret(form, 'hmac_key', form.hmacKey),
        ...bearer,
      };
    case 'slack':
      return { kind: 'slack', channel: form.room.trim(), ...secret(form, 'url', form.secretUrl.trim()) };
    case 'alertmanager':
      return { kind: 'alertmanager', url: form.url.trim(), username: form.username.trim(), ...password, ...bearer };
  }
}

const FIELDS: Readonly<Record<string, ChannelField>> = {
  per_minute: 'perMinute',
  ca_file: 'caFile',
  hmac_key: 'hmacKey',
  channel: 'room',
};

function fieldOf(path: readonly PropertyKey[], kind: ChannelKind): ChannelField {
  const [first, second] = path[0] === 'settings' ? path.slice(1) : path;
  const name = String(first ?? second ?? 'name');
  if (name === 'url' && kind === 'slack') return 'secretUrl';
  return FIELDS[name] ?? (name in emptyChannel(kind) ? (name as ChannelField) : 'name');
}

/** Fields that a kind cannot do without: while they are empty they are missing, not wrong. */
const NEEDED: Readonly<Record<ChannelKind, readonly ChannelField[]>> = {
  desktop: [],
  email: ['host', 'from', 'to'],
  webhook: ['url'],
  slack: ['secretUrl'],
  alertmanager: ['url'],
};

const WORDS: Partial<Record<ChannelField, string>> = {
  url: 'an address such as https://example.org/hook',
  from: 'an e-mail address',
  to: 'e-mail addresses, one a line',
  port: 'a port from 1 to 65535',
  perMinute: 'a whole number from 1 to 600',
};

export interface ReadChannel {
  /** Null while a field is wrong or missing. */
  readonly request: NewChannelInput | null;
  readonly errors: Errors;
}

/** @param before The channel that is changed: its secrets need not be typed again. */
export function readChannel(form: ChannelForm, before: Channel | null): ReadChannel {
  const errors: Errors = {};
  const request = {
    name: form.name.trim() || CHANNEL_NAMES[form.kind],
    enabled: before?.enabled ?? true,
    per_minute: Number(form.perMinute),
    settings: settingsOf(form, errors),
  };
  const parsed = NewChannel.safeParse(request);
  const missing = NEEDED[form.kind].filter(
    (field) =>
      form[field] === '' && !(field === 'secretUrl' && before?.secrets.includes('url') && form.cleared.length === 0),
  );
  for (const { path, message } of parsed.error?.issues ?? []) {
    const field = fieldOf(path, form.kind);
    if (!missing.includes(field)) errors[field] ??= WORDS[field] ?? message;
  }
  if (form.secretUrl !== '' && !/^https?:\/\/\S+$/.test(form.secretUrl.trim())) errors.secretUrl = WORDS.url!;
  const good = parsed.success && missing.length === 0 && Object.keys(errors).length === 0;
  return { request: good ? request : null, errors };
}
