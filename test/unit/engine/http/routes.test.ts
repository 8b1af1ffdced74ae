import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError, ERROR_CODES, errorEntry, Problem, type ErrorCode } from '../../../../src/shared/errors.ts';
import { temporaryFolder } from '../../../support/tmp.ts';
import { appAlone, BEARER, routesOf } from './app.ts';

const HOST = { host: 'localhost' };
const KNOWN = { ...HOST, authorization: BEARER };

/** A path that matches a route's pattern. */
const pathOf = (url: string): string => url.replace(/:\w+/g, 'some-id').replace('*', 'some/thing');
/** The file of an export comes for a ticket. */
const isPublic = (path: string): boolean =>
  ['/', '/healthz', '/api/v1/exports/file'].includes(path) || /^\/(ui|assets)(\/|$)/.test(path);

function builtPage(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'assets', 'app-1a2b3c.js'), 'export const x = 1;');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  return folder;
}

describe('who may ask', () => {
  test('every route asks for the token, except the page, its assets and the health check', async () => {
    const app = await appAlone({ page: builtPage() });
    await app.ready();
    const routes = routesOf(app);
    const paths = routes.map(({ url }) => pathOf(url));
    for (const expected of [
      '/api/v1/status',
      '/api/v1/query',
      '/api/v1/live',
      '/job',
      '/metrics',
      '/profiles/get',
      '/healthz',
      '/',
    ]) {
      expect(paths).toContain(expected);
    }
    for (const { url, methods } of routes) {
      for (const method of methods) {
        const path = pathOf(url);
        const answer = await app.inject({ method: method as 'GET', url: path, headers: HOST });
        const reading = method === 'GET' || method === 'HEAD';
        if (isPublic(path) && reading) expect(answer.statusCode, `${method} ${path}`).not.toBe(401);
        else expect(answer.statusCode, `${method} ${path}`).toBe(401);
      }
    }
  });

  test.each([
    '/nothing',
    '/api',
    '/api/v1',
    '/api/v2/status',
    '/uifoo',
    '/assetsfoo',
    '/job.json',
    '/index.html',
    '/secret.txt',
  ])('the unknown path %s: 401 without a token, 404 with it', async (url) => {
    const app = await appAlone({ page: builtPage() });
    expect((await app.inject({ url, headers: HOST })).statusCode).toBe(401);
    const known = await app.inject({ url, headers: KNOWN });
    expect(known.statusCode).toBe(404);
    expect(Problem.parse(known.json()).code).toBe('not_found');
  });

  test('a websocket upgrade is the only way to the live socket without a token', async () => {
    const app = await appAlone();
    expect((await app.inject({ url: '/api/v1/live', headers: HOST })).statusCode).toBe(401);
    const answer = await app.inject({ url: '/api/v1/live', headers: KNOWN });
    expect(Problem.parse(answer.json())).toMatchObject({ status: 400, code: 'bad_request' });
  });

  test('a wrong token is answered late, and a right one meanwhile at once', async () => {
    const app = await appAlone();
    const order: string[] = [];
    const wrong = app
      .inject({ url: '/x', headers: { ...HOST, authorization: 'Bearer wrong' } })
      .then((a) => order.push(`wrong ${a.statusCode}`));
    const right = app.inject({ url: '/x', headers: KNOWN }).then((a) => order.push(`right ${a.statusCode}`));
    const none = app.inject({ url: '/x', headers: HOST }).then((a) => order.push(`none ${a.statusCode}`));
    await Promise.all([wrong, right, none]);
    expect(order.at(-1)).toBe('wrong 401');
    expect(order.toSorted()).toEqual(['none 401', 'right 404', 'wrong 401']);
  });

  test('many wrong tokens at a time never shut out the right one', async () => {
    const app = await appAlone();
    const wrong = Array.from({ length: 300 }, (_, i) =>
      app.inject({ url: '/x', headers: { ...HOST, authorization: `Bearer no-${i}` } }),
    );
    let waiting = 300;
    for (const one of wrong) void one.then(() => waiting--);
    const answer = await app.inject({ url: '/x', headers: KNOWN });
    expect(answer.statusCode).toBe(404);
    expect(waiting).toBe(300);
    for (const one of await Promise.all(wrong)) expect(one.statusCode).toBe(401);
  });

  test.each([
    'Bearer',
    'bearer ',
    'Basic eDp5',
    BEARER.slice(7),
    `${BEARER}x`,
    `Bearer  ${BEARER}`,
    `Token ${BEARER.slice(7)}`,
  ])('the header %j opens nothing', async (authorization) => {
    const app = await appAlone();
    const answer = await app.inject({ url: '/nothing', headers: { ...HOST, authorization } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(Problem.parse(answer.json()).code).toBe('unauthorized');
  });
});

describe('--compat', () => {
  test('opens the routes of the old proxies to loopback, and nothing else', async () => {
    const app = await appAlone({ compat: true });
    await app.ready();
    const open: string[] = [];
    for (const { url } of routesOf(app)) {
      const path = pathOf(url);
      const answer = await app.inject({ url: path, headers: HOST, remoteAddress: '127.0.0.1' });
      if (answer.statusCode !== 401 && !isPublic(path)) open.push(path);
    }
    expect(open).toContain('/job/list');
    expect(open).toContain('/profiles/get');
    const groups = new Set(open.map((path) => path.split('/')[1]!));
    const [alarms, changes] = [['alarms'], ['accumulate', 'push', 'set']];
    const tree = ['disconnect', 'is_admire_proxy.html', 'join', 'leave', 'period', 'pivot', 'remove', 'topo'];
    const data = ['ftio', 'get', 'job', 'metrics', 'model', 'profiles', 'queue', 'trace'];
    expect([...groups].toSorted()).toEqual([...alarms, ...changes, ...tree, ...data].toSorted());
  });

  test('lets GET change something there, for loopback and its networks, and for nobody else', async () => {
    const app = await appAlone({ compat: true, compatNetworks: ['10.1.0.0/16'] });
    const ask = async (remoteAddress: string, headers: Record<string, string> = HOST): Promise<number> =>
      (await app.inject({ url: '/set', headers, remoteAddress })).statusCode;
    // 400: the route itself was reached, and misses its parameters.
    expect(await ask('127.0.0.1')).toBe(400);
    expect(await ask('10.1.2.3')).toBe(400);
    expect(await ask('10.2.2.3')).toBe(401);
    expect(await ask('10.2.2.3', KNOWN)).toBe(405);
    const closed = await appAlone();
    const answer = await closed.inject({ url: '/set', headers: KNOWN });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'POST']);
    expect(Problem.parse(answer.json()).code).toBe('method_not_allowed');
  });

  test.each([
    ['10.1.255.255', 400],
    ['10.2.0.0', 401],
    ['::ffff:10.1.0.1', 400],
    ['192.168.7.7', 400],
    ['192.168.7.8', 401],
    ['2001:db8::5', 400],
    ['2001:db9::5', 401],
    ['fe80::1%eth0', 400],
    ['not an address', 401],
  ])('opens them to networks that were named: %s is answered %i', async (remoteAddress, status) => {
    const app = await appAlone({
      compat: true,
      compatNetworks: ['10.1.0.0/16', '192.168.7.7', '2001:db8::/32', 'fe80::/10'],
    });
    expect((await app.inject({ url: '/job/zzz', headers: HOST, remoteAddress })).statusCode).toBe(status);
    expect((await app.inject({ url: '/api/v1/runs', headers: HOST, remoteAddress })).statusCode).toBe(401);
  });

  test.each([
    ['127.0.0.1', 400],
    ['127.9.9.9', 400],
    ['::1', 400],
    ['::ffff:127.0.0.1', 400],
    ['10.0.0.1', 401],
    ['::ffff:10.0.0.1', 401],
    ['2001:db8::1', 401],
    ['1.127.0.1', 401],
  ])('a client at %s is answered %i', async (remoteAddress, status) => {
    const app = await appAlone({ compat: true });
    expect((await app.inject({ url: '/job/zzz', headers: HOST, remoteAddress })).statusCode).toBe(status);
  });

  test('without it the same routes need the token', async () => {
    const app = await appAlone();
    expect((await app.inject({ url: '/job/zzz', headers: HOST })).statusCode).toBe(401);
  });

  test('does not open them to other pages or other host names', async () => {
    const app = await appAlone({ compat: true });
    const ask = (headers: Record<string, string>) => app.inject({ url: '/job/zzz', headers });
    expect((await ask({ host: 'evil.example' })).json()).toMatchObject({ code: 'forbidden_host' });
    expect((await ask({ host: 'localhost', origin: 'http://evil.example' })).json()).toMatchObject({
      code: 'forbidden_origin',
    });
  });
});

