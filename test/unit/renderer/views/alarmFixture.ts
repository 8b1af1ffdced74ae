import { Alarm, AlarmEvent, Rule } from '../../../../src/shared/api/alarms.ts';
import { Channel } from '../../../../src/shared/api/channels.ts';
import type { LiveAlarms } from '../../../../src/shared/api/live.ts';
import { Silence } from '../../../../src/shared/api/silences.ts';

/** An alarm as the engine describes it. */
export const alarmOf = (change: Partial<Alarm> = {}): Alarm =>
  Alarm.parse({
    id: 'a',
    rule: 'r1',
    name: 'Full disk',
    state: 'firing',
    severity: 'warning',
    scope: 'node/n1',
    place: 'n1',
    metric: 'disk_free_bytes{device="sda"}',
    labels: { alarmname: 'Full disk', severity: 'warning', scope: 'node/n1', engine: 'e', device: 'sda' },
    value: 1024,
    threshold: 4096,
    since: 1000,
    fired: 1000,
    description: 'sda is full',
    link: '',
    silenced: [],
    acknowledged: null,
    from: null,
    ...change,
  });

export const taken = { by: 'ada', time: 1, comment: 'new disk' };

const NO_COUNTS = { inactive: 0, pending: 0, firing: 0, resolved: 0, no_data: 0, silenced: 0, acknowledged: 0 };

export const liveAlarms = (change: Partial<LiveAlarms> = {}): LiveAlarms => ({
  ...{ type: 'alarms', all: false, alarms: [], removed: [], events: [], number: 0, missed: false, counts: NO_COUNTS },
  ...change,
});

export const eventOf = (change: Partial<AlarmEvent> = {}): AlarmEvent =>
  AlarmEvent.parse({
    ...{ number: 1, time: 1000, kind: 'state', alarm: 'a', rule: 'r1', name: 'Full disk', severity: 'warning' },
    ...{
      scope: 'node/n1',
      place: 'n1',
      metric: 'm',
      was: 'pending',
      state: 'firing',
      value: 1,
      threshold: 2,
      note: '',
    },
    ...change,
  });

export const ruleOf = (change: Partial<Rule> = {}): Rule =>
  Rule.parse({
    id: 'r1',
    name: 'Full disk',
    enabled: true,
    scope: { kind: 'node' },
    metric: 'disk_free_bytes',
    measure: { kind: 'avg', window: '5m' },
    op: '<',
    raise: 4096,
    clear: null,
    for: '1m',
    keep_firing_for: '0ms',
    no_data: 'keep',
    no_data_after: '1m',
    severity: 'warning',
    labels: {},
    description: '',
    link: '',
    origin: 'hand',
    created: 0,
    changed: 0,
    state: 'inactive',
    series: 1,
    counts: NO_COUNTS,
    problem: null,
    sentence: 'Fires when disk_free_bytes is below 4 KiB.',
    ...change,
  });

export const silenceOf = (change: Partial<Silence> = {}): Silence =>
  Silence.parse({
    id: 's1',
    matchers: [{ label: 'scope', op: '=', value: 'node/n1' }],
    from: 1_000_123,
    to: 9_000_456,
    recurring: null,
    comment: '',
    owner: 'ada',
    created: 0,
    state: 'active',
    window: null,
    ends_soon: false,
    hits: 0,
    ...change,
  });

export const channelOf = (change: Partial<Channel> = {}): Channel =>
  Channel.parse({
    ...{ id: 'c1', name: 'Ops', enabled: true, per_minute: 10, kind: 'webhook', waiting: 0, last: null, problem: null },
    settings: { kind: 'webhook', url: 'https://example.org/hook', body: '', headers: { 'X-Team': 'ops' } },
    secrets: ['hmac_key'],
    ...change,
  });
