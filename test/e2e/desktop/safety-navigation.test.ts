/** Where the window does not go, and what it does not open, take or save. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ElectronApplication, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { lacksDesktop } from '../../support/desktop.ts';
import { hand } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { SOON } from '../console.ts';
import type { Elsewhere } from './elsewhere.ts';
import { useSafeWindow, WHILE } from './safe-window.ts';

describe.skipIf(lacksDesktop())('the window', () => {
  const safe = useSafeWindow();
  let app: ElectronApplication;
  let page: Page;
  let origin: string;
  let elsewhere: Elsewhere;

  beforeAll(() => {
    ({ app, page, origin, elsewhere } = safe());
  });

  test.each([
    ['another server', (host: string) => `http://${host}/`],
    ['a file', () => 'file:///etc/passwd'],
    ['text', () => 'data:text/html,x'],
    ['data of the engine', () => '/api/v1/status'],
    ['a script of the engine', () => '/assets/none.js'],
    ['its own source', () => 'view-source:http://127.0.0.1/'],
    ['an inner page', () => 'chrome://gpu'],
    ['another program', () => 'mailto:somebody@example.org'],
    ['a button of another page', () => 'https://action.invalid/quit'],
  ])('stays where it is: not to %s', async (_name, url) => {
    await app.evaluate(({ dialog }) => {
      dialog.showMessageBox = () => Promise.resolve({ response: 1, checkboxChecked: false });
    });
    const to = url(elsewhere.host);
    for (const way of ['assign', 'replace'] as const) {
      await page
        .evaluate(`(([how, where]) => window.location[how](where))(${JSON.stringify([way, to])})`)
        .catch(() => undefined);
    }
    await page.evaluate(`((where) => {
        const link = document.body.appendChild(document.createElement('a'));
        link.href = where;
        link.click();
        link.remove();
      })(${JSON.stringify(to)})`);
  });

  test('stays where it is: not to a page that it made itself, nor where a server sends it', async () => {
    await page.evaluate(`(() => {
        location.href = URL.createObjectURL(new Blob(['x'], { type: 'text/html' }));
      })()`);
    await page.route('**/ui/moved', (route) =>
      route.fulfill({ status: 302, headers: { location: `http://${elsewhere.host}/redirected` } }),
    );
    await page.evaluate(`((url) => location.assign(url))(${JSON.stringify(`${origin}/ui/moved`)})`);
    await page.waitForTimeout(WHILE);
    await page.unroute('**/ui/moved');
  });

  test('comes back from nowhere', async () => {
    await page.evaluate(`(() => location.assign('about:blank'))()`).catch(() => undefined);
    await expect.poll(() => app.windows()[0]!.url(), SOON).toBe(`${origin}/ui/jobs`);
    await expect.poll(() => page.evaluate(`(() => document.querySelector('h1')?.textContent)()`), SOON).toBe('Jobs');
    expect(await page.evaluate(`(() => 'sameDocument' in globalThis)()`)).toBe(false);
    await safe().mark();
  });

  test('opens no window, and no page within the page', async () => {
    const opened = await page.evaluate<unknown[][]>(`((host) => {
        const urls = [\`http://\${host}/\`, '/ui/jobs', 'about:blank', '', 'data:text/html,x', 'file:///etc/passwd'];
        return urls.map((url) => [
          window.open(url),
          window.open(url, '_blank', 'noopener'),
          window.open(url, 'named', 'popup'),
        ]);
      })(${JSON.stringify(elsewhere.host)})`);
    expect(opened.flat().filter((one) => one !== null)).toEqual([]);
    await page.evaluate(`((host) => {
        const view = document.body.appendChild(document.createElement('webview'));
        view.setAttribute('src', \`http://\${host}/webview\`);
        const place = document.body.appendChild(document.createElement('p'));
        place.id = 'links';
        place.style.cssText = 'position: fixed; top: 0; left: 0; z-index: 9999';
        place.innerHTML = \`<a href="http://\${host}/">elsewhere</a> <a href="/ui/node">within</a> <a href="http://\${host}/" target="_blank">blank</a> <a href="/ui/node" target="_blank">blank within</a>\`;
      })(${JSON.stringify(elsewhere.host)})`);
    const links = await page.evaluate<{ x: number; y: number; stays: boolean }[]>(`(() =>
        [...document.querySelectorAll('#links a')].map((link) => {
          const { x, y, width, height } = link.getBoundingClientRect();
          return { x: x + width / 2, y: y + height / 2, stays: link.textContent === 'within' };
        }))()`);
    await page.evaluate(`(() => {
        const kinds = [];
        Object.assign(globalThis, { kinds });
        for (const type of ['click', 'auxclick']) document.addEventListener(type, () => kinds.push(type));
      })()`);
    for (const { x, y } of links) await page.mouse.click(x, y, { button: 'middle' });
    for (const { x, y } of links.filter(({ stays }) => !stays)) await page.mouse.click(x, y);
    for (const key of ['Control', 'Shift']) {
      await page.keyboard.down(key);
      for (const { x, y } of links) await page.mouse.click(x, y);
      await page.keyboard.up(key);
    }
    expect(await page.evaluate('kinds.join(" ")')).toBe(
      [...Array(4).fill('auxclick'), ...Array(3 + 8).fill('click')].join(' '),
    );
    await page.evaluate(`(() => document.querySelectorAll('#links, webview').forEach((one) => one.remove()))()`);
  });

  test('takes no file that is dropped on it', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'dropped.html');
    writeFileSync(file, '<title>dropped</title>');
    hand(folder);
    const cdp = await page.context().newCDPSession(page);
    const drop = async (): Promise<void> => {
      const data = { items: [], files: [file], dragOperationsMask: 1 };
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await cdp.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
      }
      await page.waitForTimeout(WHILE);
    };
    await page.evaluate(`(() => {
        const seen = [];
        Object.assign(globalThis, { seen });
        document.addEventListener('dragover', ({ dataTransfer }) => seen.push([...dataTransfer.types]), {
          once: true,
        });
      })()`);
    await drop();
    expect(await page.evaluate('seen'), 'it was a file').toEqual([['Files']]);
    // And where the page itself would not refuse it.
    await page.evaluate(`(() => {
        const hide = (event) => event.stopImmediatePropagation();
        for (const type of ['dragover', 'drop']) window.addEventListener(type, hide, { capture: true });
      })()`);
    await drop();
    await cdp.detach();
  });

  test('saves nothing by itself', async () => {
    await app.evaluate(({ session }) => {
      const prevented: boolean[] = [];
      Object.assign(globalThis, { prevented });
      session.defaultSession.on('will-download', (event) => prevented.push(event.defaultPrevented));
    });
    await page.evaluate(`(() => {
        for (const href of [URL.createObjectURL(new Blob(['x'])), 'data:text/plain,x', '/assets/none.js']) {
          const link = document.createElement('a');
          link.href = href;
          link.download = 'downloaded.txt';
          link.click();
        }
      })()`);
    const prevented = () => app.evaluate(() => (globalThis as unknown as { prevented: boolean[] }).prevented);
    await expect.poll(prevented, SOON).not.toEqual([]);
    await page.waitForTimeout(WHILE);
    expect(new Set(await prevented())).toEqual(new Set([true]));
  });
});
