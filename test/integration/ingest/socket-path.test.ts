import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { resolveConfig } from '../../../src/engine/config.ts';
import { startEngine } from '../../../src/engine/engine.ts';
import { listenPrivately, privateDirectory, SocketPathError } from '../../../src/engine/ingest/socket-path.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { startHere } from '../http/here.ts';
import { pino } from 'pino';

function server(): Server {
  const made = createServer((socket) => socket.destroy());
  onTestFinished(() => void made.close());
  return made;
}

/** Somebody else who listens. */
async function listening(file: string): Promise<Server> {
  const made = server().listen(file);
  await once(made, 'listening');
  return made;
}

/** A socket file whose program was killed: closing a server would remove it. */
function stale(file: string): void {
  const program = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', program]).signal).toBe('SIGKILL');
  expect(statSync(file).isSocket()).toBe(true);
}

const refusal = (code: SocketPathError['code'], text: string): object =>
  expect.objectContaining({ name: 'SocketPathError', code, message: expect.stringContaining(text) });

describe('listening on a path', () => {
  test('only its owner can use the socket', async () => {
    const file = path.join(temporaryFolder(), 's');
    const before = process.umask();
    const made = server();
    await listenPrivately(made, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
  });

  test('a stale socket of ours is taken over', async () => {
    const file = path.join(temporaryFolder(), 's');
    stale(file);
    const made = server();
    await listenPrivately(made, file);
    expect(made.listening).toBe(true);
  });

  test('two that want a stale socket at once: one gets it, the other is refused', async () => {
    const file = path.join(temporaryFolder(), 's');
    for (let n = 0; n < 10; n++) {
      stale(file);
      const umask = process.umask();
      const servers = [server(), server()];
      const results = await Promise.allSettled(servers.map((each) => listenPrivately(each, file)));
      expect(process.umask()).toBe(umask);
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const winner = servers[results.findIndex(({ status }) => status === 'fulfilled')]!;
      expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: refusal('in_use', `another program listens on ${file}`),
      });
      expect(servers.map((each) => each.listening)).toEqual(servers.map((each) => each === winner));
      const reached = once(winner, 'connection');
      await (await Pusher.connect(file)).close();
      await reached;
      winner.close();
    }
  });

  test('one whose path is taken while it begins gives way, and the other goes on', async () => {
    const file = path.join(temporaryFolder(), 's');
    const [made, theirs] = [server(), server()];
    made.once('listening', () => {
      unlinkSync(file);
      theirs.listen(file);
    });
    await expect(listenPrivately(made, file)).rejects.toEqual(refusal('in_use', `another program listens on ${file}`));
    expect([made.listening, theirs.listening]).toEqual([false, true]);
    const reached = once(theirs, 'connection');
    await (await Pusher.connect(file)).close();
    await reached;
  });

  test('an alive one is refused, and goes on', async () => {
    const file = path.join(temporaryFolder(), 's');
    const theirs = await listening(file);
    await expect(listenPrivately(server(), file)).rejects.toEqual(
      refusal('in_use', `another program listens on ${file}; stop it or choose another path`),
    );
    const reached = once(theirs, 'connection');
    await (await Pusher.connect(file)).close();
    await reached;
  });

  test.each([
    ['a file', (file: string) => writeFileSync(file, 'precious')],
    ['a directory', (file: string) => mkdirSync(file)],
    [
      'a link to a file',
      (file: string) => (writeFileSync(`${file}.target`, 'precious'), symlinkSync(`${file}.target`, file)),
    ],
    ['a link to nothing', (file: string) => symlinkSync(`${file}.nothing`, file)],
  ])('%s is refused and not removed', async (_, make) => {
    const file = path.join(temporaryFolder(), 's');
    make(file);
    await expect(listenPrivately(server(), file)).rejects.toEqual(
      refusal('not_a_socket', 'exists and is not a socket'),
    );
    if (existsSync(file) && statSync(file).isFile()) expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  test('a directory that is missing is not made, and said', async () => {
    const file = path.join(temporaryFolder(), 'missing', 's');
    await expect(listenPrivately(server(), file)).rejects.toEqual(
      refusal('bad_directory', 'does not exist; make it or choose another path'),
    );
  });

  test('a path that is too long for a socket is refused in words', async () => {
    const file = path.join(temporaryFolder(), 'x'.repeat(200));
    await expect(listenPrivately(server(), file)).rejects.toEqual(refusal('cannot_listen', `cannot listen on ${file}`));
  });
});

describe('a private directory', () => {
  test('is made for its owner only, with what is above it', () => {
    const folder = path.join(temporaryFolder(), 'a', 'b');
    privateDirectory(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    privateDirectory(folder);
  });

  test.each([0o755, 0o770, 0o701, 0o777, 0o1777])('with mode %o it is refused', (mode) => {
    const folder = path.join(temporaryFolder(), 'd');
    mkdirSync(folder);
    chmodSync(folder, mode);
    expect(() => privateDirectory(folder)).toThrow(
      refusal('bad_directory', 'is not a directory that only you can enter'),
    );
    expect(statSync(folder).mode & 0o7777).toBe(mode);
  });

  test('where none can be made it is refused, with the reason', () => {
    expect(() => privateDirectory('/proc/vigie')).toThrow(refusal('bad_directory', 'cannot be made: ENOENT'));
  });

  test('a file or a link in its place is refused', () => {
    const folder = temporaryFolder();
    const [file, link] = [path.join(folder, 'f'), path.join(folder, 'l')];
    writeFileSync(file, '');
    mkdirSync(path.join(folder, 'target'), { mode: 0o700 });
    symlinkSync(path.join(folder, 'target'), link);
    for (const place of [file, link, path.join(file, 'below')])
      expect(() => privateDirectory(place)).toThrow(SocketPathError);
  });
});

describe('the engine', () => {
  test('takes over what a killed one left, and removes its sockets when it ends', async () => {
    const folder = temporaryFolder();
    for (const name of ['engine.socket', 'legacy.socket']) stale(path.join(folder, name));
    const { engine } = await startHere({ node: false }, folder);
    for (const file of [engine.ready.socket, engine.ready.legacy_socket!]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await (await Pusher.connect(file)).close();
    }
    await engine.close();
    expect(existsSync(engine.ready.socket)).toBe(false);
    expect(existsSync(engine.ready.legacy_socket!)).toBe(false);
  });

  test.each(['socket', 'legacy_socket'] as const)(
    'does not start when the %s it was told to use is alive; nothing is left open',
    async (which) => {
      const first = await startHere({ node: false });
      const folder = temporaryFolder();
      await expect(startHere({ node: false, [which]: first.engine.ready[which]! }, folder)).rejects.toEqual(
        refusal('in_use', first.engine.ready[which]!),
      );
      expect(existsSync(path.join(folder, 'engine.socket'))).toBe(false);
      expect(existsSync(path.join(folder, 'legacy.socket'))).toBe(false);
      // The first one is not harmed.
      const pusher = await Pusher.connect(first.engine.ready[which]!);
      pusher.job({ jobid: 'j' });
      await pusher.close();
    },
  );

  test('starts with a warning when the usual path of old clients is alive, and leaves it alone', async () => {
    const folder = temporaryFolder();
    const usual = path.join(folder, 'usual.socket');
    const theirs = await listening(usual);
    const config = await resolveConfig(
      { listen: 'off', socket: path.join(folder, 'engine.socket'), memory: true, node: false },
      {},
      null,
    );
    expect(config.legacyIsDefault).toBe(true);
    // The real default is this machine's, where another proxy may run.
    const engine = await startEngine({ ...config, legacySocket: usual }, { log: pino({ level: 'silent' }) });
    onTestFinished(() => engine.close());
    expect(engine.ready.legacy_socket).toBeNull();
    const status = await new EngineClient({ socket: config.socket }).status();
    expect(status.engine.legacy_socket).toBeNull();
    expect(status.warnings).toEqual([
      `clients of the old proxy cannot push here: another program listens on ${usual}; stop it or choose another path`,
    ]);
    await engine.close();
    expect(theirs.listening).toBe(true);
    expect(statSync(usual).isSocket()).toBe(true);
  });
});
