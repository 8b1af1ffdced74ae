/** What the main process takes from pages: the messages of the bridge, from the interface in its window, and no others. */

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BridgeMessage } from '../../../src/shared/bridge-messages.ts';
import { BRIDGE_CHANNEL } from '../../../src/shared/bridge.ts';
import { type Desktop, lacksDesktop, root, useDesktop } from '../../support/desktop.ts';
import { hand } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { SOON } from '../console.ts';
import { type Elsewhere, openElsewhere } from './elsewhere.ts';

/** What the person was asked and what was done, as the stand-ins in the main process wrote it down. */
interface Done {
  readonly asked: string[];
  readonly opened: string[];
  readonly saveAs: string[];
  readonly notified: string[];
  readonly badges: number[];
}

const NOTHING: Done = { asked: [], opened: [], saveAs: [], notified: [], badges: [] };
const UNTRUSTED = /messages of this page are not taken/;
const UNKNOWN = /this message is not one of the bridge/;

/** A call of each function of the bridge that would be taken from the interface, as an expression. */
const CALLS = [
  'openExternal("https://example.org/")',
  'saveFile("a.txt", "text")',
  'notify("title", "body")',
  'badge(3)',
  'setTheme("dark")',
];
/** Makes each of the calls in a page; gives how each one ended. */
const callAll = `Promise.all([${CALLS.map((call) => `vigieDesktop.${call}`).join(', ')}].map((one) => one.then(() => 'taken', String)))`;

