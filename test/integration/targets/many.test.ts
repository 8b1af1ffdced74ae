import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { listed, send } from './support.ts';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test(
  'of a thousand targets three hundred hang: each of the rest is asked again and again',
  { timeout: 300_000 },
  async () => {
    const good = createHttpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('g 1\n');
    });
    const open = new Set<Socket>();
    const hanging = createServer((socket) => {
      open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)));
    });
    const [up, down] = [await listening(good), await listening(hanging)];
    onTestFinished(() => {
      good.closeAllConnections();
      good.close();
      for (const socket of open) socket.destroy();
      hanging.close();
    });
    const here = await startHere({ node: false, period: '1s' });
    const targets = Array.from({ length: 1000 }, (_, i) => `http://127.0.0.1:${i % 10 < 3 ? down : up}/${i}`);
    const settings = { type: 'prometheus', period: '2s', timeout: '1s' };
    const added = await send(here, 'POST', '/targets/bulk', {
      action: 'add',
      targets: targets.join('\n'),
      ...settings,
    });
    expect(added.status).toBe(200);
    await eventually(async () => (await listed(here, '?limit=1')).counts.new === 0, {
      timeout: 120_000,
      interval: 500,
    });
    const enough = async (): Promise<boolean> => {
      const all = (await listed(here, '?limit=2000')).targets.slice(1);
      const rest = all.filter(({ url }) => url.includes(`:${up}/`));
      expect(rest).toHaveLength(700);
      return rest.every(
        ({ state, durations }) => state !== 'down' && durations.filter((ms) => ms !== null).length >= 4,
      );
    };
    await eventually(enough, { timeout: 120_000, interval: 500 });
    const { counts } = await listed(here, '?limit=1');
    expect([counts.down, counts.up + counts.slow]).toEqual([300, 700]);
  },
);
