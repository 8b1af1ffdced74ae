import { describe, expect, test } from 'vitest';
import { NewChannel, Route } from '../../../../src/shared/api/channels.ts';
import { RuleSettings } from '../../../../src/shared/api/alarms.ts';
import { SilenceSettings } from '../../../../src/shared/api/silences.ts';
import {
  emptyChannel,
  formOf as channelForm,
  readChannel,
} from '../../../../src/renderer/views/alarms/channels/form.ts';
import {
  EMPTY_ROUTE,
  howText,
  readRoute,
  routeForm,
  routesWith,
  toInput,
  whichText,
} from '../../../../src/renderer/views/alarms/channels/routes.ts';
import { selectRules, settingsOf } from '../../../../src/renderer/views/alarms/rules/settings.ts';
import {
  emptyForm,
  formOf,
  localText,
  localTime,
  readSilence,
  recurringText,
} from '../../../../src/renderer/views/alarms/silences/form.ts';
import {
  channelPlace,
  eventText,
  spanText,
  thresholdText,
  valueText,
} from '../../../../src/renderer/views/alarms/words.ts';
import { alarmOf, channelOf, eventOf, ruleOf, silenceOf } from './alarmFixture.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const rack = { label: 'rack', op: '=', value: 'r12' } as const;

describe('words', () => {
  test('a value has the unit that its measure gives it', () => {
    expect(valueText('disk_free_bytes{device="sda"}', 2048, 'value')).toBe('2 KiB');
    expect(valueText('disk_read_bytes_total', 2048, 'rate')).toBe('2 KiB/s');
    expect(valueText('disk_free_bytes', 0.5, 'ratio')).toBe('0.5');
    expect(valueText('disk_free_bytes', 2048, null)).toBe('2048');
    expect(valueText('m', null, 'value')).toBe('–');
  });

  test('a threshold says how it is compared; where nothing is, there is none', () => {
    expect(thresholdText(alarmOf({ metric: 'x_bytes', threshold: 1024 }), ruleOf({ op: '<=' }))).toBe('<= 1 KiB');
    expect(thresholdText(alarmOf(), ruleOf({ measure: { kind: 'absent', after: '1m' } }))).toBeNull();
    expect(thresholdText(alarmOf({ threshold: 3 }), undefined)).toBe('3');
  });

  test.each([
    [0, '0 s'],
    [99_000, '99 s'],
    [120_000, '2 min'],
    [HOUR, '1 h'],
    [HOUR + 20 * 60_000, '1 h 20 min'],
    [52 * HOUR, '2 d 4 h'],
    [48 * HOUR, '2 d'],
    [-1, '–'],
  ])('%d ms last %s', (ms, text) => expect(spanText(ms)).toBe(text));

  test('events', () => {
    expect(eventText(eventOf({ state: 'no_data' }))).toBe('no data');
    expect(eventText(eventOf({ kind: 'acknowledged', note: 'ada' }))).toBe('acknowledged by ada');
    expect(eventText(eventOf({ kind: 'failed', note: 'connection refused' }))).toBe(
      'could not be told: connection refused',
    );
  });

  test('where a channel leads, and nothing of it for those who may not know', () => {
    expect(channelPlace('email', { to: ['a@b.c', 'd@e.f'], host: 'smtp' })).toBe('a@b.c, d@e.f through smtp');
    expect(channelPlace('email', { kind: 'email' })).toBe('');
    expect(channelPlace('slack', { channel: '#ops' })).toBe('#ops');
    expect(channelPlace('webhook', { kind: 'webhook' })).toBe('');
  });
});

