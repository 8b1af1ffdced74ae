/** What a target is shown, and what the engine opens for it. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BulkResult, ProbeResult } from '../../../src/shared/api/targets.ts';
import { closedPort, httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { ask, startHere, withToken, type Here } from '../http/here.ts';
import { addTarget, listed, send, targetOf, until } from './support.ts';

const QUICK = { period: '250ms', timeout: '250ms' };
const BEARER = { kind: 'bearer', token: 'secret' } as const;

/** An exporter that notes what it was shown. */
async function exporter(): Promise<{ url: string; shown: Set<string> }> {
  const shown = new Set<string>();
  const port = await httpServer((request, response) => {
    shown.add(request.headers.authorization ?? 'nothing');
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('g 1\n');
  });
  return { url: `http://127.0.0.1:${port}/metrics`, shown };
}

async function probed(here: Here, given: unknown): Promise<ProbeResult> {
  return ProbeResult.parse((await send(here, 'POST', '/targets/probe', given)).json());
}

test('another server is not shown the token of the one before, neither to be looked at nor for good', async () => {
  const here = await startHere({ node: false });
  const [own, other] = [await exporter(), await exporter()];
  const { id } = await addTarget(here, { url: own.url, type: 'prometheus', auth: BEARER, ...QUICK });
  await until(here, id, ({ state }) => state === 'up');
  expect([...own.shown]).toEqual(['Bearer secret']);

  expect((await probed(here, { url: other.url, id })).type).toBe('prometheus');
  const refused = await send(here, 'PATCH', `/targets/${id}`, { url: other.url });
  expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('give it again')]);
  expect((await targetOf(here, id)).url).toBe(own.url);
  expect([...other.shown]).toEqual(['nothing']);

  // Another path of the same server is shown it.
  await probed(here, { url: `${own.url}?more`, id, type: 'prometheus' });
  expect([...own.shown]).toEqual(['Bearer secret']);
  const given = { url: other.url, auth: { kind: 'bearer', token: 'new' } };
  expect((await send(here, 'PATCH', `/targets/${id}`, given)).status).toBe(200);
  await until(here, id, ({ state }) => state === 'up');
  expect([...other.shown].sort()).toEqual(['Bearer new', 'nothing']);
});

test('a token that no header can have is refused in words, without a fault in the log', async () => {
  const here = await startHere({ node: false });
  const { url } = await exporter();
  const { reason } = await probed(here, { url, auth: { kind: 'bearer', token: 'two\nlines' } });
  expect(reason).toContain('characters that cannot be sent');
  expect(here.log.filter(({ level }) => level >= 40)).toEqual([]);
});

test('what is named as a file is no pipe, no device, and not large', async () => {
  const here = await startHere({ node: false });
  const pipe = join(here.folder, 'pipe');
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe]);
  for (const [ca_file, words] of [
    [pipe, 'no regular file'],
    ['/dev/zero', 'no regular file'],
    [process.execPath, 'larger than 1 MiB'],
  ] as const) {
    const { state, reason } = await probed(here, { url: 'https://127.0.0.1:1', tls: { ca_file } });
    expect([state, reason]).toEqual(['down', expect.stringContaining(words)]);
  }
});

test('where nothing answers, no type says that something does', async () => {
  const here = await startHere({ node: false });
  const port = await closedPort();
  for (const type of ['proxy', 'vigie', 'prometheus']) {
    const { state, reason } = await probed(here, { url: `127.0.0.1:${port}`, type });
    expect([type, state, reason]).toEqual([type, 'down', expect.stringContaining('connection refused')]);
  }
});

test('without a token hosts and ports are joined, not sockets of the one whose engine it is', async () => {
  const here = await startHere({ node: false, compat: true });
  const path = join(here.folder, 'exporter.socket');
  let asked = 0;
  await httpServer((_, response) => {
    asked++;
    response.end('g 1\n');
  }, path);
  for (const to of [`unix:${path}:/metrics`, `UNIX:${path}`, `ftp://127.0.0.1`]) {
    const answer = await ask(here, `/join?to=${encodeURIComponent(to)}`);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('host:port')]);
  }
  expect(asked).toBe(0);
});

test('questions that come over one connection leave nothing behind at it', async () => {
  const here = await startHere({ node: false });
  const { url } = await exporter();
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', note);
  const { Agent, request } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let n = 0; n < 15; n++) {
    await new Promise<void>((resolve, reject) => {
      const headers = { ...withToken(here), 'content-type': 'application/json' };
      const question = request(`${here.url}/api/v1/targets/probe`, { agent, method: 'POST', headers }, (response) => {
        response.resume().on('end', resolve);
      });
      question.on('error', reject).end(JSON.stringify({ url, type: 'prometheus' }));
    });
  }
  agent.destroy();
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

test('a text of a few lines does not become a million targets', async () => {
  const here = await startHere({ node: false });
  const groups = [{ targets: Array.from({ length: 5 }, (_, n) => `h${n}[1-9999]:9100`) }];
  const configuration = { scrape_configs: [{ job_name: 'a', static_configs: groups }] };
  for (const text of [JSON.stringify(groups), JSON.stringify(configuration)]) {
    const answer = await send(here, 'POST', '/targets/import', { text, preview: true });
    const { items, notes } = BulkResult.parse(answer.json());
    expect(items.length).toBeLessThanOrEqual(10_000);
    expect(notes.join()).toContain('targets');
  }
  expect((await listed(here)).counts.total).toBe(1);
});

test('a page that begins behind a target that is gone says so, and is not an empty end', async () => {
  const here = await startHere({ node: false });
  for (const n of [1, 2, 3]) await addTarget(here, { url: `http://127.0.0.1:${n}/metrics`, paused: true });
  const { next } = await listed(here, '?limit=2');
  await send(here, 'DELETE', `/targets/${next}`);
  const answer = await send(here, 'GET', `/targets?limit=2&cursor=${next}`);
  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('begin anew')]);
});

test('secrets of a list that cannot be used are kept beside it', async () => {
  const data = temporaryFolder();
  const first = await startHere({ node: false, data });
  await addTarget(first, { url: 'http://127.0.0.1:9/metrics', auth: BEARER, paused: true });
  await first.engine.close();
  writeFileSync(join(data, 'targets.json'), '{');
  const second = await startHere({ node: false, data });
  await addTarget(second, { url: 'http://127.0.0.1:9/metrics', paused: true });
  await second.engine.close();
  expect(readFileSync(join(data, 'target-secrets.json.unusable'), 'utf8')).toContain('secret');
});
