/** Requests that take their time to arrive: files may, as long as they go on arriving; nothing else may. */

import { readdirSync, readFileSync } from 'node:fs';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImportState } from '../../../src/shared/api/profiles.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, withToken, type Here } from './here.ts';

const PROFILE = readFileSync(join(import.meta.dirname, '../../fixtures/proxy/scal3-4.profile'));
/** Bytes at a time, and ms between two of them. */
const PART = 512;
const PAUSE = 50;
/** ms: 1 KiB per second is more than a byte now and then, and less than a part each time. */
const TIME = 300;

const upload = '/api/v1/profiles/import?name=scal3-4.profile';
const refused = async ({ client }: Here): Promise<Record<string, number>> => (await client.status()).refused;

interface Sent {
  readonly request: ClientRequest;
  /** Status and body; or what became of the connection. */
  readonly answer: Promise<{ status: number; text: string } | Error>;
  /** It is closed. */
  readonly closed: Promise<void>;
}

function send(here: Here, path: string, headers: Record<string, string | number>): Sent {
  const sent = request(`${here.url}${path}`, { method: 'POST', headers, agent: false });
  onTestFinished(() => void sent.destroy());
  const answer = new Promise<{ status: number; text: string } | Error>((resolve) => {
    sent.on('error', resolve);
    sent.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', () => undefined);
      response.on('close', () => resolve({ status: response.statusCode ?? 0, text }));
    });
  });
  const closed = new Promise<void>(
    (resolve) => void sent.on('socket', (socket) => socket.on('close', () => resolve())),
  );
  return { request: sent, answer, closed };
}

/** Some at a time, as over a slow network; until the connection is gone. Returns how long it took, ms. */
async function drip({ request: to }: Sent, bytes: Uint8Array, part: number): Promise<number> {
  const begun = performance.now();
  for (let at = 0; at < bytes.length && !to.destroyed && !to.socket?.destroyed; at += part) {
    to.write(bytes.subarray(at, at + part));
    await sleep(PAUSE);
  }
  to.end();
  return performance.now() - begun;
}

const octets = { 'content-type': 'application/octet-stream' };
/** A file that is larger than it needs to be: readers of JSON skip spaces. */
const file = Buffer.concat([PROFILE, Buffer.alloc(Math.max(0, 20_000 - PROFILE.length), ' ')]);

describe('a file that is sent', () => {
  test('slowly is taken, however long that takes; how long it may take to read an answer is another matter', async () => {
    const folder = temporaryFolder();
    const limits = { request_time: `${TIME}ms`, response_time: `${TIME}ms` };
    const here = await startHere({ node: false, data: join(folder, 'data'), limits }, folder);
    const sent = send(here, upload, { ...withToken(here), ...octets, 'content-length': file.length });
    expect(await drip(sent, file, PART)).toBeGreaterThan(3 * TIME);
    expect(await sent.answer).toMatchObject({ status: 200 });
    const state = await eventually(async () => {
      const answer = await fetch(`${here.url}/api/v1/profiles/import`, { headers: withToken(here) });
      const now = ImportState.parse(await answer.json());
      return now.state !== 'running' && now;
    });
    expect(state).toMatchObject({ state: 'done', imported: 1, failed: 0 });
    expect(await refused(here)).toEqual({});
  });

  test('a byte now and then is not: 408, and nothing of it is left', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const here = await startHere({ node: false, data, limits: { request_time: `${TIME}ms` } }, folder);
    const left = (): string[] => readdirSync(data).filter((name) => name.includes('import'));
    const sent = send(here, upload, { ...withToken(here), ...octets, 'content-length': file.length });
    const begun = drip(sent, file, 1);
    await eventually(() => left().length === 1);
    expect(await sent.answer).toMatchObject({
      status: 408,
      text: expect.stringContaining('request_timeout') as string,
    });
    await sent.closed;
    await begun;
    await eventually(() => left().length === 0);
    expect(await refused(here)).toEqual({ request_too_slow: 1 });
  });

  test('nor one by somebody who may not send it, though it goes on arriving', async () => {
    const here = await startHere({ node: false, limits: { request_time: `${TIME}ms` } });
    const socket = createConnection(Number(new URL(here.url).port), new URL(here.url).hostname);
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => (text += bytes.toString()));
    const head = ['Host: localhost', 'Content-Type: application/octet-stream', 'Content-Length: 1000000'];
    socket.write(`POST ${upload} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
    const dripping = setInterval(() => socket.write(Buffer.alloc(PART)), PAUSE);
    onTestFinished(() => clearInterval(dripping));
    // It is refused at once; the connection goes when the rest has not come in time.
    await eventually(() => socket.closed);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(await refused(here)).toEqual({ unauthorized: 1, request_too_slow: 1 });
  });
});

test('any other body has to be there in time, though it goes on arriving', async () => {
  const here = await startHere({ node: false, limits: { request_time: `${TIME}ms` } });
  const body = Buffer.from(JSON.stringify({ ids: ['x'.repeat(50_000)] }));
  const headers = { ...withToken(here), 'content-type': 'application/json', 'content-length': body.length };
  const sent = send(here, '/api/v1/profiles/delete', headers);
  const dripping = drip(sent, body, PART);
  expect(await sent.answer).toMatchObject({ status: 408, text: expect.stringContaining('request_timeout') as string });
  await sent.closed;
  await dripping;
  expect(await refused(here)).toEqual({ request_too_slow: 1 });
});

test('the limit may be longer than that which the server of Node has by itself', async () => {
  const here = await startHere({ node: false, limits: { request_time: '1h' } });
  expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
});
