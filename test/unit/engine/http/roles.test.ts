import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Auth, changesState, checkRole, TokenCheck, type RouteRole } from '../../../../src/engine/http/auth.ts';
import { VIEW_READS } from '../../../../src/engine/remote/engines/pass.ts';
import { Tokens } from '../../../../src/engine/tokens/tokens.ts';
import { Problem } from '../../../../src/shared/errors.ts';
import { temporaryFolder } from '../../../support/tmp.ts';
import { appAlone, BEARER, routesOf, TOKEN } from './app.ts';

const pathOf = (url: string): string => url.replace(/:\w+/g, 'some-id').replace('*', 'some/thing');
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** What takes a body, but changes nothing. */
const READING = [
  // Of what it asked for itself.
  'DELETE /api/v1/exports/:id',
  'POST /api/v1/alarms/preview',
  'POST /api/v1/exports',
  ...['compare', 'rules/preview'].map((what) => `POST /api/v1/profiles/${what}`),
  'POST /api/v1/silences/preview',
  'POST /trace/plot',
];
/** What only those who may control can read. */
const CONTROL = [
  ...['/api/v1/audit', '/api/v1/tokens'],
  ...['hosts', 'prompts', ':id/log'].map((what) => `/api/v1/connections/${what}`),
];
/** What changes something on GET, for old programs. */
const CHANGING = [
  ...['/accumulate', '/push', '/set'],
  ...['/alarms/del', '/disconnect', '/join', '/join/multiple', '/leave', '/pivot', '/remove'],
];

async function appWithRoles(compat = false) {
  const tokens = new Tokens({ path: join(temporaryFolder(), 'tokens.json'), now: Date.now });
  onTestFinished(() => tokens.close());
  const { token: view } = await tokens.add({ name: 'viewer', role: 'view' });
  const { token: control } = await tokens.add({ name: 'controller', role: 'control' });
  const auth = new Auth({ token: new TokenCheck(TOKEN), tokens, allowHosts: [], compat });
  const app = await appAlone({ auth });
  await app.ready();
  return {
    app,
    routes: routesOf(app),
    ask: (method: (typeof METHODS)[number], url: string, token: string) =>
      app.inject({ method, url, headers: { host: 'localhost', authorization: `Bearer ${token}` } }),
    view,
    control,
  };
}

describe('a token that may only view', () => {
  test.each([false, true])('is refused by every route that changes something (--compat: %s)', async (compat) => {
    const { routes, ask, view } = await appWithRoles(compat);
    const refused: string[] = [];
    const allowed: string[] = [];
    for (const { url, methods } of routes) {
      for (const method of methods as typeof METHODS) {
        const answer = await ask(method, pathOf(url), view);
        const code = method === 'HEAD' ? '' : Problem.safeParse(safeJson(answer.body)).data?.code;
        // Not served with this method: nothing is reached.
        if (answer.statusCode === 405) continue;
        if (answer.statusCode === 403) {
          if (method !== 'HEAD') expect(code).toBe('forbidden_role');
          refused.push(`${method} ${url}`);
        } else allowed.push(`${method} ${url}`);
      }
    }
    const reading = ['GET', 'HEAD', 'OPTIONS'];
    expect(allowed.filter((each) => !reading.includes(each.split(' ')[0]!)).toSorted()).toEqual(READING);
    expect(refused.filter((each) => reading.includes(each.split(' ')[0]!)).toSorted()).toEqual(
      [...CHANGING.map((url) => `GET ${url}`), ...CONTROL.flatMap((url) => [`GET ${url}`, `HEAD ${url}`])].toSorted(),
    );
    for (const each of ['POST /api/v1/tokens', 'DELETE /api/v1/tokens/:name', 'POST /push', 'POST /alarms/add']) {
      expect(refused).toContain(each);
    }
    for (const each of ['GET /api/v1/status', 'GET /api/v1/whoami', 'GET /job', 'GET /metrics', 'GET /']) {
      expect(allowed).toContain(each);
    }
  });

  test('nothing else is refused for its role: with control each of these routes is reached', async () => {
    const { routes, ask, control } = await appWithRoles();
    for (const { url, methods } of routes) {
      for (const method of methods as typeof METHODS) {
        const { statusCode } = await ask(method, pathOf(url), control);
        expect([401, 403], `${method} ${url}`).not.toContain(statusCode);
      }
    }
  });

  test('a wrong method is told as to everybody; where nothing is, nothing can be changed either', async () => {
    const { ask, view } = await appWithRoles();
    expect((await ask('POST', '/api/v1/status', view)).json()).toMatchObject({ code: 'method_not_allowed' });
    expect((await ask('POST', '/api/v1/nothing', view)).statusCode).toBe(403);
    expect((await ask('GET', '/api/v1/nothing', view)).json()).toMatchObject({ code: 'not_found' });
  });
});

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

test('a route that says nothing of itself needs control for whatever is not read', () => {
  const viewer = { role: 'view', by: 'token', name: 'v', added: null } as const;
  const owner = { ...viewer, role: 'control' } as const;
  const cases: [method: string, route: RouteRole, changes: boolean, refused: boolean][] = [
    ['GET', {}, false, false],
    ['HEAD', {}, false, false],
    ['OPTIONS', {}, false, false],
    ['POST', {}, true, true],
    ['DELETE', {}, true, true],
    ['WHATEVER', {}, true, true],
    ['GET', { changes: true }, true, true],
    ['GET', { changes: true, reads: true }, true, true],
    ['GET', { control: true }, false, true],
    ['POST', { reads: true }, false, false],
    ['POST', { reads: true, control: true }, false, true],
  ];
  for (const [method, route, changes, refused] of cases) {
    const what = `${method} ${JSON.stringify(route)}`;
    expect(changesState(method, route), what).toBe(changes);
    expect(() => checkRole(owner, method, route), what).not.toThrow();
    const view = (): void => checkRole(viewer, method, route);
    if (refused) expect(view, what).toThrow('the token "v" may only view; this needs one with the role control');
    else expect(view, what).not.toThrow();
  }
});

test("the owner's token and added ones are told apart by name; unknown ones are nobody's", async () => {
  const { ask, view, control } = await appWithRoles();
  expect((await ask('GET', '/api/v1/whoami', view)).json()).toEqual({ role: 'view', by: 'token', name: 'viewer' });
  const controller = { role: 'control', by: 'token', name: 'controller' };
  expect((await ask('GET', '/api/v1/whoami', control)).json()).toEqual(controller);
  const owner = { role: 'control', by: 'token', name: 'owner' };
  expect((await ask('GET', '/api/v1/whoami', BEARER.slice(7))).json()).toEqual(owner);
  expect((await ask('GET', '/api/v1/whoami', `${view}x`)).statusCode).toBe(401);
});

test('of another engine the role view may read what it may read of this one', async () => {
  const { routes, ask, view } = await appWithRoles();
  const groups = new Map<string, boolean>();
  for (const { url, methods } of routes) {
    const group = /^\/api\/v1\/([^/:*]+)/.exec(url)?.[1];
    if (group === undefined || !methods.includes('GET')) continue;
    const { statusCode } = await ask('GET', pathOf(url), view);
    // Nothing is read there.
    if (statusCode === 405) continue;
    groups.set(group, (groups.get(group) ?? true) && statusCode !== 403);
  }
  // Its connections and what is behind it are never passed on.
  for (const group of ['connections', 'engines', 'live']) groups.delete(group);
  const readable = [...groups].filter(([, isRead]) => isRead).map(([group]) => group);
  expect([...VIEW_READS].toSorted()).toEqual(readable.toSorted());
});
