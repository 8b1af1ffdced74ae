/** Prometheus' Alertmanager, over its API v2, told in the way that a Prometheus tells it. */

import { oneLine } from '../../../shared/alarms/template.ts';
import { SendError, type ChannelType, type MessageAlarm, type SettingsOf, type ToldAlarm } from './channel.ts';
import { checkUrl, post } from './post.ts';

const MOST = 10_000;
/** Alarms in one request. */
const BATCH = 500;
/** Without a word from us for so long it takes an alarm for over, ms: as when the engine is gone. */
const LASTS = 300_000;

const text = (value: string): string => oneLine(value, 4096);

/** Names that it takes; what Prometheus could not have written becomes `_`. */
const labelName = (name: string): string => {
  const clean = name.replaceAll(/[^a-zA-Z0-9_]/g, '_').slice(0, 128);
  return /^[0-9]/.test(clean) || clean === '' ? `_${clean}` : clean;
};

/** What one alarm is known by there: our alarm's labels, `alertname`, and the metric's family where a rule may watch several. */
function labelsOf({ labels, name, metric }: ToldAlarm): Record<string, string> {
  const family = metric.split('{', 1)[0]!;
  const all = [...Object.entries(labels), ['alertname', name] as const];
  if (family !== '' && !Object.hasOwn(labels, 'metric')) all.push(['metric', family]);
  return Object.fromEntries(
    all.map(([key, value]) => [labelName(key), text(value)] as const).filter(([, value]) => value !== ''),
  );
}

export function alertOf(alarm: ToldAlarm & Partial<MessageAlarm>, now: number): object {
  const { value, place, description, link, fired, ended } = alarm;
  const over = alarm.status === 'resolved';
  const ends = over ? (ended ?? now) : now + LASTS;
  return {
    labels: labelsOf(alarm),
    annotations: Object.fromEntries(
      Object.entries({
        place: text(place),
        metric: text(alarm.metric),
        value: value === null ? '' : String(value),
        threshold: String(alarm.threshold),
        description: text(description),
      }).filter(([, it]) => it !== ''),
    ),
    startsAt: new Date(Math.min(fired, ends)).toISOString(),
    endsAt: new Date(ends).toISOString(),
    ...(link === '' ? {} : { generatorURL: new URL(link).href }),
  };
}

type Settings = SettingsOf<'alertmanager'>;

const hasSecret = ({ password, bearer }: Settings): boolean => (password ?? '') !== '' || (bearer ?? '') !== '';

function authorization({ username, password = '', bearer = '' }: Settings): Record<string, string> {
  if (bearer !== '') return { authorization: `Bearer ${bearer}` };
  if (username === '') return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}` };
}

export const alertmanagerType: ChannelType<'alertmanager'> = {
  kind: 'alertmanager',
  secrets: ['password', 'bearer'],
  most: MOST,
  reminds: true,
  keep: 86_400_000,
  place: ({ url }) => new URL(url).origin,
  check(settings, policy) {
    const url = checkUrl(settings.url, hasSecret(settings), policy);
    if (url !== null) return `url: ${url}`;
    if (/[^\u0021-\u007e]/.test(settings.bearer ?? '')) return 'bearer: expected one word of printable ASCII';
    return settings.username.includes(':') ? 'username: no colon' : null;
  },
  open(settings, context) {
    const url = new URL(settings.url.replace(/\/*$/, '/api/v2/alerts'));
    const headers = authorization(settings);
    const { password = '', bearer = '' } = settings;
    const secrets = [password, bearer, headers['authorization']?.split(' ')[1] ?? ''];
    const tell = async (
      alarms: readonly (ToldAlarm & Partial<MessageAlarm>)[],
      id: string | null,
      signal: AbortSignal,
    ) => {
      let answer = '';
      for (let i = 0; i < alarms.length; i += BATCH) {
        if (signal.aborted) throw new SendError('given up');
        const now = context.now();
        const body = JSON.stringify(alarms.slice(i, i + BATCH).map((alarm) => alertOf(alarm, now)));
        const all = id === null ? headers : { ...headers, 'x-vigie-delivery': id };
        answer = await post({ url, headers: all, body, secrets }, context, signal);
      }
      return answer;
    };
    return {
      send: ({ alarms, id }, signal) => tell(alarms, id, signal),
      async refresh(firing, signal) {
        await tell(firing, null, signal);
      },
    };
  },
};
