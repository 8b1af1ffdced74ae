import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EngineClient, EngineError } from '../../../src/client/http.ts';
import { temporaryFolder } from '../../support/tmp.ts';

async function serverAt(where: string | 0, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    if (where === 0) server.listen(0, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });
  onTestFinished(() => void server.close());
  return where === 0 ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : where;
}

const seen = (request: IncomingMessage): [string, string | undefined] => [request.url!, request.headers.authorization];

test('asks with the token and with encoded parameters; parts that are absent are left out', async () => {
  const asked: [string, string | undefined][] = [];
  const url = await serverAt(0, (request, answer) => {
    asked.push(seen(request));
    answer.end('{"runs":[],"next":null}');
  });
  const client = new EngineClient({ url, token: 'secret' });
  expect(await client.runs()).toEqual({ runs: [], next: null });
  await client.runs({ state: 'live', search: 'a&b=ü', limit: 5 });
  await client.query({ scope: 'run/x', series: ['a{b="1"}', 'c'], from: 1, to: 2 }).catch(() => {});
  await client.run('a/../b').catch(() => {});
  expect(asked).toEqual([
    ['/api/v1/runs', 'Bearer secret'],
    ['/api/v1/runs?state=live&search=a%26b%3D%C3%BC&limit=5', 'Bearer secret'],
    ['/api/v1/query?scope=run%2Fx&series=a%7Bb%3D%221%22%7D&series=c&from=1&to=2', 'Bearer secret'],
    ['/api/v1/runs/a%2F..%2Fb', 'Bearer secret'],
  ]);
});

test('speaks over a socket without a token', async () => {
  const asked: [string, string | undefined][] = [];
  const socket = await serverAt(join(temporaryFolder(), 's'), (request, answer) => {
    asked.push(seen(request));
    answer.end('{"nodes":[]}');
  });
  expect(await new EngineClient({ socket }).nodes()).toEqual({ nodes: [] });
  expect(asked).toEqual([['/api/v1/nodes', undefined]]);
});

test('a refusal has the status, code and words of the answer', async () => {
  const problem = {
    type: 'about:blank',
    title: 'No such run',
    status: 404,
    code: 'run_not_found',
    detail: 'it is gone',
  };
  const url = await serverAt(0, (_request, answer) => void answer.writeHead(404).end(JSON.stringify(problem)));
  const error = await new EngineClient({ url, token: 't' }).run('x').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ status: 404, code: 'run_not_found', message: 'it is gone' });
});

test.each([
  [500, '<html>', 'not_json', 'is this a Vigie engine?'],
  [502, '{"error":1}', 'unknown', 'status 502'],
])('whoever answers %i with %s is no engine', async (status, body, code, words) => {
  const url = await serverAt(0, (_request, answer) => void answer.writeHead(status).end(body));
  const error = (await new EngineClient({ url, token: 't' }).status().catch((e: unknown) => e)) as EngineError;
  expect([error.status, error.code]).toEqual([status, code]);
  expect(error.message).toContain(words);
});

test('an answer of another shape is not taken', async () => {
  const url = await serverAt(0, (_request, answer) => void answer.end('{"runs":"none"}'));
  await expect(new EngineClient({ url, token: 't' }).runs()).rejects.toThrow('runs');
});

test('nobody there, or gone within the answer', async () => {
  await expect(new EngineClient({ socket: join(temporaryFolder(), 'none') }).status()).rejects.toThrow('ENOENT');
  const url = await serverAt(0, (_request, answer) => {
    answer.writeHead(200, { 'content-length': 100 }).write('{');
    setImmediate(() => answer.destroy());
  });
  await expect(new EngineClient({ url, token: 't' }).status()).rejects.toThrow();
});
