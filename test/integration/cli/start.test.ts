import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ensureBuilt } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const command = path.join(import.meta.dirname, '..', '..', '..', 'bin', 'vigie');

/** Runs the command without a word, as a new user does, until it has printed what it prints. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv) {
  await ensureBuilt('engine');
  await ensureBuilt('renderer');
  const folder = temporaryFolder();
  const sockets = ['--socket', path.join(folder, 'e.socket'), '--legacy-socket', path.join(folder, 'l.socket')];
  const child = spawn(command, ['--listen', '127.0.0.1:0', ...sockets, ...args], {
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
