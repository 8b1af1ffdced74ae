/** Tokens with roles, as a running engine takes them, and the log of what is done with them. */

import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addToken, readTokens, revokeToken, tokensPath } from '../../../src/engine/tokens/tokens-file.ts';
import { AuditList, type AuditEntry } from '../../../src/shared/api/audit.ts';
import { AddedToken, TokenList } from '../../../src/shared/api/tokens.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Here } from './here.ts';
import { connectLive, liveUrl } from './reader.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };

async function post(here: Here, body: unknown, token = here.engine.token): Promise<Answer> {
  const headers = { ...bearer(token), ...json };
  return ask(here, '/api/v1/tokens', { method: 'POST', headers, body: JSON.stringify(body) });
}
async function add(here: Here, name: string, role: 'view' | 'control'): Promise<string> {
  const answer = await post(here, { name, role });
  expect(answer.status).toBe(200);
  return AddedToken.strict().parse(answer.json()).token;
}
const revoke = (here: Here, name: string, token = here.engine.token): Promise<Answer> =>
  ask(here, `/api/v1/tokens/${name}`, { method: 'DELETE', headers: bearer(token) });
const statusOf = async (here: Here, token: string, path = '/api/v1/status'): Promise<number> =>
  (await ask(here, path, { headers: bearer(token) })).status;
const list = async (here: Here) =>
  TokenList.strict().parse((await ask(here, '/api/v1/tokens', { headers: withToken(here) })).json()).tokens;
const pathOf = (here: Here): string => tokensPath(here.engine.ready.token_file);
async function audit(here: Here): Promise<AuditEntry[]> {
  const answer = await ask(here, '/api/v1/audit', { headers: withToken(here) });
  return AuditList.strict().parse(answer.json()).entries;
}
const codeOf = (answer: Answer): string => (answer.json() as { code: string }).code;

describe('tokens', () => {
  test('are added, used and revoked over HTTP; only a hash is kept, in a private file', async () => {
    const here = await startHere();
    expect(existsSync(pathOf(here))).toBe(false);
    const token = await add(here, 'ci', 'view');
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(await statusOf(here, token)).toBe(200);
    expect(statSync(pathOf(here)).mode & 0o777).toBe(0o600);
    expect(readFileSync(pathOf(here), 'utf8')).not.toContain(token);

    const [owner, ci] = await list(here);
    expect(owner).toMatchObject({ name: 'owner', role: 'control' });
    expect(Math.abs(owner!.last_used - Date.now())).toBeLessThan(60_000);
    expect(ci).toMatchObject({ name: 'ci', role: 'view' });
    expect(ci!.last_used).toBeGreaterThanOrEqual(ci!.created);
    // The first use is noted in the file at once.
    await eventually(() => readTokens(pathOf(here))[0]!.last_used === ci!.last_used);

    expect((await revoke(here, 'ci')).status).toBe(204);
    expect(await statusOf(here, token)).toBe(401);
    expect((await list(here)).map(({ name }) => name)).toEqual(['owner']);
    expect(codeOf(await revoke(here, 'ci'))).toBe('token_not_found');
  });

  test('the same name twice, a bad name or role, and the owner are refused', async () => {
    const here = await startHere();
    const token = await add(here, 'ci', 'view');
    expect([(await post(here, { name: 'ci', role: 'control' })).status, await statusOf(here, token)]).toEqual([
      409, 200,
    ]);
    for (const name of ['', 'a b', '../x', '-x', 'x'.repeat(65), 'owner', 'é', 'a\n', 7, null]) {
      const answer = await post(here, { name, role: 'view' });
      expect([answer.status, codeOf(answer)], String(name)).toEqual([400, 'bad_request']);
    }
    for (const role of ['', 'admin', undefined]) expect((await post(here, { name: 'x', role })).status).toBe(400);
    expect(codeOf(await revoke(here, 'owner'))).toBe('bad_request');
    expect((await list(here)).map(({ name }) => name)).toEqual(['owner', 'ci']);
  });

  test('of a viewer change nothing, neither tokens nor counters, and do not read who else there is', async () => {
    const here = await startHere({ compat: true });
    const view = await add(here, 'viewer', 'view');
    const control = await add(here, 'controller', 'control');
    for (const [token, status] of [
      [view, 403],
      [control, 200],
    ] as const) {
      const answers = [
        await post(here, { name: `by-${status}`, role: 'control' }, token),
        await ask(here, '/api/v1/tokens', { headers: bearer(token) }),
        await ask(here, '/api/v1/audit', { headers: bearer(token) }),
        await ask(here, `/push?key=by_${status}_total`, { method: 'POST', headers: bearer(token) }),
        // Open to everybody here, but for those who say that they only look.
        await ask(here, `/accumulate?key=by_${status}_total&value=1`, { headers: bearer(token) }),
      ];
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status));
    }
    expect(codeOf(await revoke(here, 'controller', view))).toBe('forbidden_role');
    expect((await list(here)).map(({ name }) => name)).toEqual(['owner', 'by-200', 'controller', 'viewer']);
    const { body } = await ask(here, '/metrics', { headers: bearer(view) });
    expect(body).toContain('by_200_total');
    expect(body).not.toContain('by_403_total');
  });

  test('there may be 100 of them', async () => {
    const here = await startHere();
    const tokens = Array.from({ length: 100 }, (_, i) => ({
      ...{ name: `t${i}`, role: 'view', hash: i.toString(16).padStart(64, '0'), created: 1, last_used: 0 },
    }));
    writeFileSync(pathOf(here), JSON.stringify({ version: 1, tokens }), { mode: 0o600 });
    expect(codeOf(await post(here, { name: 'more', role: 'view' }))).toBe('bad_request');
    expect((await revoke(here, 't7')).status).toBe(204);
    await add(here, 'more', 'view');
    expect(await list(here)).toHaveLength(101);
  });
});