describe('methods', () => {
  test('reading routes answer GET and HEAD; other methods are told so and change nothing', async () => {
    const app = await appAlone();
    await app.ready();
    // The one that is only read; the others change something, and are refused on GET elsewhere.
    const posted = [
      '/accumulate',
      '/api/v1/alarms/acknowledge',
      '/api/v1/alarms/packs/:id',
      '/api/v1/alarms/preview',
      '/api/v1/alarms/rules',
      '/api/v1/alarms/rules/import',
      '/api/v1/channels',
      '/api/v1/channels/test',
      '/api/v1/silences',
      '/api/v1/silences/preview',
      '/api/v1/connections',
      '/api/v1/connections/prompts/:id',
      ...['connect', 'disconnect', 'forwards'].map((action) => `/api/v1/connections/:id/${action}`),
      ...['start', 'stop', 'upgrade', 'remove', 'cancel'].map((action) => `/api/v1/connections/:id/engine/${action}`),
      ...['change', 'compare', 'delete', 'import', 'restore', 'rules/preview'].map((end) => `/api/v1/profiles/${end}`),
      '/api/v1/exports',
      '/api/v1/store/keeps',
      '/api/v1/targets',
      '/api/v1/targets/probe',
      '/api/v1/targets/bulk',
      '/api/v1/targets/import',
      '/api/v1/targets/:id/restore',
      '/api/v1/targets/:id/scrape',
      '/api/v1/tokens',
      '/alarms/add',
      '/alarms/del',
      '/model/plot',
      '/push',
      '/set',
      '/trace/plot',
      ...['/disconnect', '/join', '/join/multiple', '/leave', '/pivot', '/remove'],
    ];
    const removed = [
      ...['/api/v1/connections/:id/forwards/:forward', '/api/v1/connections/:id/secrets'],
      ...['/api/v1/store/keeps/:id', '/api/v1/tokens/:name'],
    ];
    const replaced = ['/api/v1/channels/routes', '/api/v1/profiles/rules', '/api/v1/store/retention'];
    const changed = [
      ...['/api/v1/alarms/rules/:id', '/api/v1/channels/:id'],
      ...['/api/v1/connections/:id', '/api/v1/profiles/:id', '/api/v1/targets/:id'],
    ];
    const ended = ['/api/v1/exports/:id', '/api/v1/silences/:id'];
    const passed = '/api/v1/engines/:engine/*';
    for (const { url } of routesOf(app)) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (method === 'POST' && posted.includes(url)) continue;
        if (method === 'DELETE' && [...removed, ...changed, ...ended].includes(url)) continue;
        if (method === 'PUT' && replaced.includes(url)) continue;
        if (method === 'PATCH' && changed.includes(url)) continue;
        // All that is below it is passed on, with whatever method.
        if (method !== 'OPTIONS' && url.startsWith(passed.slice(0, -1))) continue;
        const answer = await app.inject({ method, url: pathOf(url), headers: KNOWN });
        expect(answer.statusCode, `${method} ${url}`).toBe(405);
        expect(Problem.parse(answer.json()).code).toBe('method_not_allowed');
        if (removed.includes(url)) expect(answer.headers['allow']).toBe('DELETE');
        else if (replaced.includes(url)) expect(answer.headers['allow']).toBe('GET, HEAD, PUT');
        else if (changed.includes(url)) expect(answer.headers['allow']).toContain('PATCH');
        else if (ended.includes(url)) expect(answer.headers['allow']).toContain('DELETE');
        else if (url === passed) expect(answer.headers['allow']).toContain('DELETE');
        else if (!posted.includes(url)) expect(answer.headers['allow']).toBe('GET, HEAD');
        else expect(answer.headers['allow']).toContain('POST');
      }
    }
  });

  test('HEAD has the headers of GET and no body', async () => {
    const app = await appAlone();
    const [get, head] = [
      await app.inject({ url: '/healthz', headers: HOST }),
      await app.inject({ method: 'HEAD', url: '/healthz', headers: HOST }),
    ];
    expect([head.statusCode, head.headers['content-type'], head.headers['content-length'], head.body]).toEqual([
      200,
      get.headers['content-type'],
      get.headers['content-length'],
      '',
    ]);
  });

  test('a body that nobody will read is refused before it is looked at', async () => {
    const app = await appAlone();
    const headers = { ...KNOWN, 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url: '/api/v1/status', headers, payload: '{' });
    expect(answer.statusCode).toBe(405);
  });
});

