/** Profiles over HTTP: what a run leaves, lists, marks, the trash, comparing, importing. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Compared } from '../../../src/shared/api/profile-compare.ts';
import {
  GroupPreview,
  GroupRules,
  ImportState,
  Profile,
  ProfileGroupList,
  ProfileList,
  ProfileMarks,
  ProfilesChanged,
  type ProfileSummary,
} from '../../../src/shared/api/profiles.ts';
import { Problem } from '../../../src/shared/errors.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Here } from './here.ts';

const PROXY = join(import.meta.dirname, '../../fixtures/proxy');
const get = (here: Here, path: string): Promise<Answer> => ask(here, `/api/v1${path}`, { headers: withToken(here) });
const send = (here: Here, method: string, path: string, body: unknown): Promise<Answer> =>
  ask(here, `/api/v1${path}`, {
    method,
    headers: { ...withToken(here), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const list = async (here: Here, query = ''): Promise<ProfileList> =>
  ProfileList.parse((await get(here, `/profiles${query}`)).json());

/** A job of one rank with these counters, to its end. */
async function finished(
  here: Here,
  jobid: string,
  command: string,
  counters: Record<string, number>,
): Promise<ProfileSummary> {
  const pusher = await here.pusher();
  pusher.job({ jobid, command, size: 1 });
  for (const [name, by] of Object.entries(counters)) {
    pusher.describeCounter(name);
    pusher.increase(name, by);
  }
  await pusher.close();
  return eventually(async () => (await list(here, `?search=job:${jobid}`)).runs[0]);
}

