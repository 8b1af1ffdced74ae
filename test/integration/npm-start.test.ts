import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeAll, expect, test } from 'vitest';

import { Ready, ensureBuilt } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';

const root = path.join(import.meta.dirname, '..', '..');
let group = 0;

beforeAll(() => ensureBuilt('engine'));

afterEach(() => {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // All of the group have ended, as they should.
  }
});

/** Runs `npm start -- serve …` in a process group of its own, as a shell does for a command, until it is ready. */
async function npmStart() {
  const folder = temporaryFolder();
  const sockets = ['--socket', path.join(folder, 'e.socket'), '--legacy-socket', path.join(folder, 'l.socket')];
  const data = path.join(folder, 'data');
  const child = spawn('npm', ['start', '--', 'serve', '--listen', '127.0.0.1:0', ...sockets, '--data', data], {
    cwd: root,
    env: { ...process.env, VIGIE_SKIP_BUILD: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  group = child.pid ?? 0;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = once(child, 'close');
  const ready = await new Promise<Ready>((resolve, reject) => {
    // npm prints the name of the script before the engine's line.
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) resolve(Ready.parse(JSON.parse(line)));
    });
    child.once('close', () => reject(new Error(stderr)));
  });
  return { child, closed, ready, folder, data, log: () => stderr };
}

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.each(['SIGTERM', 'SIGINT'] as const)('%s to npm ends the engine in order', async (signal) => {
  const { child, closed, ready, folder, data } = await npmStart();
  child.kill(signal);
  await closed;
  await eventually(() => !alive(ready.pid));
  expect(readdirSync(folder)).toEqual(['data']);
  expect(readdirSync(data)).not.toContain('lock.json');
});

test('Ctrl-C reaches npm and the engine, and npm passes it on again: the engine still ends in order', async () => {
  const { closed, ready, folder, data } = await npmStart();
  process.kill(-group, 'SIGINT');
  await closed;
  await eventually(() => !alive(ready.pid));
  expect(readdirSync(folder)).toEqual(['data']);
  expect(readdirSync(data)).not.toContain('lock.json');
});
