/** Where an engine is over there: what is somebody else's does not count, whatever a file of before says. */

import { once } from 'node:events';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lookFor } from '../../../src/engine/remote/engines/find.ts';
import { temporaryFolder } from '../../support/tmp.ts';
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
