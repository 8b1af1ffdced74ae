/** Alarms in a real engine, over its API. */

import { expect } from 'vitest';
import {
  AlarmHistory,
  AlarmList,
  Rule,
  RuleList,
  type Alarm,
  type AlarmState,
  type RuleSettingsInput,
} from '../../../src/shared/api/alarms.ts';
import { Silence, SilenceList, type SilenceSettingsInput } from '../../../src/shared/api/silences.ts';
import type { Pusher } from '../../../src/client/pusher.ts';
import { eventually } from '../../support/wait.ts';
import type { Answer, Here } from '../http/here.ts';
import { send } from '../targets/support.ts';

export { send } from '../targets/support.ts';

/** A rule on a gauge `m` of any run, above 10. */
export const RULE = {
  ...{ name: 'too much', scope: { kind: 'run' }, metric: 'm', op: '>', raise: 10 },
} as const satisfies RuleSettingsInput;

export function good<T>(answer: Answer, status: number, schema: { parse(value: unknown): T }): T {
  if (answer.status !== status) throw new Error(`${answer.status}: ${answer.body}`);
  return schema.parse(answer.json());
}

export async function addRule(here: Here, settings: Partial<RuleSettingsInput> = {}): Promise<Rule> {
  return good(await send(here, 'POST', '/alarms/rules', { ...RULE, ...settings }), 201, Rule);
}

export const rules = async (here: Here): Promise<Rule[]> =>
  good(await send(here, 'GET', '/alarms/rules'), 200, RuleList).rules;

export const alarmList = async (here: Here, query = ''): Promise<AlarmList> =>
  good(await send(here, 'GET', `/alarms${query}`), 200, AlarmList);

export const history = async (here: Here, query = ''): Promise<AlarmHistory> =>
  good(await send(here, 'GET', `/alarms/history${query}`), 200, AlarmHistory);

/** Waits until the only alarm is in this state; null: until there is none. */
export async function alarmIn(here: Here, state: AlarmState): Promise<Alarm> {
  return eventually(async () => {
    const { alarms } = await alarmList(here);
    expect(alarms.map((alarm) => alarm.state)).toEqual([state]);
    return alarms[0];
  });
}

export async function addSilence(here: Here, settings: Partial<SilenceSettingsInput> = {}): Promise<Silence> {
  const now = Date.now();
  const given = {
    matchers: [{ label: 'alarmname', op: '=', value: 'too much' }],
    from: now - 1000,
    to: now + 3_600_000,
  };
  return good(await send(here, 'POST', '/silences', { ...given, ...settings }), 201, Silence);
}

export const silences = async (here: Here): Promise<Silence[]> =>
  good(await send(here, 'GET', '/silences'), 200, SilenceList).silences;

/** A job of one rank with gauges that can be set. */
export async function job(here: Here, jobid: string, ...gauges: readonly string[]): Promise<Pusher> {
  const pusher = await here.pusher();
  pusher.job({ jobid, command: './solver' });
  for (const name of gauges.length === 0 ? ['m'] : gauges) pusher.describeGauge(name);
  await eventually(async () => (await here.client.runs({ state: 'live' })).runs.some((run) => run.jobid === jobid));
  return pusher;
}
