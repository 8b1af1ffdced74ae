/** Live sockets that are passed on, by themselves: what one engine over there sends is not all that this one does. */

import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { LivePass } from '../../../src/engine/remote/engines/pass-live.ts';
import type { EngineLink } from '../../../src/engine/remote/engines/link.ts';
import { eventually } from '../../support/wait.ts';

test('between large messages others have their turn', async () => {
  const large = JSON.stringify({ type: 'status', status: Array.from({ length: 1_000_000 }, (_, i) => i) });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    for (let i = 0; i < 5; i++) socket.send(large);
  });
  const { port } = server.address() as AddressInfo;
  let turns = 0;
  const turnsAt: number[] = [];
  const page = {
    ...{ readyState: WebSocket.OPEN, bufferedAmount: 0, close: () => undefined },
    send: () => void turnsAt.push(turns),
  };
  const pass = new LivePass(page as unknown as WebSocket, 'view');
  onTestFinished(() => pass.close());
  const dial = async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const timer = setInterval(() => turns++, 5);
  onTestFinished(() => clearInterval(timer));
  await pass.open({ state: 'up', dial, authorization: () => ({}) } as unknown as EngineLink);
  await eventually(() => turnsAt.length === 5);
  expect(turnsAt.at(-1)! - turnsAt[0]!).toBeGreaterThan(30);
});
