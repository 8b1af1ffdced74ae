import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { LiveEvent } from '../../../src/shared/api/live.ts';
import { AuditList } from '../../../src/shared/api/audit.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, withToken } from '../http/here.ts';
import { addTarget, send } from './support.ts';

type TargetsEvent = Extract<LiveEvent, { type: 'targets' }>;

test('the topic tells of all targets once, then of those that changed and those that went', async () => {
  const here = await startHere({ node: false });
  const first = await addTarget(here, { url: 'http://127.0.0.1:1/metrics', paused: true });
  const socket = new WebSocket(`${here.url.replace('http', 'ws')}/api/v1/live`, { headers: withToken(here) });
  onTestFinished(() => socket.terminate());
  const events: TargetsEvent[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const event = isBinary ? null : LiveEvent.parse(JSON.parse(data.toString('utf8')));
    if (event?.type === 'targets') events.push(event);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'watch', topic: 'targets' }));
  await eventually(() => events.length > 0);
  expect(events[0]).toMatchObject({ all: true, removed: [], counts: { total: 2, paused: 2 } });
  expect(events[0]!.targets.map(({ id }) => id)).toEqual(['system', first.id]);
  const second = await addTarget(here, { url: 'http://127.0.0.1:1/other', period: '250ms' });
  await eventually(() =>
    events.some(({ targets }) => targets.some(({ id, state }) => id === second.id && state === 'down')),
  );
  expect(events.slice(1).every(({ all, targets }) => !all && targets.every(({ id }) => id === second.id))).toBe(true);
  await send(here, 'DELETE', `/targets/${first.id}`);
  await eventually(() => events.some(({ removed }) => removed.includes(first.id)));
  expect(events.at(-1)!.counts.total).toBe(2);
});

test('changes stand in the audit log, without secrets; looking at a place is none', async () => {
  const here = await startHere({ node: false });
  const auth = { kind: 'bearer', token: 'very-secret-word' } as const;
  const { id } = await addTarget(here, { url: 'http://127.0.0.1:1/metrics', period: '1h', auth });
  expect((await send(here, 'POST', '/targets/probe', { url: 'http://127.0.0.1:1/metrics' })).status).toBe(200);
  await send(here, 'PATCH', `/targets/${id}`, { paused: true, auth });
  await send(here, 'DELETE', `/targets/${id}`);
  const { entries } = AuditList.parse((await send(here, 'GET', '/audit')).json());
  expect(entries.map(({ what, outcome }) => [what, outcome]).toReversed()).toEqual([
    ['POST /api/v1/targets', 'done'],
    ['PATCH /api/v1/targets/:id', 'done'],
    ['DELETE /api/v1/targets/:id', 'done'],
  ]);
  expect(entries.at(-1)!.summary).toBe('url=http://127.0.0.1:1/metrics period=3600000');
  expect(JSON.stringify(entries)).not.toContain('very-secret-word');
});

test('the node itself can be paused: its gauges have no values then', async () => {
  const here = await startHere({ node: true });
  const has = async (): Promise<boolean> =>
    (await here.client.raw('/metrics')).body.includes('\nproxy_cpu_load_average_percent ');
  const value = async (): Promise<boolean> =>
    !/\nproxy_memory_total_bytes NaN|^(?![\s\S]*\nproxy_memory_total_bytes )/.test(
      (await here.client.raw('/metrics')).body,
    );
  await eventually(async () => (await has()) || (await value()));
  expect((await send(here, 'PATCH', '/targets/system', { paused: true })).status).toBe(200);
  expect((await send(here, 'DELETE', '/targets/system')).status).toBe(400);
  expect((await send(here, 'PATCH', '/targets/system', { period: '5s' })).status).toBe(400);
  await eventually(async () => !(await value()));
  expect((await send(here, 'PATCH', '/targets/system', { paused: false })).status).toBe(200);
  await eventually(value);
});
