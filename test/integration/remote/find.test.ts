/** Where an engine is over there: what is somebody else's does not count, whatever a file of before says. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { API_VERSION } from '../../../src/shared/api/status.ts';
import { lookFor } from '../../../src/engine/remote/engines/find.ts';
import { EngineLink } from '../../../src/engine/remote/engines/link.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { DirectSession } from './direct-sessions.ts';

const NOBODY = 65_534;
const prompter = {} as ConstructorParameters<typeof DirectSession>[1];

/** Listens, on a socket or any port, until the test is over. */
async function listening(path?: string): Promise<number> {
  const server = path === undefined ? createServer().listen(0, '127.0.0.1') : createServer().listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

test('a socket and a port that a file names are its user’s, or not taken', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root has files of somebody else');
  const folder = temporaryFolder();
  const data = join(folder, 'share', 'vigie', hostname());
  mkdirSync(data, { recursive: true });
  const socket = join(folder, "it's an engine.socket");
  await listening(socket);
  const session = new DirectSession('far', prompter, { HOME: folder, XDG_DATA_HOME: join(folder, 'share') });
  session.become('up');
  const found = async (port: number) => {
    const said = { socket, url: `http://127.0.0.1:${port}`, token_file: join(data, 'token') };
    writeFileSync(join(data, 'engine.json'), JSON.stringify(said));
    const look = await lookFor(session, { kind: 'auto' }, AbortSignal.timeout(60_000));
    // Of whoever runs this test, one may run, too.
    return look.found.filter(({ place }) => place.kind === 'port' || place.path.startsWith(folder));
  };
  const port = await listening();
  expect((await found(port)).map(({ place }) => place)).toEqual([
    { kind: 'socket', path: socket },
    { kind: 'port', host: '127.0.0.1', port },
  ]);
  chownSync(socket, NOBODY, NOBODY);
  // Nobody listens there.
  expect(await found(1)).toEqual([]);
});

test('whoever takes the port of an engine that has ended is not sent its token', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can be somebody else');
  const folder = temporaryFolder();
  const data = join(folder, 'share', 'vigie', hostname());
  mkdirSync(data, { recursive: true });
  const token = 't'.repeat(40);
  writeFileSync(join(data, 'token'), `${token}\n`);
  const heard: (string | undefined)[] = [];
  const engine = { id: 'b'.repeat(32), host: 'far' };
  const server = createHttpServer((request, response) => {
    heard.push(request.headers.authorization);
    response.setHeader('connection', 'close').setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: 'vigie', version: '0.1.0', api: API_VERSION, engine }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const about = { socket: join(folder, 'none'), url: `http://127.0.0.1:${port}`, token_file: join(data, 'token') };
  writeFileSync(join(data, 'engine.json'), JSON.stringify(about));
  const session = new DirectSession('far', prompter, { HOME: folder, XDG_DATA_HOME: join(folder, 'share') });
  session.become('up');
  const link = new EngineLink({
    ...{ session, address: { kind: 'auto' }, known: null, every: 3_600_000 },
    ...{ claim: () => null, changed: () => undefined },
  });
  onTestFinished(() => link.close());
  link.start();
  await eventually(() => link.state === 'up');
  expect(heard).toEqual([`Bearer ${token}`]);
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
  const script = `require('node:http').createServer((request, response) => {
    console.log(request.headers.authorization);
    response.end('{}');
  }).listen(${port}, '127.0.0.1', () => console.log('ready'));`;
  const other = spawn(process.execPath, ['-e', script], {
    ...{ uid: NOBODY, gid: NOBODY, cwd: '/', env: {} },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void other.kill());
  let said = '';
  other.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually(() => said.includes('ready'));
  const asked = link.json('/api/v1/whoami', z.unknown(), 1000, AbortSignal.timeout(60_000));
  await expect(asked).rejects.toThrow('not yours any more');
  await eventually(() => link.state === 'absent');
  expect(said).toBe('ready\n');
});
