/** What is kept how long, and names and sums of what is stored, over HTTP. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

async function asked(
  here: Here,
  path: string,
  method = 'GET',
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const headers = { ...withToken(here), ...(body && { 'content-type': 'application/json' }) };
  const answer = await ask(here, path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: answer.status === 204 ? null : answer.json() };
}

test('retention is read, changed and refused in words', async () => {
  const data = join(temporaryFolder(), 'data');
  const here = await startHere({ node: false, retention: { raw: '3d' }, data });
  expect((await asked(here, '/api/v1/store/retention')).body).toMatchObject({
    now: { raw: '3d', minute: '180d', hour: '1095d', size: '4GiB' },
    tiers: [{ tier: 'raw', blocks: 0 }, { tier: 'minute' }, { tier: 'hour' }],
  });
  const changed = await asked(here, '/api/v1/store/retention', 'PUT', { raw: '30d', size: 'off' });
  expect(changed.body).toMatchObject({ now: { raw: '30d', size: 'off' }, configured: { raw: '3d', size: '4GiB' } });
  expect((await asked(here, '/api/v1/status')).body).toMatchObject({
    retention: { samples: '30d', minutes: '180d', hours: '1095d', bytes: null },
  });
  for (const wrong of [{ raw: '1' }, { size: '1KiB' }, { week: '1d' }]) {
    expect((await asked(here, '/api/v1/store/retention', 'PUT', wrong)).status).toBe(400);
  }
  const window = { kind: 'window', from: 5, to: 6, note: 'x' };
  const kept = (await asked(here, '/api/v1/store/keeps', 'POST', window)).body as { id: number };
  expect(kept).toMatchObject({ kind: 'window', scope: null, from: 5, to: 6, note: 'x' });
  expect((await asked(here, '/api/v1/store/keeps')).body).toEqual({ keeps: [kept], next: null });
  expect((await asked(here, '/api/v1/store/keeps', 'POST', { kind: 'run', run: 'none' })).status).toBe(404);
  expect((await asked(here, '/api/v1/store/keeps', 'POST', { ...window, to: 4 })).status).toBe(400);
  expect((await asked(here, `/api/v1/store/keeps/${kept.id}`, 'DELETE')).status).toBe(204);
  expect((await asked(here, `/api/v1/store/keeps/${kept.id}`, 'DELETE')).status).toBe(404);
});

test('what is in memory has no such settings', async () => {
  const here = await startHere({ node: false });
  expect((await asked(here, '/api/v1/store/retention')).status).toBe(400);
  expect((await asked(here, '/api/v1/store/keeps')).body).toEqual({ keeps: [], next: null });
});

test.each([true, false])('what a run has is listed, chosen and added up (memory: %s)', async (memory) => {
  const here = await startHere({ node: false, ...(memory ? {} : { data: join(temporaryFolder(), 'data') }) });
  const pusher = await here.pusher();
  pusher.job({ jobid: 'j' });
  pusher.describeCounter('hits{call="send"}');
  pusher.increase('hits{call="send"}', 5);
  const families = await eventually(async () => {
    const { names } = (await asked(here, '/api/v1/families')).body as { names: string[] };
    return names.includes('hits') && names;
  });
  expect(families).toContain('hits');
  // Those of the engine's own metrics, too.
  expect((await asked(here, '/api/v1/labels')).body).toEqual({ names: ['call', 'result', 'state'], next: null });
  expect((await asked(here, '/api/v1/labels/call?select=hits')).body).toEqual({ names: ['send'], next: null });
  expect((await asked(here, '/api/v1/labels?select=a%7B')).status).toBe(400);
  const span = `from=${Date.now() - 60_000}&to=${Date.now() + 60_000}`;
  const [run] = ((await asked(here, '/api/v1/runs')).body as { runs: { scope: string }[] }).runs;
  const select = encodeURIComponent('{call=~"s.*"}');
  const own = `/api/v1/query?scope=${encodeURIComponent(run!.scope)}&select=${select}&functions=increase&step=1m&${span}`;
  expect((await asked(here, own)).body).toMatchObject({ step: 60_000, series: [{ key: 'hits{call="send"}' }] });
  const merge = `/api/v1/query/merge?scope=main&series=${encodeURIComponent('hits{call="send"}')}&${span}&step=1h`;
  const merged = (await asked(here, merge)).body as { scopes: number; series: { last: number[] }[] };
  expect(merged.scopes).toBe(1);
  expect(merged.series[0]!.last.at(-1)).toBe(5);
  expect((await asked(here, `/api/v1/query/merge?scope=node/none&series=x&${span}`)).status).toBe(404);
  expect((await asked(here, `/api/v1/query?scope=x&step=7&${span}`)).status).toBe(400);
});