describe('the form of a silence', () => {
  test('begins ready for an hour from now, once it says what', () => {
    expect(readSilence(emptyForm([]), NOW)).toEqual({ request: null, errors: {} });
    const { request } = readSilence(emptyForm([rack]), NOW);
    expect(request).toEqual({ matchers: [rack], from: NOW, to: NOW + HOUR, recurring: null, comment: '' });
    expect(SilenceSettings.safeParse(request).success).toBe(true);
  });

  test.each([
    [{ lasts: 'soon' }, 'lasts', /duration/],
    [{ until: 'nonsense' }, 'until', /no date/],
    [{ until: localText(NOW - HOUR) }, 'until', /over already/],
    [{ from: localText(NOW + 4 * HOUR), until: localText(NOW + HOUR) }, 'until', /end after it begins/],
    [{ again: true, days: [] }, 'days', /./],
    [{ again: true, time: '25:00' }, 'time', /time of day/],
    [{ again: true, window: '9d' }, 'window', /at most 7 days/],
  ] as const)('%j is wrong in %s', (change, field, words) => {
    const { request, errors } = readSilence({ ...emptyForm([rack]), ...change }, NOW);
    expect(request).toBeNull();
    expect(errors[field]).toMatch(words);
  });

  test('one that comes back needs no end', () => {
    const { request } = readSilence({ ...emptyForm([rack]), again: true }, NOW);
    expect(request).toMatchObject({ to: null, recurring: { days: [1, 2, 3, 4, 5], from: '22:00', lasts: '8h' } });
  });

  test('what is changed of one leaves its times as they are, to the millisecond', () => {
    const silence = silenceOf({ from: NOW - 1234, to: NOW + 777_777 });
    const { request } = readSilence({ ...formOf(silence), comment: 'why' }, NOW, silence);
    expect(request).toMatchObject({ from: NOW - 1234, to: NOW + 777_777, comment: 'why' });
  });

  test('times are local and come back to the minute', () => {
    const minute = Math.floor(NOW / 60_000) * 60_000;
    expect(localTime(localText(NOW))).toBe(minute);
    expect(localTime('')).toBeNull();
  });

  test.each([
    [[1, 2, 3, 4, 5], 'Mon–Fri from 22:00 for 8h'],
    [[0, 6], 'Sat, Sun from 22:00 for 8h'],
    [[5, 6, 0], 'Fri–Sun from 22:00 for 8h'],
    [[1, 3, 5], 'Mon, Wed, Fri from 22:00 for 8h'],
    [[0, 1, 2, 3, 4, 5, 6], 'every day from 22:00 for 8h'],
  ])('%j: %s', (days, text) => expect(recurringText({ days, from: '22:00', lasts: '8h' })).toBe(text));
});

describe('the form of a channel', () => {
  test('what is missing is not wrong yet, and nothing is sent', () => {
    for (const kind of ['email', 'webhook', 'slack', 'alertmanager'] as const) {
      expect(readChannel(emptyChannel(kind), null), kind).toEqual({ request: null, errors: {} });
    }
    expect(readChannel(emptyChannel('desktop'), null).request).toMatchObject({ name: 'Desktop notification' });
  });

  test.each([
    ['webhook', { url: 'ftp://x' }, 'url'],
    ['webhook', { url: 'https://x.org', headers: 'nonsense' }, 'headers'],
    ['webhook', { url: 'https://x.org', perMinute: '0' }, 'perMinute'],
    ['slack', { secretUrl: 'nonsense' }, 'secretUrl'],
    ['email', { host: 'smtp', from: 'nobody', to: 'a@b.org' }, 'from'],
    ['email', { host: 'smtp', from: 'a@b.org', to: 'a@b.org, x' }, 'to'],
    ['email', { host: 'smtp', from: 'a@b.org', to: 'a@b.org', port: '70000' }, 'port'],
  ] as const)('%s with %j is wrong in %s', (kind, change, field) => {
    const { request, errors } = readChannel({ ...emptyChannel(kind), ...change }, null);
    expect(request).toBeNull();
    expect(Object.keys(errors)).toEqual([field]);
  });

  test('an e-mail channel', () => {
    const form = { ...emptyChannel('email'), name: ' Ops ', host: 'smtp', from: 'v@x.org', to: 'a@x.org\nb@x.org' };
    const { request } = readChannel({ ...form, password: 'secret' }, null);
    expect(NewChannel.parse(request)).toMatchObject({
      name: 'Ops',
      settings: { kind: 'email', to: ['a@x.org', 'b@x.org'], port: 587, security: 'starttls', password: 'secret' },
    });
  });

  test('secrets that are set stay unless another is typed or they are removed', () => {
    const channel = channelOf();
    const form = channelForm(channel);
    const settings = (change: object) => readChannel({ ...form, ...change }, channel).request?.settings;
    expect(form.headers).toBe('X-Team: ops');
    expect(settings({})).not.toHaveProperty('hmac_key');
    expect(settings({ hmacKey: 'new' })).toHaveProperty('hmac_key', 'new');
    expect(settings({ cleared: ['hmac_key'] })).toHaveProperty('hmac_key', '');
  });

  test('Slack’s address is needed once, and never shown', () => {
    const channel = channelOf({ kind: 'slack', settings: { kind: 'slack', channel: '#ops' }, secrets: ['url'] });
    expect(channelForm(channel)).toMatchObject({ secretUrl: '', url: '', room: '#ops' });
    expect(readChannel(channelForm(channel), channel).request?.settings).toEqual({ kind: 'slack', channel: '#ops' });
  });
});