describe.skipIf(lacksDesktop())('the bridge', () => {
  const desktop = useDesktop();
  let started: Desktop;
  let page: Page;
  let elsewhere: Elsewhere;
  let folder: string;

  /** The person's next answers: index of the button, and the chosen file. */
  const answers = (button: number, filePath: string | null = null) =>
    started.app.evaluate((_electron, given) => void Object.assign(globalThis, { given }), { button, filePath });
  const done = () => started.app.evaluate(() => (globalThis as unknown as { done: Done }).done);
  const theme = () => started.app.evaluate(({ nativeTheme }) => nativeTheme.themeSource);
  /** Calls the bridge as the page does. */
  const call = (expression: string): Promise<unknown> => page.evaluate(`vigieDesktop.${expression}`);

  beforeAll(async () => {
    elsewhere = await openElsewhere();
    folder = temporaryFolder();
    hand(folder);
    started = await desktop.start();
    ({ page } = started);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await started.app.evaluate(({ app, dialog, shell, Notification }) => {
      const given = () => (globalThis as unknown as { given: { button: number; filePath: string | null } }).given;
      const noted = () => (globalThis as unknown as { done: Done }).done;
      Object.assign(dialog, {
        showMessageBox: (_window: unknown, { detail, buttons }: { detail: string; buttons: string[] }) => {
          noted().asked.push(`${buttons.join('/')}: ${detail}`);
          return Promise.resolve({ response: given().button });
        },
        showSaveDialog: (_window: unknown, { defaultPath }: { defaultPath: string }) => {
          noted().saveAs.push(defaultPath);
          const { filePath } = given();
          return Promise.resolve({ canceled: filePath === null, filePath: filePath ?? undefined });
        },
      });
      app.setBadgeCount = (count) => {
        // What the interface itself says as it connects is none of what tests ask for.
        if (count !== 0) noted().badges.push(count!);
        return true;
      };
      shell.openExternal = (url) => Promise.resolve(void noted().opened.push(url));
      Notification.isSupported = () => true;
      // Each one has a `show` of its own; listening is the first that is done with it.
      Notification.prototype.on = function on(this: Electron.Notification) {
        this.show = () => void noted().notified.push(`${this.title}: ${this.body}`);
        return this;
      };
    });
  });
  afterAll(() => elsewhere?.close());
  beforeEach(async () => {
    await answers(1);
    await started.app.evaluate(({ nativeTheme }, nothing) => {
      nativeTheme.themeSource = 'system';
      Object.assign(globalThis, { done: nothing });
    }, structuredClone(NOTHING));
  });

  /** Nothing of what these calls ask for was done. */
  const expectNothingDone = async (): Promise<void> => {
    expect(await done()).toEqual(NOTHING);
    expect(await theme()).toBe('system');
    expect(readdirSync(folder)).toEqual([]);
  };

  test('asks before it opens a link, and opens what it asked about', async () => {
    expect(await call('openExternal("https://example.org/\u202Etxt.exe")')).toBe(false);
    expect(await done()).toEqual({ ...NOTHING, asked: ['Open/Cancel: https://example.org/%E2%80%AEtxt.exe'] });
    await answers(0);
    expect(await call('openExternal("https://EXAMPLE.org/a?b#c")')).toBe(true);
    expect((await done()).asked.at(-1)).toBe('Open/Cancel: https://example.org/a?b#c');
    expect((await done()).opened).toEqual(['https://example.org/a?b#c']);
  });

  test('asks when a link in the page is clicked', async () => {
    await answers(0);
    await page.evaluate(`(() => {
        const link = document.body.appendChild(document.createElement('a'));
        for (const href of ['https://example.org/clicked', 'http://example.org/', 'file:///etc/passwd']) {
          link.href = href;
          link.click();
        }
        link.remove();
      })()`);
    await expect.poll(done, SOON).toMatchObject({ opened: ['https://example.org/clicked'] });
    expect((await done()).asked).toHaveLength(1);
  });

  test.each([
    'http://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://a:b@example.org/',
    'smb://a/b',
  ])('asks nobody about %s', async (url) => {
    await answers(0);
    await expect(call(`openExternal(${JSON.stringify(url)})`)).rejects.toThrow(UNKNOWN);
    await expectNothingDone();
  });

  test('saves a file where the person says', async () => {
    expect(await call('saveFile("a.csv", "x")'), 'given up').toEqual({ saved: false, reason: null });
    const file = path.join(folder, 'chosen.csv');
    await answers(0, file);
    expect(await call('saveFile("a.csv", "t\\u00e4xt\\n")')).toEqual({ saved: true, name: 'chosen.csv' });
    expect(readFileSync(file, 'utf8')).toBe('täxt\n');
    expect(readdirSync(folder)).toEqual(['chosen.csv']);
    expect((await done()).saveAs).toEqual(['a.csv', 'a.csv']);
    await answers(0, path.join(folder, 'none', 'a.csv'));
    expect(await call('saveFile("a.csv", "x")')).toMatchObject({
      saved: false,
      reason: expect.stringContaining('ENOENT'),
    });
    rmSync(file, { force: true });
  });

  test.each(['../a', '/etc/passwd', '.bashrc', 'a\0b', 'sc\u202Evsc.exe', 'x'.repeat(201)])(
    'suggests no file %j',
    async (name) => {
      await answers(0, path.join(folder, 'a'));
      await expect(call(`saveFile(${JSON.stringify(name)}, "x")`)).rejects.toThrow(UNKNOWN);
      await expectNothingDone();
    },
  );

  test('sets the theme of the window, also for the next start', async () => {
    await call('setTheme("dark")');
    expect(await theme()).toBe('dark');
    expect(await started.app.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors)).toBe(true);
    const state = await started.app.evaluate(({ app }) => app.getPath('userData'));
    await expect
      .poll(() => JSON.parse(readFileSync(path.join(state, 'window-state.json'), 'utf8')) as unknown, SOON)
      .toMatchObject({ theme: 'dark' });
  });

  test('notifies, but not without end', async () => {
    const told: unknown[] = [];
    for (let i = 1; i <= 8; i++) told.push(await call(`notify("Job ${i}", "ended")`));
    expect(told).toEqual([...Array<boolean>(5).fill(true), ...Array<boolean>(3).fill(false)]);
    expect((await done()).notified).toEqual([1, 2, 3, 4, 5].map((i) => `Job ${i}: ended`));
  });

  test('puts a number on the program’s symbol, and no nonsense', async () => {
    expect(await call('badge(7)')).toBe(true);
    expect(await call('badge(0)')).toBe(true);
    for (const nonsense of ['-1', '1.5', 'NaN', '100000', '"3"', '']) {
      await expect(call(`badge(${nonsense})`), nonsense).rejects.toThrow(UNKNOWN);
    }
    expect(await done()).toEqual({ ...NOTHING, badges: [7] });
  });

  describe('to others', () => {
    const preload = path.join(root, 'dist', 'desktop', 'preload', 'preload.cjs');

    test.each([
      ['another window with the interface', 'default', (origin: string) => `${origin}/ui/jobs`],
      ['another window with a page of somebody else', 'others', (_origin: string, host: string) => `http://${host}/`],
      ['another window with a page without an origin', 'default', () => 'data:text/html,x'],
    ])('%s gets nothing', async (_name, partition, url) => {
      const { origin } = new URL(page.url());
      await answers(0, path.join(folder, 'a'));
      const ends = await started.app.evaluate(
        async ({ BrowserWindow }, [file, name, where, script]) => {
          const webPreferences = { preload: file!, sandbox: true, ...(name === 'default' ? {} : { partition: name! }) };
          const window = new BrowserWindow({ show: false, webPreferences });
          try {
            await window.loadURL(where!);
            return (await window.webContents.executeJavaScript(script!)) as string[];
          } finally {
            window.destroy();
          }
        },
        [preload, partition, url(origin, elsewhere.host), callAll],
      );
      expect(ends).toEqual(CALLS.map(() => expect.stringMatching(UNTRUSTED)));
      await expectNothingDone();
    });

    test('a frame in the page has no bridge, and gets nothing by the channel', async () => {
      await answers(0, path.join(folder, 'a'));
      await page.evaluate(`(() => {
        document.body.append(
          Object.assign(document.createElement('iframe'), { id: 'frame', srcdoc: '<p>frame</p>' }),
        );
      })()`);
      expect(await page.evaluate('frame.contentWindow.vigieDesktop === undefined')).toBe(true);
      const messages = [
        { call: 'openExternal', url: 'https://example.org/' },
        { call: 'saveFile', name: 'a.txt', text: 'text' },
        { call: 'badge', count: 3 },
        { call: 'setTheme', theme: 'dark' },
      ];
      // The handler itself, with the frame as Electron gives it: no script of a frame comes that far.
      const ends = await started.app.evaluate(
        async ({ ipcMain, BrowserWindow }, [channel, all]) => {
          type Handler = (event: object, message: unknown) => Promise<unknown>;
          const handlers = Reflect.get(ipcMain, '_invokeHandlers') as Map<string, Handler>;
          const handler = handlers.get(channel)!;
          const { webContents } = BrowserWindow.getAllWindows()[0]!;
          const [frame] = webContents.mainFrame.frames;
          const senders = [
            { sender: webContents, senderFrame: frame },
            { sender: webContents, senderFrame: null },
          ];
          const heard: string[] = [frame === undefined ? 'no frame' : 'frame'];
          for (const sender of senders) {
            for (const message of all) {
              const replies: unknown[] = [];
              const event = {
                ...sender,
                _reply: (answer: unknown) => replies.push(answer),
                _throw: (error: unknown) => replies.push(error),
              };
              await handler(event, message);
              heard.push(replies.map(String).join());
            }
          }
          return heard;
        },
        [BRIDGE_CHANNEL, messages] as const,
      );
      expect(ends).toEqual(['frame', ...Array<unknown>(8).fill(expect.stringMatching(UNTRUSTED))]);
      await page.evaluate('frame.remove()');
      await expectNothingDone();
    });

    test('the window itself gets nothing while it shows something else', async () => {
      await answers(0, path.join(folder, 'a'));
      const origin = new URL(page.url()).origin;
      for (const url of ['data:text/html,x', `${origin}/healthz`]) {
        const ends = await started.app.evaluate(
          async ({ BrowserWindow }, [where, script]) => {
            const window = BrowserWindow.getAllWindows()[0]!;
            await window.loadURL(where!);
            return (await window.webContents.executeJavaScript(script!)) as string[];
          },
          [url, callAll],
        );
        expect(ends).toEqual(CALLS.map(() => expect.stringMatching(UNTRUSTED)));
      }
      await started.app.evaluate(
        ({ BrowserWindow }, url) => BrowserWindow.getAllWindows()[0]!.loadURL(url),
        `${origin}/ui/jobs`,
      );
      await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
      await expectNothingDone();
    });
  });

  describe('messages of a page that was taken over', () => {
    let cdp: CDPSession;
    let ipc: string;

    /** Electron's own object for messages, below everything that the preload script allows. */
    beforeAll(async () => {
      cdp = await page.context().newCDPSession(page);
      const worlds: number[] = [];
      cdp.on('Runtime.executionContextCreated', ({ context }) => {
        if (context.name === 'Electron Isolated Context') worlds.push(context.id);
      });
      await cdp.send('Runtime.enable');
      const { result } = await cdp.send('Runtime.evaluate', {
        expression: 'Object.prototype',
        contextId: worlds.at(-1)!,
      });
      const { objects } = await cdp.send('Runtime.queryObjects', { prototypeObjectId: result.objectId! });
      const found = await cdp.send('Runtime.callFunctionOn', {
        objectId: objects.objectId!,
        functionDeclaration: `function () {
          return this.find((one) => ['invoke', 'sendToHost', 'on'].every((name) => typeof one[name] === 'function'));
        }`,
      });
      ipc = found.result.objectId!;
    });

    /** Sends values, given as expressions, over the channel; gives how each one ended. */
    const send = async (values: readonly string[]): Promise<string[]> => {
      const { result, exceptionDetails } = await cdp.send('Runtime.callFunctionOn', {
        objectId: ipc,
        functionDeclaration: `function () {
          return Promise.all([${values.join(', ')}].map(async (value) => {
            try {
              await this.invoke(${JSON.stringify(BRIDGE_CHANNEL)}, value);
              return 'taken';
            } catch (error) {
              return String(error);
            }
          }));
        }`,
        awaitPromise: true,
        returnByValue: true,
      });
      expect(exceptionDetails).toBeUndefined();
      return result.value as string[];
    };

    test('are taken as the bridge’s own are', async () => {
      expect(await send(['{ call: "setTheme", theme: "light" }'])).toEqual(['taken']);
      expect(await theme()).toBe('light');
    });

    test('are refused when they are outside of the schema', async () => {
      await answers(0, path.join(folder, 'a'));
      const word = fc.oneof(
        fc.constantFrom(
          'call',
          'url',
          'name',
          'text',
          'title',
          'body',
          'theme',
          'count',
          '__proto__',
          'constructor',
          'then',
        ),
        fc.string({ unit: 'binary', maxLength: 8 }),
      );
      const near = fc.dictionary(
        word,
        fc.oneof(
          fc.constantFrom('openExternal', 'saveFile', 'notify', 'badge', 'setTheme', 'dark', '..', 'file:///'),
          fc.anything(),
        ),
        { maxKeys: 5 },
      );
      const anything = fc.anything({
        key: word,
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withSparseArray: true,
      });
      const message = fc.oneof(near, anything).filter((value) => !BridgeMessage.safeParse(value).success);
      let sent = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(message, { minLength: 20, maxLength: 40 }), async (values) => {
          sent += values.length;
          const ends = await send(values.map((value) => fc.stringify(value)));
          // What cannot be cloned does not even leave the page.
          expect(ends.filter((end) => !UNKNOWN.test(end) && !/could not be cloned/.test(end))).toEqual([]);
        }),
        { numRuns: 40 },
      );
      expect(sent).toBeGreaterThan(800);
      await expectNothingDone();
    });

    test('are refused when they are large, deep or turn in a circle, and the program goes on', async () => {
      const ends = await send([
        '"x".repeat(2 ** 24)',
        '{ call: "notify", title: "x".repeat(2 ** 24), body: "" }',
        '{ call: "setTheme", theme: { toString() {} }.x }',
        'Array.from({ length: 500 }).reduce((inner) => ({ call: inner }), 1)',
        '(() => { const circle = { call: "setTheme" }; circle.theme = circle; return circle; })()',
        'new Array(2 ** 20).fill({ call: "setTheme", theme: "dark" })',
        'new ArrayBuffer(2 ** 24)',
        'new Error("x")',
        '/x/',
      ]);
      expect(ends).toEqual(Array<unknown>(9).fill(expect.stringMatching(UNKNOWN)));
      await expectNothingDone();
      await call('setTheme("dark")');
      expect(await theme()).toBe('dark');
    });

    test('find nobody on another channel of the program', async () => {
      const channels = await started.app.evaluate(({ ipcMain }) => [
        ...(Reflect.get(ipcMain, '_invokeHandlers') as Map<string, unknown>).keys(),
        ...ipcMain.eventNames().map(String),
      ]);
      // The last one is Electron's own, for its faults.
      expect(channels).toEqual([BRIDGE_CHANNEL, 'error']);
    });
  });

  test('writes no message into the log', () => {
    expect(started.output()).not.toContain('example.org');
    expect(existsSync(path.join(folder, 'a'))).toBe(false);
  });
});