describe('the live socket', () => {
  test("tells the reader's role, and ends when the token is revoked", async () => {
    const here = await startHere();
    const token = await add(here, 'screen', 'view');
    const other = await connectLive(liveUrl(here));
    other.send({ type: 'auth', token: here.engine.token });
    expect(await other.next('hello')).toMatchObject({ role: 'control' });
    const byMessage = await connectLive(liveUrl(here));
    byMessage.send({ type: 'auth', token });
    const byHeader = await connectLive(liveUrl(here), bearer(token));
    for (const reader of [byMessage, byHeader]) expect(await reader.next('hello')).toMatchObject({ role: 'view' });

    await revoke(here, 'screen');
    for (const reader of [byMessage, byHeader]) {
      expect((await reader.closing()).code).toBe(4401);
      expect(reader.of('error')[0]).toMatchObject({ code: 'unauthorized' });
    }
    other.send({ type: 'watch', topic: 'status' });
    await other.next('status');
    expect((await here.client.status()).live.readers).toBe(1);
  });
});

describe('the file of tokens', () => {
  test('is taken over while the engine runs: added ones at once, revoked ones soon, live views too', async () => {
    const here = await startHere();
    const { token } = await addToken(pathOf(here), { name: 'shell', role: 'view' }, Date.now());
    expect(await statusOf(here, token)).toBe(200);
    const reader = await connectLive(liveUrl(here), bearer(token));
    await reader.next('hello');
    await revokeToken(pathOf(here), 'shell');
    await eventually(async () => (await statusOf(here, token)) === 401);
    expect((await reader.closing()).code).toBe(4401);
    const changes = (await audit(here)).map(({ who, what, summary }) => [who.by, what, summary]);
    expect(changes).toEqual([
      ['file', 'token revoked', 'name=shell role=view'],
      ['file', 'token added', 'name=shell role=view'],
    ]);
  });

  test('is kept over a restart, with its last uses', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const first = await startHere({ data }, folder);
    const token = await add(first, 'ci', 'control');
    await statusOf(first, token);
    const [, used] = await list(first);
    await first.engine.close();
    expect(readTokens(join(data, 'tokens.json'))).toMatchObject([{ name: 'ci', last_used: used!.last_used }]);
    const second = await startHere({ data }, folder);
    expect(await statusOf(second, token, '/api/v1/audit')).toBe(200);
    expect((await audit(second)).map(({ what }) => what)).toEqual(['POST /api/v1/tokens']);
  });

  test.each<[string, (path: string) => void]>([
    ['others can read it', (path) => chmodSync(path, 0o644)],
    ['it is no JSON', (path) => writeFileSync(path, '{')],
    ['it has unknown parts', (path) => writeFileSync(path, '{"version":1,"tokens":[],"more":1}')],
    ['it is of a newer version', (path) => writeFileSync(path, '{"version":2,"tokens":[]}')],
  ])('lets nobody in but the owner when %s, and says so until it is well again', async (_what, spoil) => {
    const here = await startHere();
    const token = await add(here, 'ci', 'view');
    const good = readFileSync(pathOf(here), 'utf8');
    spoil(pathOf(here));
    await eventually(async () => (await statusOf(here, token)) === 401);
    expect((await here.client.status()).warnings).toEqual([
      expect.stringContaining('added tokens are not accepted: ') as string,
    ]);
    expect(codeOf(await ask(here, '/api/v1/tokens', { headers: withToken(here) }))).toBe('tokens_unavailable');
    expect(codeOf(await post(here, { name: 'x', role: 'view' }))).toBe('tokens_unavailable');
    chmodSync(pathOf(here), 0o600);
    writeFileSync(pathOf(here), good);
    await eventually(async () => (await statusOf(here, token)) === 200);
    expect((await here.client.status()).warnings).toEqual([]);
    // Nobody has added or revoked anything but this.
    expect((await audit(here)).filter(({ who }) => who.by === 'file')).toEqual([]);
  });

  test('does not stop the start when it is spoilt', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'data'), { mode: 0o700 });
    writeFileSync(join(folder, 'data', 'tokens.json'), 'nonsense', { mode: 0o600 });
    const here = await startHere({ data: join(folder, 'data') }, folder);
    expect((await here.client.status()).warnings[0]).toContain('tokens.json is no file of tokens');
  });

  test('survives changes by many at a time, and a lock that somebody left', async () => {
    const path = join(temporaryFolder(), 'a', 'tokens.json');
    const names = Array.from({ length: 20 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    await Promise.all(names.map((name) => addToken(path, { name, role: 'view' }, 1)));
    expect(
      readTokens(path)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names);
    writeFileSync(`${path}.lock`, '');
    const before = new Date(Date.now() - 60_000);
    utimesSync(`${path}.lock`, before, before);
    await revokeToken(path, 't00');
    expect(readTokens(path)).toHaveLength(19);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe('the audit log', () => {
  test('has who, what, when and how it ended, without secrets', async () => {
    const here = await startHere({ compat: true });
    const from = Date.now();
    const view = await add(here, 'viewer', 'view');
    await post(here, { name: 'more', role: 'control' }, view);
    await post(here, { name: 'viewer', role: 'view', password: 'hunter2' });
    await revoke(here, 'nobody');
    await ask(here, '/push?key=c_total&doc=secret-doc', { method: 'POST', headers: withToken(here) });
    for (let i = 0; i < 30; i++) await ask(here, '/accumulate?key=c_total&value=1');
    const socket = { socketPath: here.engine.ready.socket };
    await ask(socket, '/api/v1/tokens/viewer', { method: 'DELETE' });
    // Those of whom nobody knows who they are, and those who only look, change nothing.
    await ask(here, '/api/v1/tokens', {
      method: 'POST',
      headers: { ...bearer('wrong-token-wrong'), ...json },
      body: '{}',
    });
    await ask(here, '/api/v1/status', { method: 'POST', headers: withToken(here) });
    await ask(here, '/api/v1/nothing', { method: 'POST', headers: withToken(here) });
    await ask(here, '/trace/plot?jobid=x&filter=y', { method: 'POST', headers: withToken(here) });

    const entries = await eventually(async () => {
      const now = await audit(here);
      return now.find(({ what }) => what === 'GET /accumulate')?.count === 30 && now;
    });
    const owner = { by: 'token', name: 'owner' };
    expect(entries.toReversed().map(({ id: _id, time: _time, last: _last, ...rest }) => rest)).toEqual([
      {
        count: 1,
        who: owner,
        what: 'POST /api/v1/tokens',
        summary: 'name=viewer role=view',
        outcome: 'done',
        status: 200,
      },
      {
        ...{ count: 1, who: { by: 'token', name: 'viewer' }, what: 'POST /api/v1/tokens' },
        // Refused before its body was read.
        ...{ summary: '', outcome: 'refused', status: 403 },
      },
      {
        count: 1,
        who: owner,
        what: 'POST /api/v1/tokens',
        summary: 'name=viewer role=view',
        outcome: 'refused',
        status: 409,
      },
      {
        count: 1,
        who: owner,
        what: 'DELETE /api/v1/tokens/:name',
        summary: 'name=nobody',
        outcome: 'refused',
        status: 404,
      },
      { count: 1, who: owner, what: 'POST /push', summary: 'key=c_total', outcome: 'done', status: 200 },
      {
        ...{ count: 30, who: { by: 'compat', name: '127.0.0.1' }, what: 'GET /accumulate' },
        ...{ summary: 'key=c_total', outcome: 'done', status: 200 },
      },
      {
        ...{ count: 1, who: { by: 'socket', name: `uid ${process.getuid!()}` }, what: 'DELETE /api/v1/tokens/:name' },
        ...{ summary: 'name=viewer', outcome: 'done', status: 204 },
      },
    ]);
    const text = JSON.stringify(entries);
    for (const secret of [view, here.engine.token, 'hunter2', 'secret-doc']) expect(text).not.toContain(secret);
    for (const { time, last } of entries) {
      expect(time).toBeGreaterThanOrEqual(from);
      expect(last).toBeGreaterThanOrEqual(time);
    }
  });

  test('is read in pages', async () => {
    const here = await startHere();
    for (let i = 0; i < 7; i++) await add(here, `t${i}`, 'view');
    const names: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const from: string = cursor === null ? '' : `&cursor=${cursor}`;
      const answer = await ask(here, `/api/v1/audit?limit=3${from}`, { headers: withToken(here) });
      const page = AuditList.parse(answer.json());
      names.push(...page.entries.map(({ summary }) => summary.split(' ')[0]!));
      cursor = page.next;
      pages++;
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `name=t${i}`));
    for (const query of ['limit=0', 'limit=1001', 'cursor=x', 'cursor=-1']) {
      expect((await ask(here, `/api/v1/audit?${query}`, { headers: withToken(here) })).status, query).toBe(400);
    }
  });
});