describe('routes', () => {
  const shown = { ...routeOf(), id: 'x', severities: ['critical' as const], matchers: [rack] };
  function routeOf() {
    return { ...Route.parse({ channels: ['c1'] }), group_wait: '0ms', group_interval: '1m', repeat: '4h' };
  }

  test('in words', () => {
    expect(whichText(routeOf())).toBe('All alarms');
    expect(whichText(shown)).toBe('Critical alarms with rack="r12"');
    expect(howText(routeOf())).toBe('together by alarmname, again every 4h, also when resolved');
    expect(howText({ ...routeOf(), group_by: [], group_wait: '30s', repeat: '0ms', resolved: false })).toBe(
      'all together, after 30s, once, not when resolved',
    );
  });

  test('a form that is not touched sends back what there was', () => {
    expect(readRoute(routeForm(shown), shown.id).request).toEqual(shown);
  });

  test('what is wrong stands beside its field', () => {
    const { request, errors } = readRoute({ ...EMPTY_ROUTE, repeat: 'often', groupWait: '2h' }, '');
    expect(request).toBeNull();
    expect(errors.repeat).toMatch(/duration/);
    expect(errors.groupWait).toBeDefined();
  });

  test('a channel that was removed is not sent back', () => {
    expect(toInput({ ...shown, channels: ['c1', 'gone'] }, [channelOf()]).channels).toEqual(['c1']);
    expect(toInput({ ...shown, channels: ['gone'] }, [channelOf()]).channels).toEqual([]);
  });

  describe('with a new channel', () => {
    const old = { channels: ['old'] };
    test('without routes all are told of everything, which need not be said', () => {
      expect(routesWith([], ['old'], 'new', 'all')).toBeNull();
    });
    test('one that is told of less does not take from the others', () => {
      expect(routesWith([], ['old'], 'new', 'critical')).toEqual([
        { severities: ['critical'], channels: ['new'], more: true },
        { channels: ['old'] },
      ]);
      expect(routesWith([], ['old'], 'new', 'none')).toEqual([{ channels: ['old'] }]);
    });
    test('it comes before routes that end the search, and lets them go on', () => {
      expect(routesWith([old], ['old'], 'new', 'all')).toEqual([
        { severities: [], channels: ['new'], more: true },
        old,
      ]);
      expect(routesWith([old], ['old'], 'new', 'none')).toBeNull();
    });
  });
});

describe('rules', () => {
  test('what was set of one makes the same again', () => {
    const settings = settingsOf(ruleOf({ description: 'd', labels: { team: 'ops' } }));
    const parsed = RuleSettings.parse(settings);
    expect(parsed).toMatchObject({ name: 'Full disk', for: 60_000, measure: { kind: 'avg', window: 300_000 } });
    expect(parsed.labels).toEqual({ team: 'ops' });
  });

  test('those that fire first, those that are off last; equal ones by name', () => {
    const rules = [
      ruleOf({ id: 'off', enabled: false, state: 'firing' }),
      ruleOf({ id: 'b', name: 'b10' }),
      ruleOf({ id: 'a', name: 'b9' }),
      ruleOf({ id: 'fires', state: 'firing' }),
    ];
    expect(selectRules(rules, '', 'state', false).map(({ id }) => id)).toEqual(['fires', 'a', 'b', 'off']);
    expect(selectRules(rules, 'B9 below', 'state', false).map(({ id }) => id)).toEqual(['a']);
  });
});
