import { networkInterfaces } from 'node:os';
import { Agent, request } from 'node:http';
import { createConnection } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from '../http/here.ts';
import { add, counter, gauge, job, push, set } from './wire.ts';

const metrics = async (here: Here): Promise<string> => (await here.client.raw('/metrics')).body;

describe('/metrics is no Prometheus text', () => {
  test('a counter has its value, not the time it changed', async () => {
    const here = await startHere({ node: false });
    await push(here, counter('c_total', 'calls'), add('c_total', 42));
    await eventually(async () => (await metrics(here)).includes('\n# TYPE c_total counter\nc_total 42\n'));
  });

  test('a gauge is typed as one', async () => {
    const here = await startHere({ node: false });
    await push(here, gauge('g'), set('g', 1, 3, 2, 4));
    await eventually(async () => (await metrics(here)).includes('\n# TYPE g gauge\ng 2\n'));
  });
});

describe('everybody can read and change everything', () => {
  test('it listens on loopback only', async () => {
    const here = await startHere({ node: false });
    expect(new URL(here.url).hostname).toBe('127.0.0.1');
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of outside) {
      const socket = createConnection(Number(new URL(here.url).port), address);
      const outcome = await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected')).once('error', () => resolve('refused'));
      });
      socket.destroy();
      expect(outcome).toBe('refused');
    }
  });

  const CHANGING = [
    '/set?key=c&value=1',
    '/push?key=c',
    '/accumulate?key=c&value=1',
    '/join?to=127.0.0.1:1&period=100',
    '/leave?from=x',
    '/remove?from=a&target=b',
    '/alarms/add?name=a&target=main&metric=c&operation=%3E&value=1',
    '/alarms/del?targetjob=main&name=a',
    '/disconnect',
    '/pivot?from=x',
  ];

  test.each(CHANGING)('GET %s changes nothing without the token, and nothing with it', async (path) => {
    const here = await startHere({ node: false });
    const seen = async (): Promise<unknown> =>
      Promise.all(
        ['/job/list', '/join/list', '/alarms/list', '/topo'].map(async (one) => (await here.client.raw(one)).body),
      );
    const before = await seen();
    expect((await ask(here, path)).status).toBe(401);
    const answer = await ask(here, path, { headers: withToken(here) });
    // Where there is nothing to leave or remove, that is done.
    if (!/^.(leave|remove|disconnect)/.test(path)) expect([400, 404, 405]).toContain(answer.status);
    expect(await seen()).toEqual(before);
    expect(await metrics(here)).not.toMatch(/^c /m);
  });
});

describe('a missing parameter makes the handler panic', () => {
  test.each(['/set', '/push', '/accumulate'])(
    '%s with nothing, or with half: 400, and the engine goes on',
    async (path) => {
      const here = await startHere({ node: false });
      const headers = { ...withToken(here), 'content-type': 'application/json' };
      for (const body of [
        '{}',
        '{"key":"c"}',
        '{"value":1}',
        '{"key":1,"value":"x"}',
        '[]',
        'null',
        '"x"',
        '{"key":',
      ]) {
        if (path === '/push' && body === '{"key":"c"}') continue;
        const answer = await ask(here, path, { method: 'POST', headers, body });
        expect([answer.status, body]).toEqual([400, body]);
      }
      const without = await ask(here, path, { method: 'POST', headers: withToken(here) });
      expect(without.status).toBe(400);
      expect(JSON.parse(without.body)).toMatchObject({ success: false });
      expect(here.log.filter(({ level }) => level >= 50)).toEqual([]);
    },
  );
});

describe('what is not there', () => {
  test('is told so: an unknown job or metric 400 in the old shape, an unknown page 404', async () => {
    const here = await startHere({ node: false });
    for (const path of [
      '/job/?job=nobody',
      '/metrics?job=nobody',
      '/profiles/get?jobid=nobody',
      '/trace/read?job=nobody',
    ]) {
      const { status, body } = await here.client.raw(path);
      expect([status, path]).toEqual([400, path]);
      expect(JSON.parse(body)).toEqual({ operation: expect.any(String) as string, success: false });
    }
    expect((await here.client.raw('/nothing')).status).toBe(404);
  });
});

describe('some keep-alive connections are never answered', () => {
  test('64 connections that ask again and again are all answered, each time', async () => {
    const here = await startHere({ node: false });
    await push(here, job('j'), counter('c'), add('c', 1));
    const port = Number(new URL(here.url).port);
    const answered = Array.from({ length: 64 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      for (let i = 0; i < 10; i++) {
        const status = await new Promise((resolve, reject) => {
          request({ port, host: '127.0.0.1', path: '/job/list', headers: withToken(here), agent }, (answer) => {
            answer.resume().on('end', () => resolve(answer.statusCode));
          })
            .on('error', reject)
            .end();
        });
        expect(status).toBe(200);
      }
      return true;
    });
    expect(await Promise.all(answered)).toEqual(Array.from({ length: 64 }, () => true));
    // One connection each: none was opened anew because an answer did not come.
    expect((await here.client.status()).limits.http_connections.used).toBeGreaterThanOrEqual(64);
  });
});

describe('a number that JSON cannot write', () => {
  test('/job is read by every parser, whatever clients sent', async () => {
    const here = await startHere({ node: false });
    await push(
      here,
      counter('c'),
      add('c', 'null'),
      add('c', '1e999'),
      gauge('g'),
      '{"Value":{"name":"g","value":{"Gauge":{"min":null,"max":null,"hits":0,"total":0}}}}\0',
    );
    await eventually(async () => (await here.client.status()).ingest.rejected['not_finite'] === 3);
    const { body } = await here.client.raw('/job/?job=main');
    expect(body).not.toContain('null');
    expect(() => JSON.parse(body) as unknown).not.toThrow();
  });
});
