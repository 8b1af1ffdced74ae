import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressPolicy } from '../../../../../src/engine/alarms/notify/address.ts';
import { alertmanagerType, alertOf } from '../../../../../src/engine/alarms/notify/alertmanager.ts';
import { emailType, mailOf } from '../../../../../src/engine/alarms/notify/email.ts';
import { AlarmChannelSettings } from '../../../../../src/engine/alarms/notify/settings.ts';
import { slackBody, slackType } from '../../../../../src/engine/alarms/notify/slack.ts';
import { checkForm, signatureOf, webhookBody, webhookType } from '../../../../../src/engine/alarms/notify/webhook.ts';
import { ChannelSettings, type ChannelSettingsInput } from '../../../../../src/shared/api/channels.ts';
import { message } from '../../../../support/alarm-notify.ts';

const policy = (settings: Partial<AlarmChannelSettings> = {}): AddressPolicy =>
  new AddressPolicy(AlarmChannelSettings.parse(settings));
const settings = <K extends ChannelSettings['kind']>(input: ChannelSettingsInput & { kind: K }) =>
  ChannelSettings.parse(input) as Extract<ChannelSettings, { kind: K }>;

const HOSTILE = 'x"}],"a":[{"b":"{{title}}\r\n</script><img src=x>`<!channel> @all [l](http://e) *b*';

describe('webhook', () => {
  test('the form that is documented', () => {
    const body: unknown = JSON.parse(
      webhookBody('', message({ firing: 3, resolved: 1 }, [{}, { status: 'resolved', ended: 5 }])),
    );
    expect(body).toMatchObject({
      ...{
        version: 1,
        id: 'abc123',
        kind: 'firing',
        engine: 'here',
        title: 'Disk full: node7',
        firing: 3,
        resolved: 1,
      },
      ...{ group: { alarmname: 'Disk full' }, left_out: 2 },
      alarms: [
        { status: 'firing', fresh: true, name: 'Disk full', place: 'node7', value: 97.125, threshold: 95, ended: null },
        { status: 'resolved', fresh: false, ended: 5 },
      ],
    });
  });

  test('a form of one\u2019s own: texts are filled in, whole values keep their kind', () => {
    const form = JSON.stringify({
      text: '{{title}} at {{place}}: {{value}} > {{threshold}} ({{labels.mount}})',
      n: '{{firing}}',
      deep: [{ value: '{{value}}', all: '{{alarms}}', other: 7, none: null, '{{title}}': '{{nothing}}' }],
    });
    expect(JSON.parse(webhookBody(form, message()))).toMatchObject({
      text: 'Disk full: node7 at node7: 97.125 > 95 (m0)',
      n: 1,
      deep: [{ value: 97.125, all: [{ name: 'Disk full' }], other: 7, none: null, '{{title}}': '{{nothing}}' }],
    });
  });

  test('nothing that is filled in changes the structure', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'binary' })), (text) => {
        const hostile = message({ title: text }, [{ place: text, metric: text, description: text }]);
        const body = JSON.parse(
          webhookBody('{"a":"{{place}} {{metric}}","b":["{{title}}{{description}}"]}', hostile),
        ) as object;
        expect(Object.keys(body)).toEqual(['a', 'b']);
        expect(body).toEqual({ a: expect.any(String), b: [expect.any(String)] });
        expect(JSON.stringify(body)).not.toMatch(/\\r|\\n/);
      }),
    );
  });

  test('forms that cannot be used are refused in words', () => {
    expect(checkForm('{"a":')).toMatch(/not JSON/);
    expect(checkForm('"text"')).toMatch(/object or list/);
    expect(checkForm(`${'['.repeat(30)}${']'.repeat(30)}`)).toMatch(/nested/);
    expect(checkForm(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).toMatch(/nested|not JSON/);
    expect(checkForm('{"a":"{{value}}"}')).toBeNull();
  });

  test('the signature is the HMAC of the bytes', () => {
    const body = '{"text":"größer"}';
    expect(signatureOf(body, 'key')).toBe(
      `sha256=${createHmac('sha256', 'key').update(Buffer.from(body)).digest('hex')}`,
    );
  });

  test.each<
    [RegExp | null, Partial<Extract<ChannelSettingsInput, { kind: 'webhook' }>>, Partial<AlarmChannelSettings>?]
  >([
    [null, { url: 'https://example.org/x', bearer: 'word' }],
    [null, { url: 'http://localhost:1/x', bearer: 'word' }],
    [/cross the network/, { url: 'http://example.org/x', bearer: 'word' }],
    [null, { url: 'http://example.org/x', bearer: 'word' }, { plaintext: true }],
    [/no user and password/, { url: 'https://u:p@example.org/' }],
    [/private address/, { url: 'http://10.1.2.3/' }, { private: false }],
    [/private address/, { url: 'http://0x7f.1/' }, { private: ['10.0.0.0/8'] }],
    [null, { url: 'http://10.1.2.3/' }, { private: ['10.1.0.0/16'] }],
    [/private address/, { url: 'http://[::ffff:10.2.2.3]/' }, { private: ['10.1.0.0/16'] }],
    [/sets itself/, { url: 'https://example.org', headers: { 'Content-Length': '1' } }],
    [/sets itself/, { url: 'https://example.org', headers: { 'X-Vigie-Delivery': '1' } }],
    [/printable/, { url: 'https://example.org', headers: { a: '\u00e9' } }],
    [/one word/, { url: 'https://example.org', bearer: 'a\r\nb' }],
  ])('%s for %j %j', (words, given, over = {}) => {
    const refused = webhookType.check(settings({ kind: 'webhook', url: '', ...given }), policy(over));
    if (words === null) expect(refused).toBeNull();
    else expect(refused).toMatch(words);
  });
});

