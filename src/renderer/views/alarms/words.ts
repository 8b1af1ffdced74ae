import type { Alarm, AlarmEvent, AlarmState, Measure, Rule, Severity } from '../../../shared/api/alarms.ts';
import type { ChannelKind } from '../../../shared/api/channels.ts';
import { matcherText } from '../../../shared/alarms/matchers.ts';
import type { Matcher } from '../../../shared/api/silences.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { describeFamily } from '../../../shared/model/naming.ts';
import type { Handled } from '../../data/alarms.ts';
import { formatCount, formatValue, NO_VALUE, threeDigits } from '../../format/units.ts';

/** Colour and form of a state's dot. */
export const STATE_TONES: Readonly<Record<AlarmState, string>> = {
  firing: 'bad',
  no_data: 'stop',
  pending: 'warn',
  resolved: 'calm',
  inactive: 'good',
};

export const STATE_NAMES: Readonly<Record<AlarmState, string>> = {
  firing: 'firing',
  no_data: 'no data',
  pending: 'pending',
  resolved: 'resolved',
  inactive: 'inactive',
};

/** What a state means, for whoever meets it the first time. */
export const STATE_HELP: Readonly<Record<AlarmState, string>> = {
  firing: 'the condition holds, and has for as long as the rule says',
  no_data: 'its series has told nothing for a while',
  pending: 'the condition holds, not yet for as long as the rule says',
  resolved: 'it fired a short while ago and does no more',
  inactive: 'the condition does not hold',
};

export const HANDLED_NAMES: Readonly<Record<Handled, string>> = {
  all: 'Taken or not',
  open: 'Nobody has taken',
  silenced: 'Silenced',
  acknowledged: 'Acknowledged',
};

export const SEVERITY_NAMES: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Info',
};

export const CHANNEL_NAMES: Readonly<Record<ChannelKind, string>> = {
  desktop: 'Desktop notification',
  email: 'E-mail',
  webhook: 'Webhook',
  slack: 'Slack or Mattermost',
  alertmanager: 'Alertmanager',
};

const plural = (count: number, one: string, many: string): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
export const alarmsText = (count: number): string => plural(count, 'alarm', 'alarms');
export const rulesText = (count: number): string => plural(count, 'rule', 'rules');
export const seriesText = (count: number): string => `${formatCount(count)} series`;

type MeasureKind = Measure['kind'];

/** What is compared, with the unit it has under this measure. Without one: the bare number. */
export function valueText(metric: string, value: number | null, measure: MeasureKind | null): string {
  if (value === null || !Number.isFinite(value)) return NO_VALUE;
  if (measure === null || measure === 'ratio' || measure === 'absent') return threeDigits(value);
  const { unit } = describeFamily(parseMetric(metric).family);
  return formatValue(value, unit, measure === 'rate');
}

/** Why an alarm of an engine below cannot be acknowledged here. */
export const OF_ANOTHER = 'It is acknowledged at the engine that has it';

/** Of an engine, without what is the same of all. */
export const shortAddress = (url: string): string => url.replace(/^https?:\/\//, '');

/** `value > threshold`, as the rule compares; null: there is nothing to compare. */
export function thresholdText(alarm: Pick<Alarm, 'metric' | 'threshold'>, rule: Rule | undefined): string | null {
  if (rule?.measure.kind === 'absent') return null;
  const threshold = valueText(alarm.metric, alarm.threshold, rule?.measure.kind ?? null);
  return rule ? `${rule.op} ${threshold}` : threshold;
}

export const matchersText = (matchers: readonly Matcher[]): string => matchers.map(matcherText).join(', ');

/** How long something lasts, to two parts: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function spanText(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NO_VALUE;
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const two = (whole: number, unit: string, rest: number, small: string): string =>
    rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${small}`;
  if (minutes < 2880) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** What happened, in words: `pending → firing`, `acknowledged by anna: disk is being replaced`. */
export function eventText(event: Pick<AlarmEvent, 'kind' | 'was' | 'state' | 'note'>): string {
  const note = event.note === '' ? '' : `: ${event.note}`;
  switch (event.kind) {
    case 'state':
      return event.state === null ? `changed${note}` : `${STATE_NAMES[event.state]}${note}`;
    case 'acknowledged':
      return event.note === '' ? 'acknowledged' : `acknowledged by ${event.note}`;
    case 'unacknowledged':
      return `acknowledgement ended${note}`;
    case 'rule_changed':
      return `the rule was changed${note}`;
    case 'rule_deleted':
      return `the rule was deleted${note}`;
    case 'delivered':
      return `told${note}`;
    case 'failed':
      return `could not be told${note}`;
  }
}

/** Where a channel sends to, without anything secret. */
export function channelPlace(kind: ChannelKind, settings: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string => (typeof settings[name] === 'string' ? settings[name] : '');
  switch (kind) {
    case 'desktop':
      return 'open pages of this engine';
    case 'email': {
      const to = Array.isArray(settings['to']) ? settings['to'].join(', ') : '';
      return to === '' ? '' : `${to} through ${text('host')}`;
    }
    case 'slack':
      return text('channel');
    default:
      return text('url');
  }
}
