/** How long an answer of another engine may take, and what becomes of a connection that it keeps. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { askOnce, ChannelAgent } from '../../../src/engine/remote/engines/channel-agent.ts';
import type { EngineLink } from '../../../src/engine/remote/engines/link.ts';
import { pass, type PassLimits } from '../../../src/engine/remote/engines/pass.ts';
import { endlessServer, httpServer, silentServer } from '../../support/bad-server.ts';

function linkTo(port: number): EngineLink {
  const agent = new ChannelAgent(async (signal) => {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect', { signal });
    return socket;
  }, true);
  const link: Pick<EngineLink, 'state' | 'reason' | 'ask' | 'nudge'> = {
    ...{ state: 'up', reason: null },
    ask: (asked, signal) => askOnce(agent, asked, signal),
    nudge: () => undefined,
  };
  return link as EngineLink;
}

const REQUEST = { method: 'GET', path: '/api/v1/runs', role: 'control', accept: undefined, body: null } as const;
const LIMITS: PassLimits = { size: 1e9, headWithin: 300, bodyWithin: 300 };
const never = new AbortController().signal;

async function read(port: number): Promise<string> {
  const { body } = await pass(linkTo(port), REQUEST, LIMITS, never);
  let text = '';
  for await (const part of body ?? []) text += String(part);
  return text;
}

test('one that takes the question and is silent is given up', async () => {
  await expect(read(await silentServer())).rejects.toMatchObject({ code: 'engine_timeout' });
});

test('an answer of slow bytes breaks off, as one without end does', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[';
  await expect(read(await endlessServer(head, Buffer.from(' '), 20))).rejects.toThrow('took too long');
});

test('headers that never end are given up', async () => {
  const port = await endlessServer('HTTP/1.1 200 OK\r\n', Buffer.from('x-more: 1\r\n'), 20);
  await expect(read(port)).rejects.toMatchObject({ code: 'engine_timeout' });
});

test('an answer that ends early is not taken for a whole one', async () => {
  const port = await httpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('[1,');
    setTimeout(() => response.destroy(), 50);
  });
  await expect(read(port)).rejects.toThrow();
});

test('whole answers come over whole, one after the other over one connection', async () => {
  const ports = new Set<number | undefined>();
  const port = await httpServer((request, response) => {
    ports.add(request.socket.remotePort);
    response.setHeader('content-type', 'text/plain').end(request.url);
  });
  const link = linkTo(port);
  for (let i = 0; i < 20; i++) {
    const { body, status, type } = await pass(link, { ...REQUEST, path: `/api/v1/runs?${i}` }, LIMITS, never);
    let text = '';
    for await (const part of body ?? []) text += String(part);
    expect([status, type, text]).toEqual([200, 'text/plain; charset=utf-8', `/api/v1/runs?${i}`]);
  }
  expect(ports.size).toBe(1);
});