describe('security headers', () => {
  test.each([
    ['the page', '/', HOST, 200],
    ['a view', '/ui/jobs', HOST, 200],
    ['the health check', '/healthz', HOST, 200],
    ['the API', '/api/v1/openapi.json', KNOWN, 200],
    ['no token', '/api/v1/status', HOST, 401],
    ['not found', '/nothing', KNOWN, 404],
    ['an error of ours', '/api/v1/status', KNOWN, 500],
    ['an old route', '/job/zzz', KNOWN, 400],
    ['a wrong host', '/', { host: 'evil.example' }, 403],
    ['a bad path', '/%zz', KNOWN, 400],
  ])('are on %s', async (_name, url, headers, status) => {
    const app = await appAlone({ page: builtPage() });
    const answer = await app.inject({ url, headers });
    expect(answer.statusCode).toBe(status);
    const csp = new Map(
      String(answer.headers['content-security-policy'])
        .split(';')
        .map((directive) => {
          const [name, ...values] = directive.trim().split(' ');
          return [name!, values.join(' ')];
        }),
    );
    expect(csp.get('default-src')).toBe("'none'");
    expect(csp.get('script-src')).toBe("'self'");
    expect(csp.get('frame-ancestors')).toBe("'none'");
    expect(csp.get('base-uri')).toBe("'none'");
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('assets may be kept, their names change with their content; other headers stand', async () => {
    const app = await appAlone({ page: builtPage() });
    const answer = await app.inject({ url: '/assets/app-1a2b3c.js', headers: HOST });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toContain('immutable');
    expect(answer.headers['content-type']).toContain('javascript');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  test.each([
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/%2e%2e%2fsecret.txt',
    '/assets//etc/passwd',
    '/assets/',
  ])('nothing beside the assets is served: %s', async (url) => {
    const app = await appAlone({ page: builtPage() });
    const answer = await app.inject({ url, headers: KNOWN });
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('secret\n');
  });
});

describe('the page', () => {
  test('is the same for / and every view, and says how to build it where it is not', async () => {
    const app = await appAlone({ page: builtPage() });
    const first = await app.inject({ url: '/', headers: HOST });
    expect(first.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const url of ['/ui', '/ui/', '/ui/jobs', '/ui/job/a%2Fb?x=1']) {
      expect((await app.inject({ url, headers: HOST })).body).toBe(first.body);
    }
    const none = await appAlone();
    for (const url of ['/', '/ui', '/ui/jobs']) {
      const answer = await none.inject({ url, headers: HOST });
      expect(answer.statusCode).toBe(503);
      expect(answer.body).toContain('npm run build');
    }
  });

  test('a newer one that is built meanwhile is served, and what the old one had is not found', async () => {
    const directory = builtPage();
    const app = await appAlone({ page: directory });
    const get = (url: string) => app.inject({ url, headers: HOST });
    expect((await get('/assets/app-1a2b3c.js')).statusCode).toBe(200);
    renameSync(join(directory, 'assets/app-1a2b3c.js'), join(directory, 'assets/app-4d5e6f.js'));
    writeFileSync(join(directory, 'index.html'), 'newer');
    expect((await get('/ui/jobs')).body).toBe('newer');
    const gone = await get('/assets/app-1a2b3c.js');
    expect(gone.statusCode).toBe(404);
    expect(gone.body).toContain('reload the page');
    expect((await get('/assets/app-4d5e6f.js')).statusCode).toBe(200);
    rmSync(directory, { recursive: true });
    expect((await get('/')).statusCode).toBe(503);
    expect((await get('/assets/app-4d5e6f.js')).statusCode).toBe(404);
  });
});

describe('errors', () => {
  test.each<
    [string, { url: string; method?: 'POST'; headers: Record<string, string>; payload?: string }, number, ErrorCode]
  >([
    ['a parameter that is no number', { url: '/api/v1/runs?limit=many', headers: KNOWN }, 400, 'bad_request'],
    ['a missing parameter', { url: '/api/v1/series', headers: KNOWN }, 400, 'bad_request'],
    ['a path that cannot be decoded', { url: '/%zz', headers: KNOWN }, 400, 'bad_request'],
    ['an endless name', { url: `/api/v1/runs/${'x'.repeat(3000)}`, headers: KNOWN }, 400, 'bad_request'],
    ['no token', { url: '/api/v1/status', headers: HOST }, 401, 'unauthorized'],
    ['a foreign host', { url: '/api/v1/status', headers: { ...KNOWN, host: 'evil.example' } }, 403, 'forbidden_host'],
    [
      'a foreign page',
      { url: '/api/v1/status', headers: { ...KNOWN, origin: 'http://evil.example' } },
      403,
      'forbidden_origin',
    ],
    ['an unknown path', { url: '/api/v1/nothing', headers: KNOWN }, 404, 'not_found'],
    ['a wrong method', { url: '/api/v1/status', method: 'POST', headers: KNOWN }, 405, 'method_not_allowed'],
    ['a fault of the engine', { url: '/api/v1/status', headers: KNOWN }, 500, 'internal'],
  ])('%s', async (_name, request, status, code) => {
    const app = await appAlone();
    const answer = await app.inject(request);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const problem = Problem.strict().parse(answer.json());
    expect(problem).toMatchObject({ status, code, title: errorEntry(code).title });
    expect(problem.detail.length).toBeGreaterThan(0);
    expect(problem.detail.length).toBeLessThan(1000);
  });

  test('a body that is too large, or of another kind, is told so', async () => {
    const app = await appAlone();
    app.post('/test', async () => ({}));
    const post = (headers: Record<string, string>, payload: string) =>
      app.inject({ method: 'POST', url: '/test', headers: { ...KNOWN, ...headers }, payload });
    const json = { 'content-type': 'application/json' };
    const large = await post(json, JSON.stringify('x'.repeat(1024 * 1024)));
    expect(Problem.parse(large.json())).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(large.statusCode).toBe(413);
    const xml = await post({ 'content-type': 'application/xml' }, '<a/>');
    expect(Problem.parse(xml.json())).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    expect(xml.statusCode).toBe(415);
    const broken = await post(json, '{"a":');
    expect(Problem.parse(broken.json())).toMatchObject({ status: 400, code: 'bad_request' });
  });

  test('a fault is told to the log, not to the client', async () => {
    const errors: unknown[] = [];
    const app = await appAlone({ onError: (error) => errors.push(error) });
    app.get('/test', async () => {
      throw new Error('the secret reason');
    });
    const answer = await app.inject({ url: '/test', headers: KNOWN });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(String(errors[0])).toContain('the secret reason');
  });

  test('each code of the catalogue makes a problem that is valid and has its own status', () => {
    for (const code of ERROR_CODES) {
      const error = new ApiError(code, 'what is wrong');
      const { status, title } = errorEntry(code);
      expect(Problem.strict().parse(error.toProblem())).toEqual({
        type: 'about:blank',
        title,
        status,
        code,
        detail: 'what is wrong',
      });
    }
  });

  test('the catalogue and its table in docs/api.md are equal', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/api.md'), 'utf8');
    const documented = [...text.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| (.+?) +\|/gm)].map(
      ([, code, status, title]) => [code, Number(status), title],
    );
    const catalogue = ERROR_CODES.map((code) => [code, errorEntry(code).status, errorEntry(code).title]);
    expect(documented).toEqual(catalogue);
  });

  test('every route of the application is in docs/api.md, and no other', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/api.md'), 'utf8');
    const documented = new Set(
      [...text.matchAll(/^### `(?:GET|POST|PUT|PATCH|DELETE) (\S+?)`/gm)].map(([, path]) => path!),
    );
    const app = await appAlone({ page: builtPage() });
    await app.ready();
    const served = new Set(routesOf(app).map(({ url }) => url.replace(/:(\w+)/g, '{$1}')));
    expect([...documented].toSorted()).toEqual([...served].toSorted());
  });
});
