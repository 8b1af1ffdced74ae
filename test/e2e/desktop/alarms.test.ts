/** Alarms in the window: the number on the program's symbol, and notifications of the desktop. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { SOON } from '../console.ts';

/** What the stand-ins in the main process wrote down. */
interface Signs {
  readonly badges: number[];
  readonly notified: string[];
}

describe.skipIf(lacksDesktop())('alarms in the window', () => {
  const desktop = useDesktop();

  test('the badge counts what fires and nobody has taken; a desktop channel notifies', async () => {
    const { app, page, folder } = await desktop.start();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await app.evaluate(({ app: program, Notification }) => {
      const signs: Signs = { badges: [], notified: [] };
      Object.assign(globalThis, { signs });
      program.setBadgeCount = (count) => {
        signs.badges.push(count!);
        return true;
      };
      Notification.isSupported = () => true;
      Notification.prototype.on = function on(this: Electron.Notification) {
        this.show = () => void signs.notified.push(this.title);
        return this;
      };
    });
    const signs = (): Promise<Signs> => app.evaluate(() => (globalThis as unknown as { signs: Signs }).signs);
    const { origin } = new URL(page.url());
    const token = readFileSync(path.join(folder, 'data', 'token'), 'utf8').trim();
    const ask = async (route: string, body: unknown): Promise<void> => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const response = await fetch(`${origin}/api/v1${route}`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(response.ok, await response.text()).toBe(true);
    };
    await ask('/channels', { name: 'Desk', settings: { kind: 'desktop' } });
    await ask('/alarms/rules', {
      ...{ name: 'Load', scope: { kind: 'node' }, metric: 'proxy_cpu_load_average_percent', raise: -1 },
    });
    await expect.poll(async () => (await signs()).badges.at(-1), SOON).toBe(1);
    await expect.poll(() => page.title(), SOON).toBe('(1) Jobs · Vigie');
    await expect.poll(async () => (await signs()).notified, SOON).toEqual([expect.stringContaining('Load')]);

    await page.getByRole('link', { name: /^Alarms/ }).click();
    await page.getByRole('button', { name: /^Acknowledge Load/ }).click();
    await expect.poll(async () => (await signs()).badges.at(-1), SOON).toBe(0);
    await expect.poll(() => page.title(), SOON).toBe('Alarms · Vigie');
  });
});
