/** What the page in the window is, and what it may do: with real Electron, its sandbox on. */

import { readFileSync } from 'node:fs';
import type { ElectronApplication, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { lacksDesktop } from '../../support/desktop.ts';
import { SOON } from '../console.ts';
import type { Elsewhere } from './elsewhere.ts';
import { useSafeWindow } from './safe-window.ts';

describe.skipIf(lacksDesktop())('the page in the window', () => {
  const safe = useSafeWindow();
  let app: ElectronApplication;
  let page: Page;
  let elsewhere: Elsewhere;

  beforeAll(() => {
    ({ app, page, elsewhere } = safe());
  });

  test('runs in a process that the kernel keeps apart', async () => {
    const pid = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]!.webContents.getOSProcessId(),
    );
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const value = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim();
    expect(value('Seccomp'), 'system calls are filtered').toBe('2');
    expect(value('NoNewPrivs')).toBe('1');
    expect(Number.parseInt(value('CapEff')!, 16)).toBe(0);
    expect(value('NSpid')!.split(/\s+/).length, 'in a namespace of process ids of its own').toBeGreaterThan(1);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    expect(command).toContain('--type=renderer');
    expect(command).not.toContain('no-sandbox');
  });

  test('shares no object with the preload script, and cannot change the bridge', async () => {
    const cdp = await page.context().newCDPSession(page);
    let isolated: number | undefined;
    cdp.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === 'Electron Isolated Context') isolated = context.id;
    });
    await cdp.send('Runtime.enable');
    await page.evaluate(
      'globalThis.marked = 1; Object.prototype.polluted = 1; Promise.prototype.polluted = 1; undefined',
    );
    const { result } = await cdp.send('Runtime.evaluate', {
      expression:
        'JSON.stringify([typeof marked, typeof {}.polluted, typeof Promise.resolve().polluted, typeof vigieDesktop])',
      contextId: isolated!,
    });
    expect(result.value).toBe(JSON.stringify(Array(4).fill('undefined')));
    await page.evaluate('delete Object.prototype.polluted; delete Promise.prototype.polluted');
    await cdp.detach();

    const bridge = await page.evaluate(`(() => {
        const { vigieDesktop } = globalThis;
        const attempts = [
          () => Object.assign(vigieDesktop, { notify: () => 'mine' }),
          () => Object.assign(vigieDesktop, { more: 1 }),
          () => Object.defineProperty(globalThis, 'vigieDesktop', { value: 1 }),
          () => Object.setPrototypeOf(vigieDesktop, { more: 1 }),
          () => Object.assign(globalThis, { vigieDesktop: 1 }),
          () => Object.assign(vigieDesktop['notify'], { more: 1 }),
          () => Reflect.deleteProperty(globalThis, 'vigieDesktop') || [].reduce(() => 0),
        ];
        return {
          refused: attempts.map((attempt) => {
            try {
              attempt();
              return null;
            } catch (error) {
              return error.name;
            }
          }),
          names: Reflect.ownKeys(vigieDesktop).map(String).sort(),
          kinds: Object.values(vigieDesktop).map((value) => typeof value),
          same: vigieDesktop === globalThis.vigieDesktop,
        };
      })()`);
    expect(bridge).toEqual({
      refused: Array(7).fill('TypeError'),
      names: ['badge', 'notify', 'openExternal', 'saveFile', 'setTheme'],
      kinds: Array(5).fill('function'),
      same: true,
    });
  });

  test('has no Node and no Electron, not even by way of the bridge', async () => {
    const names = [
      ...['require', 'process', 'Buffer', 'module', 'exports', 'global', 'electron', 'ipcRenderer', 'setImmediate'],
      ...['__dirname', '__filename', 'contextBridge', 'webFrame', 'ipc', 'ipcNative', 'binding', 'WebView'],
    ];
    expect(
      await page.evaluate(`((all) => all.filter((name) => name in globalThis))(${JSON.stringify(names)})`),
    ).toEqual([]);
    const reached = await page.evaluate(`(async () => {
        const { vigieDesktop } = globalThis;
      
        const answer = vigieDesktop['setTheme']('none');
        const error = await answer.catch((reason) => reason);
        // Everything that hangs on the bridge and on what it gives, without what belongs to the page itself.
        const own = [Object, Function, Promise, Error].flatMap((one) => [one, one.prototype]);
        const seen = new Set(own);
        const found = [];
        const walk = (value, name) => {
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
            return;
          seen.add(value);
          found.push(name);
          for (const key of Reflect.ownKeys(value)) walk(value[key], \`\${name}.\${String(key)}\`);
          walk(Object.getPrototypeOf(value), \`\${name}.__proto__\`);
        };
        walk(vigieDesktop, 'bridge');
        walk(answer, 'answer');
        walk(error, 'error');
        return found.filter((name) => !name.endsWith('.prototype')).sort();
      })()`);
    const functions = ['badge', 'notify', 'openExternal', 'saveFile', 'setTheme'].map((name) => `bridge.${name}`);
    expect(reached).toEqual(['answer', 'bridge', ...functions, 'error']);
  });

  test('copies to the clipboard after a click', async () => {
    await app.evaluate(({ clipboard }) => clipboard.writeText('before'));
    await page.getByRole('button', { name: /^Copy/ }).first().click();
    await expect.poll(() => app.evaluate(({ clipboard }) => clipboard.readText()), SOON).not.toBe('before');
  });

  test('runs no script but its own, and loads nothing from elsewhere', async () => {
    const refused = await page.evaluate(`(async (host) => {
        const violations = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
          violations.push(\`\${effectiveDirective} \${blockedURI}\`.replace(/\\b127[^/]*/, 'HOST'));
        });
        const place = document.body.appendChild(document.createElement('div'));
        const add = (name, attributes, text = '') => {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
          element.textContent = text;
          return place.appendChild(element);
        };
        const run = 'globalThis.ran = true';
        add('script', {}, run);
        add('b', { onclick: run }).click();
        add('a', { href: \`javascript:\${run}\` }).click();
        add('script', { src: \`http://\${host}/script.js\` });
        add('script', { type: 'module', src: \`http://\${host}/module.js\` });
        add('script', { src: \`data:text/javascript,\${run}\` });
        add('img', { src: \`http://\${host}/image.png\` });
        add('link', { rel: 'stylesheet', href: \`http://\${host}/style.css\` });
        add('link', { rel: 'preconnect', href: \`http://\${host}\` });
        add('link', { rel: 'prefetch', href: \`http://\${host}/prefetch\` });
        add('link', { rel: 'manifest', href: \`http://\${host}/manifest\` });
        add('video', { src: \`http://\${host}/video\` });
        add('object', { data: \`http://\${host}/object\` });
        add('embed', { src: \`http://\${host}/embed\` });
        add('iframe', { src: \`http://\${host}/frame\` });
        add('iframe', { src: \`data:text/html,<script>\${run}</script>\` });
        add('iframe', { srcdoc: \`<script>parent.ran = true</script>\` });
        add('base', { href: \`http://\${host}/\` });
        const form = add('form', { action: \`http://\${host}/form\`, method: 'post' });
        form.submit();
        const evaluations = await new Promise((resolve) => {
          // From a timer: what a debugger evaluates is free of the policy.
          setTimeout(() => {
            const tries = [
              () => (0, eval)(run),
              () => new Function(run)(),
              () => globalThis.vigieDesktop.notify.constructor(run)(),
              () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
              () => new Worker(\`http://\${host}/worker.js\`),
              () => new Worker(URL.createObjectURL(new Blob([run]))),
            ];
            resolve(
              tries.map((attempt) => {
                try {
                  attempt();
                  return 'done';
                } catch (error) {
                  return error.name;
                }
              }),
            );
          });
        });
        const asked = await Promise.allSettled([
          fetch(\`http://\${host}/fetch\`, { mode: 'no-cors' }),
          fetch('file:///etc/passwd'),
          navigator.serviceWorker.register(\`http://\${host}/worker.js\`),
          new Promise((resolve, reject) => {
            const socket = new WebSocket(\`ws://\${host}/socket\`);
            socket.onopen = resolve;
            socket.onerror = reject;
          }),
          new Promise((resolve, reject) => {
            const source = new EventSource(\`http://\${host}/events\`);
            source.onopen = resolve;
            source.onerror = reject;
          }),
        ]);
        navigator.sendBeacon(\`http://\${host}/beacon\`, 'x');
        // What the interface does itself works as before: the policy is not merely closed.
        const image = new Image();
        image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';
        await image.decode();
        await new Promise((resolve) => setTimeout(resolve, 200));
        place.remove();
        const base = document.baseURI;
        return {
          ran: 'ran' in globalThis,
          evaluations,
          asked: asked.map(({ status }) => status),
          base: base === location.href,
          violations: [...new Set(violations)].sort(),
        };
      })(${JSON.stringify(elsewhere.host)})`);
    expect(refused).toEqual({
      ran: false,
      evaluations: ['EvalError', 'EvalError', 'EvalError', 'CompileError', 'SecurityError', 'SecurityError'],
      asked: Array(5).fill('rejected'),
      base: true,
      violations: expect.arrayContaining([
        'base-uri http://HOST/',
        'connect-src file',
        ...['beacon', 'events', 'fetch'].map((name) => `connect-src http://HOST/${name}`),
        'connect-src ws://HOST/socket',
        'form-action http://HOST/form',
        'frame-src http://HOST',
        'img-src http://HOST/image.png',
        'media-src http://HOST/video',
        'object-src http://HOST',
        'script-src eval',
        'script-src-attr inline',
        ...['inline', 'data', 'http://HOST/module.js', 'http://HOST/script.js'].map((uri) => `script-src-elem ${uri}`),
        'style-src-elem http://HOST/style.css',
        'worker-src blob',
      ]),
    });
  });

  test('is granted nothing but to copy', async () => {
    const states = await page.evaluate<string[]>(`(async () => {
        const names = [
          ...['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'persistent-storage'],
          ...[
            'background-sync',
            'accelerometer',
            'screen-wake-lock',
            'idle-detection',
            'display-capture',
            'local-fonts',
          ],
        ];
        const all = await Promise.all(names.map((name) => navigator.permissions.query({ name: name })));
        return all.map(({ state }) => state);
      })()`);
    expect([...new Set(states)]).toEqual(['denied']);
    const refused = await page.evaluate(`(async () => {
        const asks = {
          place: () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject)),
          notification: () =>
            Notification.requestPermission().then((state) => (state === 'granted' ? 0 : Promise.reject())),
          camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
          microphone: () => navigator.mediaDevices.getUserMedia({ audio: true }),
          screen: () => navigator.mediaDevices.getDisplayMedia({ video: true }),
          midi: () => navigator.requestMIDIAccess(),
          midiSysex: () => navigator.requestMIDIAccess({ sysex: true }),
          clipboard: () => navigator.clipboard.readText(),
          wakeLock: () => navigator.wakeLock.request('screen'),
          storage: () => navigator.storage.persist().then((kept) => (kept ? 0 : Promise.reject())),
        };
        const outcomes = await Promise.all(
          Object.entries(asks).map(async ([name, ask]) =>
            (await ask().then(
              () => true,
              () => false,
            ))
              ? name
              : null,
          ),
        );
        return { granted: outcomes.filter((name) => name !== null), notification: Notification.permission };
      })()`);
    expect(refused).toEqual({ granted: [], notification: 'denied' });
    // Devices are given out only after a click, which a debugger can stand in for.
    const cdp = await page.context().newCDPSession(page);
    const { result } = await cdp.send('Runtime.evaluate', {
      expression: `Promise.allSettled([
        navigator.usb.requestDevice({ filters: [] }),
        navigator.hid.requestDevice({ filters: [] }),
        navigator.serial.requestPort(),
      ]).then((all) => all.map(({ status, value }) => (Array.isArray(value) ? value.length : status)))`,
      userGesture: true,
      awaitPromise: true,
      returnByValue: true,
    });
    expect(result.value).toEqual(['rejected', 0, 'rejected']);
    await cdp.detach();
  });
});