describe.each(['memory', 'sqlite'] as const)('over HTTP, in the %s store', (kind) => {
  const start = (): Promise<Here> => {
    const folder = temporaryFolder();
    return startHere(kind === 'memory' ? {} : { data: join(folder, 'data') }, folder);
  };

  test('a run that ended tells who ran it, how its processes ended and what measured it', async () => {
    const here = await start();
    const run = await finished(here, 'j1', '/opt/solve --seed 7', {
      work_total: 5,
      'vigie_exit_total{code="7"}': 1,
      'node_exporter_build_info{version="1.8.2"}': 1,
    });
    expect(run).toMatchObject({
      group: 'solve --<volatile>',
      exit: { outcome: 'failed', codes: [{ code: '7', count: 1 }] },
    });
    const profile = Profile.parse((await get(here, `/profiles/${run.id}`)).json());
    expect(profile.exits).toMatchObject({ outcome: 'failed', ranks: [{ rank: 0, code: '7' }] });
    expect(profile.user).toBe(run.user);
    expect(profile.user).not.toBe('');
    expect(profile.versions!.engine).toMatch(/^\d+\.\d+/);
    expect(profile.versions!.exporters).toContainEqual({ name: 'node_exporter', version: '1.8.2' });
    const place = profile.series.findIndex(({ key }) => key === 'work_total');
    expect(profile.node_values).toHaveLength(1);
    expect(profile.node_values![0]).toMatchObject({ node: run.nodes[0], ranks: 1 });
    expect(profile.node_values![0]!.values[place]).toBe(5);
    expect((await list(here, '?search=state:failed')).runs.map(({ id }) => id)).toEqual([run.id]);
    expect((await list(here, '?search=state:ok')).runs).toEqual([]);
  });

  test('two runs that end at once are two profiles', async () => {
    const here = await start();
    const pushers = await Promise.all(
      ['a', 'b'].map(async (jobid) => {
        const pusher = await here.pusher();
        pusher.job({ jobid, command: 'same' });
        pusher.describeCounter(`of_${jobid}`);
        pusher.increase(`of_${jobid}`, 1);
        return pusher;
      }),
    );
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 2);
    await Promise.all(pushers.map((pusher) => pusher.close()));
    const { runs } = await eventually(async () => {
      const found = await list(here);
      return found.runs.length === 2 && found;
    });
    for (const { id, jobid } of runs) {
      const profile = Profile.parse((await get(here, `/profiles/${id}`)).json());
      expect(profile.series.map(({ key }) => key)).toEqual([`of_${jobid}`]);
    }
    const groups = ProfileGroupList.parse((await get(here, '/profiles/groups')).json());
    expect(groups.groups).toMatchObject([{ group: 'same', runs: 2 }]);
  });

  test('tags, note, trash and restore, one and many', async () => {
    const here = await start();
    const a = await finished(here, 'a', 'x', { c: 1 });
    const b = await finished(here, 'b', 'x', { c: 1 });
    const changed = await send(here, 'PATCH', `/profiles/${a.id}`, {
      tags: [' slow  one '],
      note: 'n\n2',
      baseline: true,
    });
    expect(ProfileMarks.parse(changed.json())).toMatchObject({ tags: ['slow one'], note: 'n\n2', baseline: true });
    expect((await get(here, `/profiles/${a.id}/marks`)).json()).toEqual(changed.json());
    const tagged = await send(here, 'POST', '/profiles/change', { ids: [a.id, b.id], add_tags: ['old'] });
    expect(ProfilesChanged.parse(tagged.json())).toEqual({ changed: [a.id, b.id], failed: [] });
    expect((await list(here, '?search=tag:old%20-tag:%22slow%20one%22')).runs.map(({ id }) => id)).toEqual([b.id]);
    expect((await send(here, 'DELETE', `/profiles/${a.id}`, undefined)).status).toBe(200);
    expect((await list(here)).runs.map(({ id }) => id)).toEqual([b.id]);
    expect((await list(here, '?trash=1')).runs.map(({ id }) => id)).toEqual([a.id]);
    // It can still be looked at, and the list of runs has it no more.
    expect((await get(here, `/profiles/${a.id}`)).status).toBe(200);
    expect((await here.client.runs({ state: 'ended' })).runs.map(({ id }) => id)).toEqual([b.id]);
    await send(here, 'POST', '/profiles/restore', { ids: [a.id] });
    expect((await list(here)).runs.find(({ id }) => id === a.id)).toMatchObject({
      tags: ['slow one', 'old'],
      deleted: null,
    });

    for (const bad of [{ tags: ['a"b'] }, { tags: [''] }, { note: 5 }, { unknown: 1 }])
      expect([bad, (await send(here, 'PATCH', `/profiles/${a.id}`, bad)).status]).toEqual([bad, 400]);
    expect(Problem.parse((await send(here, 'PATCH', '/profiles/none', { tags: [] })).json()).code).toBe(
      'run_not_found',
    );
    expect((await send(here, 'DELETE', '/profiles/none', undefined)).status).toBe(404);
    const wrong = Problem.parse((await get(here, '/profiles?search=usr:ada')).json());
    expect(wrong).toMatchObject({ code: 'bad_request' });
    expect(wrong.detail).toContain('usr: is none of user:');
  });

  test('runs side by side: what changed most comes first, and what is gone is told', async () => {
    const here = await start();
    const same = { steady_total: 10 };
    const a = await finished(here, 'a', 'x', { ...same, waiting_seconds_total: 1, only_here_total: 4 });
    const b = await finished(here, 'b', 'x --fast', { ...same, waiting_seconds_total: 9 });
    const gone = await finished(here, 'gone', 'x', same);
    await send(here, 'DELETE', `/profiles/${gone.id}`, undefined);
    const answer = await send(here, 'POST', '/profiles/compare', { runs: [a.id, b.id, gone.id, 'never'] });
    const compared = Compared.parse(answer.json());
    expect(compared.runs.map(({ id }) => id)).toEqual([a.id, b.id]);
    expect(compared.missing).toEqual([
      { id: gone.id, why: 'it is in the trash' },
      { id: 'never', why: 'no finished run has this id here; it may have been deleted' },
    ]);
    expect(compared.baseline).toBe(a.id);
    const of = (key: string) => compared.series.find((one) => one.key === key)!;
    expect(of('waiting_seconds_total')).toMatchObject({ values: [1, 9], min: 1, max: 9, avg: 5, median: 5, change: 8 });
    expect(of('waiting_seconds_total').share_of_time!.every((share) => share! > 0)).toBe(true);
    expect(of('only_here_total').values).toEqual([4, null]);
    expect(of('steady_total')).toMatchObject({ change: 0, spread: 0, rank: 0 });
    expect(compared.series.at(-1)!.key).toBe('steady_total');
    expect(compared.differences.find(({ field }) => field === 'command')).toEqual({
      field: 'command',
      values: ['x', 'x --fast'],
    });
    expect(compared.common.map(({ field }) => field)).toContain('version of vigie');
    const some = await send(here, 'POST', '/profiles/compare', { runs: [a.id, b.id], series: 'WAIT', baseline: b.id });
    expect(Compared.parse(some.json())).toMatchObject({ baseline: b.id, total: 1, series: [{ change: -8 / 9 }] });
    const tooMany = { runs: Array.from({ length: 501 }, (_, i) => `r${i}`) };
    expect((await send(here, 'POST', '/profiles/compare', tooMany)).status).toBe(400);
  });

  test('rules are seen, tried and changed', async () => {
    const here = await start();
    await finished(here, 'a', 'x -n 1', { c: 1 });
    await finished(here, 'b', 'x -n 2', { c: 1 });
    const rules = [
      { pattern: '-n [0-9]+', replacement: '-n N' },
      { pattern: '(', replacement: '' },
    ];
    const preview = GroupPreview.parse((await send(here, 'POST', '/profiles/rules/preview', { rules })).json());
    expect(preview).toMatchObject({
      errors: [{ rule: 1 }],
      runs: 2,
      groups: [{ group: 'x -n N', runs: 2, different: 2 }],
    });
    expect((await send(here, 'PUT', '/profiles/rules', { rules })).status).toBe(400);
    const good = await send(here, 'PUT', '/profiles/rules', { rules: rules.slice(0, 1) });
    expect(GroupRules.parse(good.json()).rules).toEqual([{ ...rules[0], note: '' }]);
    await eventually(async () => {
      const { groups } = ProfileGroupList.parse((await get(here, '/profiles/groups')).json());
      return groups.length === 1 && groups[0]!.group === 'x -n N';
    });
    const back = GroupRules.parse((await send(here, 'PUT', '/profiles/rules', { rules: null })).json());
    expect(back.rules).toEqual(back.defaults);
  });

  test('a file that is sent is imported, and hostile ones are refused in words', async () => {
    const here = await start();
    const upload = async (name: string, body: Buffer): Promise<ImportState> => {
      const sent = await fetch(`${here.url}/api/v1/profiles/import?name=${encodeURIComponent(name)}`, {
        method: 'POST',
        headers: { ...withToken(here), 'content-type': 'application/octet-stream' },
        body,
      });
      expect(sent.status).toBe(200);
      return eventually(async () => {
        const state = ImportState.parse((await get(here, '/profiles/import')).json());
        return state.state !== 'running' && state;
      });
    };
    const done = await upload('scal3-4.profile', readFileSync(join(PROXY, 'scal3-4.profile')));
    expect(done).toMatchObject({ state: 'done', imported: 1, failed: 0, reports: [{ files: ['scal3-4.profile'] }] });
    const [run] = (await list(here)).runs;
    expect(run!.id).toBe(done.reports[0]!.run);
    const again = await upload('../../scal3-4.profile', readFileSync(join(PROXY, 'scal3-4.profile')));
    expect(again).toMatchObject({ state: 'done', imported: 0, known: 1 });
    for (const [name, bytes] of [
      ['none', Buffer.from('{"desc":')],
      ['a.profile', Buffer.from('null')],
      ['empty', Buffer.alloc(0)],
      ['a.sqlite', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(5000, 7)])],
      ['a.trace', Buffer.alloc(64, 255)],
    ] as const) {
      const state = await upload(name, bytes);
      expect([name, state.state, state.imported]).toEqual([name, 'failed', 0]);
      expect(state.reason).toMatch(/\w+ \w+/);
    }
    expect((await list(here)).runs).toHaveLength(1);
    const text = await send(here, 'POST', '/profiles/import?name=x', {});
    expect(text.status).toBe(415);
  });
});

test('a token that may only view reads and compares, and changes nothing', async () => {
  const here = await startHere();
  const a = await finished(here, 'a', 'x', { c: 1 });
  const made = (await send(here, 'POST', '/tokens', { name: 'viewer', role: 'view' })).json() as { token: string };
  const as = (method: string, path: string, body?: unknown): Promise<Answer> =>
    ask(here, `/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  expect((await as('GET', '/profiles')).status).toBe(200);
  expect((await as('POST', '/profiles/compare', { runs: [a.id] })).status).toBe(200);
  expect((await as('POST', '/profiles/rules/preview', { rules: [] })).status).toBe(200);
  for (const [method, path, body] of [
    ['PATCH', `/profiles/${a.id}`, { tags: [] }],
    ['POST', '/profiles/delete', { ids: [a.id] }],
    ['POST', '/profiles/change', { ids: [a.id] }],
    ['PUT', '/profiles/rules', { rules: null }],
  ] as const) {
    expect([path, (await as(method, path, body)).status]).toEqual([path, 403]);
  }
});
