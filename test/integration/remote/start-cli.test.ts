/** `vigie remote`, as one types it: in a terminal, where the login asks. */

import { spawn } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConnectionList, EngineWork } from '../../../src/shared/api/connections.ts';
import { makeEnginePackage } from '../../support/engine-package.ts';
import { ensureBuilt, runVigie } from '../../support/launch.ts';
import { lacksSshd } from '../../support/sshd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { alive } from '../../support/processes.ts';
import { Far } from './far.ts';

const bin = path.join(import.meta.dirname, '..', '..', '..', 'bin', 'vigie');

/** A command in a terminal of its own. */
function inTerminal(args: readonly string[]): {
  text(): string;
  type(text: string): void;
  ended: Promise<number | null>;
} {
  const line = [bin, ...args].map((arg) => `'${arg}'`).join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, VIGIE_SKIP_BUILD: '1', TERM: 'xterm' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  return { text: () => text, type: (typed) => void child.stdin.write(typed), ended };
}

describe.skipIf(lacksSshd())('vigie remote', () => {
  let archive: string;
  beforeAll(async () => {
    archive = await makeEnginePackage();
    await ensureBuilt('engine');
  }, 600_000);

  test(
    'start asks in the terminal, status, stop and remove; what is typed is not shown',
    { timeout: 300_000 },
    async () => {
      vi.stubEnv('VIGIE_PACKAGES', path.dirname(archive));
      const far = new Far('open sesame');
      far.configure(await far.sshd());
      const { here } = await far.near();
      const folder = temporaryFolder();
      const socket = here.engine.ready.socket;
      const vigie = (...args: string[]) => runVigie(['remote', ...args, '--socket', socket], { folder });

      const unknown = await vigie('stop', 'elsewhere');
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('not on the list of connections')]);

      // A name that was mistyped does not stay on the list; what was there before does.
      const mistyped = await vigie('start', 'no-such-host.invalid');
      expect([mistyped.code, mistyped.stderr]).toEqual([1, expect.stringContaining('no-such-host.invalid')]);
      const listed = async () =>
        ConnectionList.parse(await here.client.json('/connections')).connections.map((one) => one.host);
      const before = (await listed()).filter((one) => one !== 'no-such-host.invalid');
      expect(await listed()).toEqual(before);

      // Ctrl-C where it asks: nothing is started, and nothing else is asked.
      const given = inTerminal(['remote', 'start', 'login', '--socket', socket]);
      await eventually(() => /passphrase/i.test(given.text()), { timeout: 60_000 });
      given.type('\u0003');
      expect([await given.ended, given.text()]).toEqual([130, expect.not.stringMatching(/password/i)]);
      expect(await listed()).toEqual(before);

      const terminal = inTerminal(['remote', 'start', 'login', '--socket', socket]);
      await eventually(() => /passphrase/i.test(terminal.text()), { timeout: 60_000 });
      terminal.type('open sesame\r');
      expect([await terminal.ended, terminal.text()]).toEqual([0, expect.stringContaining('runs on')]);
      expect(terminal.text()).not.toContain('sesame');
      expect(terminal.text()).toMatch(/✓ Send the package \(.*\)/);

      const status = await vigie('status', 'login');
      expect(status.stdout).toMatch(
        /^login: up\nengine: up, vigie .*\nput there by this engine: vigie .* in \/tmp\/vigie-remote-/,
      );
      const pid = far.pid()!;
      const stopped = await vigie('stop', 'login', '--json');
      expect([stopped.code, EngineWork.parse(JSON.parse(stopped.stdout)).state]).toEqual([0, 'done']);
      expect(alive(pid)).toBe(false);
      const removed = await vigie('remove', 'login');
      expect([removed.code, removed.stderr]).toEqual([0, expect.stringContaining('✓ Remove what is not needed')]);
      expect(far.left()).toEqual([]);
      const again = await vigie('upgrade', 'login');
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('no engine was put there')]);
    },
  );
});
