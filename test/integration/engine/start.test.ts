import { createServer as createHttpServer } from 'node:http';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_PORT } from '../../../src/engine/config.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { run, serve, vigie, within } from './child.ts';

/** Takes a port; null when somebody else has it. */
async function takePort(port: number): Promise<number | null> {
  const server = createHttpServer();
  const taken = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!taken) return null;
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The words for people, without the name of the program. */
async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(args, { env });
  expect([code, stdout], stderr).toEqual([1, '']);
  const lines = stderr.trim().split('\n');
  expect(
    lines.filter((line) => line.startsWith('vigie: ')),
    stderr,
  ).toHaveLength(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  return lines.find((line) => line.startsWith('vigie: '))!.slice('vigie: '.length);
}

describe('the port', () => {
  test('taken by somebody: the default one gives way to a free one', async () => {
    // Held by us, so that it stays taken; only an engine of this machine's user may have it all the time.
    await eventually(async () => (await takePort(DEFAULT_PORT)) !== null, { timeout: 5000 }).catch(() => {});
    const engine = await serve([
      ...within(temporaryFolder()).filter((flag) => !flag.startsWith('--listen')),
      '--memory',
    ]);
    expect(new URL(engine.ready.url!).port).not.toBe(String(DEFAULT_PORT));
    expect((await engine.client.status()).name).toBe('vigie');
  });

  test('taken by somebody: one that was asked for is an error that says so', async () => {
    const port = (await takePort(0))!;
    const message = await refusal([...within(temporaryFolder()), '--memory', `--listen=127.0.0.1:${port}`]);
    expect(message).toBe(`port ${port} is taken on 127.0.0.1; choose another one, or --listen 127.0.0.1:0 for any`);
  });

  test('an address that others can reach needs --insecure, and is then served under the name of this host', async () => {
    const folder = temporaryFolder();
    expect(await refusal([...within(folder), '--memory', '--listen=0.0.0.0:0'])).toContain('--insecure');
    expect(existsSync(join(folder, 'engine.socket'))).toBe(false);
    const engine = await serve([...within(folder), '--memory', '--listen=0.0.0.0:0', '--insecure']);
    expect(new URL(engine.ready.url!).hostname).toBe(hostname().toLowerCase());
    const { port } = new URL(engine.ready.url!);
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/status`, {
      headers: { authorization: `Bearer ${engine.token}` },
    });
    expect(answer.status).toBe(200);
  });
});

describe('the data directory', () => {
  test('in use: the message names the holder; nothing of the holder is touched', async () => {
    const folder = temporaryFolder();
    const data = `--data=${join(folder, 'data')}`;
    const first = await serve([...within(folder), data]);
    const other = temporaryFolder();
    const message = await refusal([...within(other), data]);
    expect(message).toContain(`locked by pid ${first.child.pid} on host ${hostname()}`);
    expect(message).toContain('--data');
    expect(existsSync(join(other, 'engine.socket'))).toBe(false);
    expect((await first.client.status()).store.error).toBeNull();
  });

  test('that cannot be written is named', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const message = await refusal([...within(folder), `--data=${join(folder, 'file', 'data')}`]);
    expect(message).toContain(join(folder, 'file', 'data'));
    expect(message).toContain('--data');
  });

  test('--data and --memory exclude each other', async () => {
    const { code, stderr } = await run([...within(temporaryFolder()), '--memory', '--data=/x']);
    expect(code).toBe(1);
    expect(stderr).toContain("'--data <dir>' cannot be used with option '--memory'");
  });

  test('is below XDG_DATA_HOME, per host, when nothing is said', async () => {
    const folder = temporaryFolder();
    const engine = await serve(within(folder), { env: { XDG_DATA_HOME: join(folder, 'xdg') } });
    expect(engine.ready.data).toBe(join(folder, 'xdg', 'vigie', hostname()));
    expect(statSync(engine.ready.data!).mode & 0o077).toBe(0);
  });
});

describe('the sockets', () => {
  async function listenAt(path: string): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onTestFinished(() => void server.close());
  }

  test.each(['engine', 'legacy'])('an alive %s socket is refused, and left alone', async (which) => {
    const folder = temporaryFolder();
    const path = join(folder, `${which}.socket`);
    await listenAt(path);
    const message = await refusal([...within(folder), '--memory']);
    expect(message).toBe(`another program listens on ${path}; stop it or choose another path`);
    expect(existsSync(path)).toBe(true);
  });

  test('left behind by a killed engine they are taken over', async () => {
    const folder = temporaryFolder();
    const first = await serve([...within(folder), '--memory']);
    await first.stop('SIGKILL');
    expect(existsSync(first.ready.socket!)).toBe(true);
    const second = await serve([...within(folder), '--memory']);
    expect((await second.client.status()).warnings).toEqual([]);
    await second.pusher();
  });

  test('what is there and no socket stays', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'engine.socket'), 'mine');
    expect(await refusal([...within(folder), '--memory'])).toContain('is not a socket');
    expect(statSync(join(folder, 'engine.socket')).size).toBe(4);
  });

  test('a directory that is not there is named', async () => {
    const folder = temporaryFolder();
    const message = await refusal([
      ...within(folder),
      '--memory',
      `--token-file=${join(folder, 'token')}`,
      `--socket=${join(folder, 'none', 'x.socket')}`,
    ]);
    expect(message).toContain(join(folder, 'none'));
  });

  test('$VIGIE_SOCKET is used when no flag says otherwise', async () => {
    const folder = temporaryFolder();
    const flags = within(folder).filter((flag) => !flag.startsWith('--socket'));
    const engine = await serve([...flags, '--memory'], { env: { VIGIE_SOCKET: join(folder, 'env.socket') } });
    expect(engine.ready.socket).toBe(join(folder, 'env.socket'));
    const pushed = await run(['push', '--job=j', 'x_total=1'], { env: { VIGIE_SOCKET: join(folder, 'env.socket') } });
    expect([pushed.code, pushed.stderr]).toEqual([0, '']);
  });
});

describe('the token file', () => {
  test.each([
    ['readable by others', (path: string) => (writeFileSync(path, 'a-token-of-my-own\n'), chmodSync(path, 0o644))],
    [
      'a link',
      (path: string) => (
        writeFileSync(`${path}.real`, 'a-token-of-my-own\n', { mode: 0o600 }),
        symlinkSync(`${path}.real`, path)
      ),
    ],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('%s is refused, and nothing is left behind', async (_name, make) => {
    const folder = temporaryFolder();
    make(join(folder, 'token'));
    const message = await refusal([
      ...within(folder),
      `--data=${join(folder, 'data')}`,
      `--token-file=${join(folder, 'token')}`,
    ]);
    expect(message).toContain(join(folder, 'token'));
    expect(message).toContain('chmod 600');
    expect(existsSync(join(folder, 'engine.socket'))).toBe(false);
    expect(existsSync(join(folder, 'data', 'lock.json'))).toBe(false);
  });
});

describe('settings', () => {
  test('come from the file unless the environment or a flag says otherwise', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'vigie.yaml');
    writeFileSync(
      file,
      `listen: 127.0.0.1:0\nsocket: ${folder}/file.socket\nlegacy_socket: off\nmemory: true\nperiod: 70ms\nnode: false\ncompat: true\n`,
    );
    const env = { VIGIE_SOCKET: join(folder, 'env.socket') };
    const engine = await serve(['serve', `--config=${file}`, '--period=80ms'], { env });
    expect(engine.ready).toMatchObject({ socket: env.VIGIE_SOCKET, legacy_socket: null, data: null });
    const status = await engine.client.status();
    expect([status.period, status.engine.compat]).toEqual(['80ms', true]);
    expect((await fetch(`${engine.ready.url}/job/list`)).status).toBe(200);
  });

  test('--compat=NETWORKS says who can now read and change, at the start and as long as it runs', async () => {
    const engine = await serve([...within(temporaryFolder()), '--memory', '--compat=10.1.0.0/16,192.168.7.7']);
    const words = 'on this machine or in 10.1.0.0/16 or in 192.168.7.7, of any user, can read all jobs and metrics';
    expect(engine.stderr()).toContain(words);
    expect((await engine.client.status()).warnings).toEqual([expect.stringContaining(words) as string]);
  });

  test.each([
    [['--period=fast'], 'period: expected a duration with a unit'],
    [['--period=1ms'], 'between 10ms and 1h'],
    [['--listen=nonsense'], 'expected 127.0.0.1:PORT, unix:PATH or off'],
    [['--config=/nonexistent/vigie.yaml'], 'the configuration file cannot be read'],
    [['--grace=100d'], '--grace must be 1d at most'],
    [['--compat=everybody'], 'compat: expected networks such as 10.1.0.0/16'],
  ])('%j is explained', async (flags, words) => {
    expect(await refusal([...within(temporaryFolder()), '--memory', ...flags])).toContain(words);
  });

  test.each([[['serve', '--nosuch']], [['serve', 'word']], [['nosuch']], [['serve', '--log-level=loud']]])(
    '%j is no command',
    async (args) => {
      const { code, stdout, stderr } = await run(args);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('error:');
    },
  );
});

test('start --no-open says where the console is, and what the link is worth', async () => {
  const folder = temporaryFolder();
  const [, ...flags] = within(folder);
  const started = vigie(['start', '--no-open', '--memory', ...flags]);
  await eventually(() => started.stdout().includes('Ctrl-C ends'), { timeout: 40_000 });
  const [, link] = /^ {2}(http:\/\/\S+)$/m.exec(started.stdout()) ?? [];
  const { origin, hash } = new URL(link!);
  const token = new URLSearchParams(hash.slice(1)).get('token')!;
  expect((await fetch(`${origin}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  expect(started.stdout()).toContain('keep it to yourself');
  expect(started.stdout()).toContain(join(folder, 'legacy.socket'));
  started.child.kill('SIGINT');
  expect(await started.exited).toEqual({ code: 0, signal: null });
});
