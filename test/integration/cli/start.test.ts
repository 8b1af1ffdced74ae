import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ensureBuilt, runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const command = path.join(import.meta.dirname, '..', '..', '..', 'bin', 'vigie');

/** Runs the command without a word, as a new user does, until it has printed what it prints. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv, listen = ['--listen', '127.0.0.1:0']) {
  await ensureBuilt('engine');
  await ensureBuilt('renderer');
  const folder = temporaryFolder();
  const sockets = ['--socket', path.join(folder, 'e.socket'), '--legacy-socket', path.join(folder, 'l.socket')];
  const child = spawn(command, [...listen, ...sockets, ...args], {
    env: { PATH: process.env['PATH'], HOME: folder, VIGIE_SKIP_BUILD: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await eventually(() => stdout.includes('Ctrl-C ends'), { timeout: 30_000 });
  return { child, closed, stdout };
}

test('without a display the link is printed, with the reason, and opens the page and its data', async () => {
  const { child, closed, stdout } = await start([], {});
  expect(stdout).toContain('there is no display here');
  const [, url, token] = /(http:\/\/127\.0\.0\.1:\d+)\/#token=(\S+)/.exec(stdout) ?? [];
  expect(await (await fetch(`${url}/`)).text()).toContain('<div id="root">');
  const answer = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  child.kill('SIGINT');
  expect(await closed).toEqual([0, null]);
});

test('--no-open says why nothing was opened', async () => {
  const { stdout } = await start(['--no-open', '--memory'], { DISPLAY: ':0' });
  expect(stdout).toContain('as asked with --no-open');
});

test('it tells where the token is, and logs nothing that is in order', async () => {
  const { child, closed, stdout } = await start(['--no-open'], {});
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [, token] = /#token=(\S+)/.exec(stdout) ?? [];
  const [, file] = /The token is also in (\S+)\n/.exec(stdout) ?? [];
  expect(readFileSync(file!, 'utf8')).toBe(`${token}\n`);
  expect(stdout).not.toContain('was taken');
  // A terminal that closes ends it.
  child.kill('SIGHUP');
  expect(await closed).toEqual([0, null]);
  expect(stderr).toBe('');
});

test('a data directory in use: who has it, and what to do', async () => {
  const data = path.join(temporaryFolder(), 'data');
  await start(['--no-open', '--data', data], {});
  const folder = temporaryFolder();
  const sockets = ['--socket', path.join(folder, 'e.socket'), '--legacy-socket', 'off'];
  const second = await runVigie(['start', '--no-open', '--data', data, '--listen=127.0.0.1:0', ...sockets], { folder });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('Vigie may already be running: open its console, or use another --data');
});

test.each([
  ['frobnicate', "unknown command 'frobnicate'"],
  ['serv', 'Did you mean serve?'],
])('%s is no command', async (word, words) => {
  const { code, stderr } = await runVigie([word], { folder: temporaryFolder() });
  expect(code).toBe(1);
  expect(stderr).toContain(words);
  expect(stderr).toContain('vigie --help');
});

test('the default port when it is taken: another one, and it says so', async () => {
  const holder = createServer();
  // Held here or by somebody else: taken it is.
  await new Promise<void>((resolve) => {
    holder.once('error', () => resolve()).listen({ host: '127.0.0.1', port: 1337 }, resolve);
  });
  onTestFinished(() => void holder.close());
  const { stdout } = await start(['--no-open', '--memory'], {}, []);
  const port = /127\.0\.0\.1:(\d+)/.exec(stdout)?.[1];
  expect(stdout).toContain(`Port 1337 was taken; this engine listens on port ${port}.`);
  expect(port).not.toBe('1337');
});
