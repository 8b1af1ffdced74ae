/** The packaged program: made by `npm run package`, started as a person would, driven over the DevTools protocol. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { FuseState, FuseV1Options, FuseVersion, getCurrentFuseWire } from '@electron/fuses';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connectCdp } from '../../support/cdp.ts';
import { lacksDesktop, root, useDesktop } from '../../support/desktop.ts';
import { alive, enginePid, processTree } from '../../support/processes.ts';
import { asUser, hand } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { DESKTOP_ENV } from '../../../src/shared/launch.ts';
import { Program } from '../program.ts';

interface Started {
  readonly child: ChildProcess;
  readonly folder: string;
  output(): string;
}

describe.skipIf(lacksDesktop())('the packaged program', () => {
  const desktop = useDesktop();
  let program: string;

  beforeAll(async () => {
    const output = temporaryFolder();
    const env = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: desktop.runtime() };
    const args = [path.join(root, 'scripts', 'package.mjs'), '--dir', `-c.directories.output=${output}`];
    await promisify(execFile)(process.execPath, args, { cwd: root, env, maxBuffer: 2 ** 24 });
    program = path.join(output, 'linux-unpacked', 'vigie-desktop');
    hand(output);
  });

  /** With sockets and data of its own, as its own user. */
  function start(args: readonly string[], env: Record<string, string> = {}): Started {
    const folder = temporaryFolder();
    hand(folder);
    const settings = {
      listen: '127.0.0.1:0',
      socket: path.join(folder, 'engine.socket'),
      legacy_socket: path.join(folder, 'legacy.socket'),
      data: path.join(folder, 'data'),
    };
    const [command, words] = asUser(program, args);
    const child = spawn(command, words, {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        TMPDIR: folder,
        DISPLAY: desktop.display().name,
        [DESKTOP_ENV]: JSON.stringify({ settings }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const all = (): number[] => processTree(child.pid!).map((one) => one.pid);
    onTestFinished(() => {
      for (const pid of all().reverse()) process.kill(pid, 'SIGKILL');
    });
    return { child, folder, output: () => output };
  }

  test('has its fuses flipped', async () => {
    const wire = await getCurrentFuseWire(program);
    expect(wire.version).toBe(FuseVersion.V1);
    const off = [
      FuseV1Options.RunAsNode,
      FuseV1Options.EnableNodeOptionsEnvironmentVariable,
      FuseV1Options.EnableNodeCliInspectArguments,
    ];
    const on = [FuseV1Options.EnableEmbeddedAsarIntegrityValidation, FuseV1Options.OnlyLoadAppFromAsar];
    expect(off.map((fuse) => wire[fuse])).toEqual(off.map(() => FuseState.DISABLE));
    expect(on.map((fuse) => wire[fuse])).toEqual(on.map(() => FuseState.ENABLE));
  });

  test('shows a job, and leaves nothing behind', async () => {
    const { child, folder, output } = start(['--remote-debugging-port=0']);
    const address = await eventually(() => /DevTools listening on ws:\/\/([^/]+)\//.exec(output())?.[1]);
    const target = await eventually(async () => {
      const pages = (await (await fetch(`http://${address}/json/list`)).json()) as Record<string, string>[];
      return pages.find(({ url }) => url?.includes('/ui/jobs'));
    });
    const page = await connectCdp(target['webSocketDebuggerUrl']!);
    const shows = (text: string) => eventually(() => page.evaluate(`document.body.innerText.includes('${text}')`));
    await shows('Jobs');
    const running = await Program.start(path.join(folder, 'legacy.socket'), { jobid: 'packaged' });
    running.run();
    await shows('packaged');
    running.lose();
    expect(enginePid(child.pid!)).not.toBeNull();
    // Its code is in the archive, and nothing of the tree is needed.
    for (const { command } of processTree(child.pid!)) expect(command).not.toContain(root);
    const all = processTree(child.pid!).map((one) => one.pid);
    const ended = once(child, 'exit');
    await page.evaluate('window.close()');
    await ended;
    await eventually(() => expect(all.filter(alive)).toEqual([]));
    expect(existsSync(path.join(folder, 'engine.socket'))).toBe(false);
    expect(existsSync(path.join(folder, 'data', 'lock.json'))).toBe(false);
    page.close();
  });

  test('is no Node for whoever can set its environment or arguments', async () => {
    const marker = path.join(temporaryFolder(), 'ran');
    const script = `require('fs').writeFileSync(${JSON.stringify(marker)}, 'ran')`;
    const asNode = start(['-e', script], { ELECTRON_RUN_AS_NODE: '1' });
    const inspected = start(['--inspect=0'], { NODE_OPTIONS: `--require ${path.join(root, 'no-such-file.cjs')}` });
    for (const one of [asNode, inspected]) await eventually(() => one.output().includes('The window is open.'));
    expect(existsSync(marker)).toBe(false);
    expect(inspected.output()).not.toContain('Debugger listening');
    const environment = readFileSync(`/proc/${asNode.child.pid}/environ`, 'utf8');
    expect(environment).toContain('ELECTRON_RUN_AS_NODE=1');
  });
});