describe('Slack and Mattermost', () => {
  test('the form that both take', () => {
    expect(
      JSON.parse(slackBody(message({}, [{ link: 'https://example.org/a|b', severity: 'critical' }]), 'ops')),
    ).toEqual({
      channel: 'ops',
      text: '`Disk full: node7`',
      attachments: [
        {
          color: '#c23030',
          fallback: 'Disk full: node7',
          text: expect.stringMatching(/^```\nFIRING critical Disk full.*\n```\n<https:\/\/example\.org\/a%7Cb>$/),
          mrkdwn_in: ['text'],
        },
      ],
    });
    expect(JSON.parse(slackBody(message({ firing: 0, resolved: 1 }), ''))).not.toHaveProperty('channel');
  });

  test('nobody is called, nothing is marked up', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'grapheme' })), (text) => {
        const { attachments, ...rest } = JSON.parse(
          slackBody(message({ title: text }, [{ name: text, place: text, metric: text, description: text }]), ''),
        ) as { text: string; attachments: { text: string }[] };
        // One span of code, which nothing inside it ends; no brackets that call somebody.
        expect(rest.text).toMatch(/^`[^`<>]*`$/s);
        expect(attachments[0]!.text).toMatch(/^```\n[^`<>]*\n```$/s);
        expect(rest.text).not.toMatch(/@(?!\u200b)/);
      }),
    );
  });

  test('an address is needed, and https', () => {
    expect(slackType.check(settings({ kind: 'slack' }), policy())).toMatch(/missing/);
    expect(slackType.check(settings({ kind: 'slack', url: 'http://example.org/x' }), policy())).toMatch(/clear/);
    expect(slackType.check(settings({ kind: 'slack', url: 'not an address' }), policy())).toMatch(
      /expected an address/,
    );
    expect(slackType.check(settings({ kind: 'slack', url: 'https://example.org/x' }), policy())).toBeNull();
  });
});

describe('Alertmanager', () => {
  test('an alarm as a Prometheus would tell it', () => {
    const [first] = message({}, [
      { labels: { 'bad name': 'x', '1st': 'y', empty: '', ok: 'a\nb' }, fired: 1000 },
    ]).alarms;
    expect(alertOf(first!, 10_000)).toMatchObject({
      labels: { bad_name: 'x', _1st: 'y', ok: 'a b', alertname: 'Disk full', metric: 'disk_used' },
      startsAt: '1970-01-01T00:00:01.000Z',
      endsAt: '1970-01-01T00:05:10.000Z',
    });
    expect(alertOf({ ...first!, status: 'resolved', ended: 9000 }, 10_000)).toMatchObject({
      endsAt: '1970-01-01T00:00:09.000Z',
    });
  });

  test('a clock that was set back does not end an alarm before it began', () => {
    const [first] = message({}, [{ fired: 9000, status: 'resolved', ended: 1000 }]).alarms;
    expect(alertOf(first!, 10_000)).toMatchObject({
      startsAt: '1970-01-01T00:00:01.000Z',
      endsAt: '1970-01-01T00:00:01.000Z',
    });
  });

  test('a password does not cross the network in clear', () => {
    const given = settings({ kind: 'alertmanager', url: 'http://am.example.org:9093', username: 'u', password: 'p' });
    expect(alertmanagerType.check(given, policy())).toMatch(/clear/);
  });
});

describe('mail', () => {
  const given = settings({ kind: 'email', host: 'localhost', from: 'vigie@example.org', to: ['ops@example.org'] });

  test('ids are made of the delivery\u2019s, whatever the host is called', () => {
    expect(mailOf(message({ engine: 'a>\r\nX: y', id: 'abc' }), given)).toMatchObject({
      messageId: '<abc@a---X--y>',
      headers: { 'X-Vigie-Delivery': 'abc', 'Auto-Submitted': 'auto-generated' },
      to: [{ address: 'ops@example.org' }],
    });
  });

  test.each<[RegExp | null, Partial<Extract<ChannelSettingsInput, { kind: 'email' }>>, Partial<AlarmChannelSettings>?]>(
    [
      [null, {}],
      [null, { host: 'localhost', security: 'none' }],
      [/cross the network/, { host: 'mail.example.org', security: 'none' }],
      [null, { host: 'mail.example.org', security: 'none' }, { plaintext: true }],
      [/expected the name/, { host: 'mail example' }],
      [/expected the name/, { host: 'a/b' }],
      [/control characters/, { username: 'a\r\nb' }],
      [/whole path/, { ca_file: 'ca.pem' }],
      [/private address/, { host: '192.168.1.1' }, { private: false }],
    ],
  )('%s for %j %j', (words, over, allow = {}) => {
    const refused = emailType.check({ ...given, ...over } as typeof given, policy(allow));
    if (words === null) expect(refused).toBeNull();
    else expect(refused).toMatch(words);
  });
});
