/** The engine's token: where it is in the window's processes, files and requests, and where it is not. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desktop, lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { processTree } from '../../support/processes.ts';
import { eventually } from '../../support/wait.ts';
import { chart, jobRow, SOON } from '../console.ts';
import { Program } from '../program.ts';
import { type Elsewhere, openElsewhere } from './elsewhere.ts';

/** A request as it leaves, after everything that is added to it. */
interface Sent {
  readonly url: string;
  readonly authorization: string | null;
}

/** What a script of the page finds. */
interface Seen {
  readonly status: number;
  readonly scripts: number;
  readonly kept: readonly string[];
  readonly databases: number;
  readonly cookies: string;
  readonly texts: readonly string[];
}

/** A text in bytes as one- and as two-byte characters: both are how Chromium keeps texts. */
const holds = (bytes: Buffer, text: string): boolean =>
  bytes.includes(text, 0, 'latin1') || bytes.includes(text, 0, 'utf16le');

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile());

describe.skipIf(lacksDesktop())('the token', () => {
  const desktop = useDesktop();
  let started: Desktop;
  let page: Page;
  let elsewhere: Elsewhere;
  let program: Program;
  /** The owner's, in the token file. */
  let owners: string;
  /** The window's own, which main adds to its requests. */
  let token: string;
  let origin: string;

  /** What is sent from now on, by any page of the session. */
  const record = () =>
    started.app.evaluate(({ session }) => {
      const sent: Sent[] = [];
      Object.assign(globalThis, { sent });
      session.defaultSession.webRequest.onSendHeaders({ urls: ['<all_urls>'] }, ({ url, requestHeaders }) => {
        const name = Object.keys(requestHeaders).find((one) => one.toLowerCase() === 'authorization');
        sent.push({ url, authorization: name === undefined ? null : requestHeaders[name]! });
      });
    });
  const recorded = (part: string): Promise<Sent[]> =>
    started.app.evaluate(
      (_electron, text) => (globalThis as unknown as { sent: Sent[] }).sent.filter(({ url }) => url.includes(text)),
      part,
    );

  beforeAll(async () => {
    elsewhere = await openElsewhere();
    started = await desktop.start({ settings: { log_level: 'debug' } });
    ({ page } = started);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    ({ origin } = new URL(page.url()));
    owners = readFileSync(path.join(String(started.settings['data']), 'token'), 'utf8').trim();
    // Everything that the interface does has been done with it.
    program = await Program.start(String(started.settings['legacy_socket']), { jobid: 'seen' });
    program.run();
    await jobRow(page, 'seen').click();
    await chart(page, 'MPI: Calls').waitFor(SOON);
    await page.reload();
    await chart(page, 'MPI: Calls').waitFor(SOON);
    await page.getByRole('link', { name: 'Node', exact: true }).click();
    await page.getByTestId('chart-panel').first().waitFor(SOON);
    await record();
    await page.reload();
    token = await eventually(async () => {
      const [sent] = await recorded('/api/v1/');
      return sent?.authorization?.replace('Bearer ', '');
    });
    expect(token).toMatch(/^[\w-]{40,}$/);
    expect(token).not.toBe(owners);
  });
  afterAll(() => {
    program?.lose();
    elsewhere?.close();
  });

  test('is in nothing that a script of the page can see', async () => {
    const seen = await page.evaluate<Seen>(`(async () => {
        const entries = performance.getEntries();
        const urls = entries.map(({ name }) => name).filter((name) => name.startsWith('http'));
        const assets = urls.filter((url) => new URL(url).pathname.startsWith('/assets/'));
        const texts = await Promise.all(assets.map(async (url) => (await fetch(url)).text()));
        const answer = await fetch('/api/v1/status');
        const globals = Object.getOwnPropertyNames(window).map((name) => {
          const value = window[name];
          return typeof value === 'string' ? value : '';
        });
        const databases = await indexedDB.databases();
        const caches = await window.caches.keys();
        return {
          status: answer.status,
          scripts: assets.filter((url) => url.endsWith('.js')).length,
          kept: [localStorage, sessionStorage].map((storage) => JSON.stringify(storage)),
          databases: databases.length + caches.length,
          cookies: document.cookie,
          texts: [
            ...texts,
            ...globals,
            ...urls,
            document.documentElement.outerHTML,
            location.href,
            document.referrer,
            window.name,
            JSON.stringify(history.state),
            JSON.stringify([...answer.headers]),
            await answer.text(),
          ],
        };
      })()`);
    expect(seen.status, 'the page is authorised').toBe(200);
    expect(seen.scripts).toBeGreaterThan(0);
    expect([...seen.texts, ...seen.kept].filter((text) => text.includes(token) || text.includes(owners))).toEqual([]);
    expect(seen.kept[1]).toBe('{}');
    expect([seen.databases, seen.cookies]).toEqual([0, '']);
    expect(await started.app.evaluate(({ session }) => session.defaultSession.cookies.get({}))).toEqual([]);
    const history = await started.app.evaluate(({ BrowserWindow }) => {
      // What "back" leads to.
      const { webContents } = BrowserWindow.getAllWindows()[0]!;
      return JSON.stringify((webContents as unknown as { history?: string[] }).history ?? webContents.getURL());
    });
    expect(history).toContain(origin);
    expect(history).not.toContain(token);
    expect(history).not.toContain(owners);
  });

  test('is in no string of the page, the preload script’s included', async () => {
    const cdp = await page.context().newCDPSession(page);
    let heap = '';
    cdp.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (heap += chunk));
    await cdp.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await cdp.detach();
    // A snapshot has the strings of all worlds.
    const known = ['vigie:bridge', '/api/v1/live', 'openExternal'];
    expect(known.filter((text) => !heap.includes(text))).toEqual([]);
    expect([token, owners].filter((text) => heap.includes(text))).toEqual([]);
  });

  test('is in no output, command line or environment', async () => {
    const tree = processTree(started.pid);
    expect(tree.length).toBeGreaterThan(4);
    for (const { pid, command } of tree) {
      const texts = `${command} ${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      expect([token, owners].filter((text) => texts.includes(text))).toEqual([]);
    }
    await expect(page.evaluate('vigieDesktop.setTheme("none")')).rejects.toThrow();
    await expect.poll(() => started.output(), SOON).toContain('Error occurred in handler');
    expect([token, owners].filter((text) => started.output().includes(text))).toEqual([]);
  });

  test('is in one file, which others cannot read', async () => {
    // Storage is written a moment later.
    await started.app.evaluate(({ session }) => {
      session.defaultSession.flushStorageData();
      return session.defaultSession.cookies.flushStore();
    });
    const [userData, file] = [
      await started.app.evaluate(({ app }) => app.getPath('userData')),
      path.join(String(started.settings['data']), 'token'),
    ];
    const files = filesBelow(started.folder);
    expect(files.filter((name) => name.startsWith(userData)).length).toBeGreaterThan(5);
    expect(files.filter((name) => holds(readFileSync(name), owners))).toEqual([file]);
    expect(files.filter((name) => holds(readFileSync(name), token))).toEqual([]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(userData).mode & 0o077).toBe(0);
  });

  test('is added to requests for the engine’s data, whatever the page sends in its place, and to no others', async () => {
    await record();
    const statuses = await page.evaluate(`(async () => {
        const headers = { authorization: 'Bearer mine' };
        const urls = [
          '/api/v1/status?mine',
          '/healthz?mine',
          '/assets/none.js?mine',
          '/ui/jobs?mine',
          '/metrics?mine',
        ];
        const answers = await Promise.all(urls.map((url) => fetch(url, { headers })));
        const socket = new WebSocket(\`\${location.origin.replace('http', 'ws')}/api/v1/live?mine\`);
        await new Promise((resolve) => (socket.onopen = resolve));
        socket.close();
        return answers.map(({ status }) => status);
      })()`);
    expect(statuses).toEqual([200, 200, 404, 200, 401]);
    const sent = await recorded('mine');
    const paths = sent.map(({ url, authorization }) => [new URL(url).pathname, authorization] as const);
    expect(new Map(paths)).toEqual(
      new Map([
        ['/api/v1/status', `Bearer ${token}`],
        ['/api/v1/live', `Bearer ${token}`],
        ['/healthz', null],
        ['/assets/none.js', null],
        ['/ui/jobs', null],
        ['/metrics', null],
      ]),
    );
  });

  test('goes to nobody else, and nor does anything else, also where the page’s policy does not hold', async () => {
    await record();
    await started.app.evaluate(({ session }) =>
      session.defaultSession.webRequest.onHeadersReceived(({ responseHeaders }, answer) => {
        delete responseHeaders!['content-security-policy'];
        answer({ responseHeaders: responseHeaders! });
      }),
    );
    await page.reload();
    await page.getByTestId('chart-panel').first().waitFor(SOON);
    const port = Number(new URL(origin).port);
    const hosts = [elsewhere.host, elsewhere.otherHost, elsewhere.host.replace('127.0.0.1', 'localhost')];
    const urls = hosts.flatMap((host) => [`http://${host}/api/v1/status`, `https://${host}/api/v1/status`]);
    const outcomes = await page.evaluate<string[]>(`(async ({ urls, udp, turns, aliases }) => {
        const tries = [];
        for (const url of urls) {
          for (const mode of ['cors', 'no-cors']) tries.push(fetch(url, { mode }));
          tries.push(
            new Promise((resolve, reject) => {
              const socket = new WebSocket(url.replace('http', 'ws'));
              socket.onopen = resolve;
              socket.onerror = reject;
            }),
          );
          for (const [name, attribute] of [
            ['img', 'src'],
            ['script', 'src'],
            ['iframe', 'src'],
            ['object', 'data'],
          ]) {
            const element = document.createElement(name);
            element.setAttribute(attribute, url);
            document.body.append(element);
          }
          for (const rel of ['preconnect', 'dns-prefetch', 'prefetch', 'modulepreload', 'stylesheet', 'icon']) {
            document.head.append(Object.assign(document.createElement('link'), { rel, href: url }));
          }
          navigator.sendBeacon(url, 'x');
        }
        tries.push(fetch('file:///etc/passwd'), ...aliases.map((url) => fetch(url, { mode: 'no-cors' })));
        const peer = new RTCPeerConnection({
          iceServers: [{ urls: udp }, { urls: turns, username: 'x', credential: 'x' }],
        });
        peer.createDataChannel('x');
        await peer.setLocalDescription(await peer.createOffer());
        const outcomes = (await Promise.allSettled(tries)).map(({ status }) => status);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        peer.close();
        return outcomes;
      })(${JSON.stringify({
        urls,
        udp: `stun:127.0.0.1:${elsewhere.udpPort}`,
        turns: `turn:${elsewhere.otherHost}?transport=tcp`,
        // The same port, another origin.
        aliases: [`http://localhost:${port}/api/v1/status`, `http://[::1]:${port}/api/v1/status`],
      })})`);
    expect(new Set(outcomes)).toEqual(new Set(['rejected']));
    expect(outcomes.length).toBeGreaterThan(20);
    expect(elsewhere.heard()).toEqual([]);
    const all = await recorded('');
    expect(all.filter(({ url }) => !url.replace('ws:', 'http:').startsWith(`${origin}/`))).toEqual([]);
    expect(all.some(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true);

    // A frame of somebody else in the page asks the engine.
    await page.evaluate(`((url) => {
        const frame = document.createElement('iframe');
        frame.src = \`data:text/html,<script>fetch("\${url}/api/v1/status?frame",{mode:"no-cors"})</script>\`;
        document.body.append(frame);
      })(${JSON.stringify(origin)})`);
    const sent = await eventually(async () => {
      const found = await recorded('?frame');
      return found.length > 0 && found;
    });
    expect(new Set(sent.map(({ authorization }) => authorization))).toEqual(new Set([null]));
    await started.app.evaluate(({ session }) => session.defaultSession.webRequest.onHeadersReceived(null));
    await page.reload();
  });

  test('is added to no request of another window', async () => {
    await record();
    const seen = await started.app.evaluate(
      async ({ BrowserWindow }, [url, foreign]) => {
        const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true } });
        try {
          await window.loadURL(`${url}/healthz`);
          const status: unknown = await window.webContents.executeJavaScript(
            'fetch("/api/v1/status?window").then(({ status }) => status)',
          );
          const loaded = await window.loadURL(`http://${foreign}/`).then(
            () => 'loaded',
            () => 'refused',
          );
          return { status, loaded };
        } finally {
          window.destroy();
        }
      },
      [origin, elsewhere.host] as const,
    );
    expect(seen).toEqual({ status: 401, loaded: 'refused' });
    expect((await recorded('?window')).map(({ authorization }) => authorization)).toEqual([null]);
    expect(elsewhere.heard()).toEqual([]);
  });
});
