/** POST /api/v1/alarms/preview over HTTP: lines of JSON, from what is stored, ended by whoever asked. */

import { expect, test } from 'vitest';
import { PreviewLine } from '../../../src/shared/api/alarms.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { job, RULE, send } from './support.ts';

async function preview(here: Here, body: object): Promise<PreviewLine[]> {
  const answer = await send(here, 'POST', '/alarms/preview', body);
  expect([answer.status, answer.type]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  return answer.body
    .trim()
    .split('\n')
    .map((line) => PreviewLine.parse(JSON.parse(line)));
}

test('says when a rule would have fired on a job that runs', async () => {
  const here = await startHere({ node: false });
  const pusher = await job(here, 'job-1');
  const from = Date.now() - 1000;
  const done = async (rule: object = {}): Promise<Extract<PreviewLine, { kind: 'done' }>> => {
    const last = (await preview(here, { rule: { ...RULE, ...rule }, from, to: Date.now() + 1000 })).at(-1);
    if (last?.kind !== 'done') throw new Error(JSON.stringify(last));
    return last;
  };
  pusher.set('m', 5);
  await eventually(async () => (await done()).range?.max === 5);
  pusher.set('m', 12);
  const found = await eventually(async () => {
    const line = await done();
    return line.times === 1 ? line : undefined;
  });
  const { scope } = (await here.client.runs({ state: 'live' })).runs[0]!;
  expect(found.series).toMatchObject([{ scope, place: 'job-1 ./solver', metric: 'm' }]);
  expect(found.series[0]!.firing).toHaveLength(1);
  expect((await done({ raise: 100 })).times).toBe(0);
  expect((await preview(here, { rule: { ...RULE, metric: 'm{' }, from, to: Date.now() })).at(-1)).toMatchObject({
    kind: 'error',
  });
  for (const wrong of [{ from: 'x' }, { rule: { ...RULE, op: '~' } }, { max_series: 0 }]) {
    const answer = await send(here, 'POST', '/alarms/preview', { rule: RULE, from, to: Date.now(), ...wrong });
    expect(answer.status).toBe(400);
  }
});
