/** The window: what a person sees of the desktop program from its start to its end. */

import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { alive, processTree } from '../../support/processes.ts';
import { eventually } from '../../support/wait.ts';
import { jobRow, SOON } from '../console.ts';
import { Program } from '../program.ts';

describe.skipIf(lacksDesktop())('the window', () => {
  const desktop = useDesktop();

  test('shows the engine’s jobs, and nothing is left when it is closed', async () => {
    const { app, page, settings, pid } = await desktop.start();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const program = await Program.start(String(settings['legacy_socket']), { jobid: 'in-a-window' });
    program.run();
    await jobRow(page, 'in-a-window').waitFor(SOON);
    program.lose();
    const all = processTree(pid);
    expect(all.length).toBeGreaterThan(3);
    const ended = once(app.process(), 'exit');
    await page.close();
    await ended;
    await eventually(() => expect(all.filter((one) => alive(one.pid))).toEqual([]));
    expect(existsSync(String(settings['socket']))).toBe(false);
    expect(existsSync(String(settings['legacy_socket']))).toBe(false);
    expect(existsSync(`${String(settings['data'])}/lock.json`)).toBe(false);
  });
});
