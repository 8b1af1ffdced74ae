/**
 * The desktop program: from its start to the first paint and to live data, and its memory while twelve panels are live.
 *
 *     npm run bench -- desktop [--starts N] [--minutes N]
 *
 * Runs the Electron of the tests under Xvfb, as a user without rights when it is started as root. Beside the starts, in
 * the same run: the same runtime with an empty page.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { windowFolder } from '../src/main/launch-options.ts';
import { DESKTOP_ENV } from '../src/shared/launch.ts';
import { type CdpPage, connectCdp } from '../test/support/cdp.ts';
import { enginePid, processTree } from '../test/support/processes.ts';
import { openDisplay } from '../test/support/display.ts';
import { asUser, hand, provideElectron } from '../test/support/electron.ts';
import { temporaryFolder } from './support/engine.ts';
import { JOB, PANELS, startProgram } from './support/panels.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { paintMs: 1500, growth: 0.05 };
/** Growth is looked at from this minute on: before it, caches and buffers fill. */
const SETTLED_MINUTE = 10;
const DEADLINE = 120_000;
const SCREEN = [1920, 1560] as const;
const root = path.join(import.meta.dirname, '..');

const { values: flags } = parseArgs({
  options: { starts: { type: 'string', default: '10' }, minutes: { type: 'string', default: '30' } },
});
const starts = Number(flags.starts);
const minutes = Number(flags.minutes);
if (!(starts >= 0) || !(minutes >= 0)) throw new Error('--starts and --minutes take numbers');

const runtime = await provideElectron();
const display = await openDisplay(SCREEN);

interface Program {
  readonly child: ChildProcess;
  readonly page: CdpPage;
  /** Milliseconds since the epoch. */
  readonly began: number;
  readonly legacySocket: string;
}

/** Waits for what an attempt gives, polling each 10 ms. */
async function poll<T>(what: string, attempt: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const until = performance.now() + DEADLINE;
  while (performance.now() < until) {
    const value = await attempt();
    if (value !== undefined) return value;
    await sleep(10);
  }
  throw new Error(`no ${what} within ${DEADLINE / 1000} s`);
}

async function start(application: string, folder: string, isPage: (url: string) => boolean): Promise<Program> {
  const legacySocket = path.join(folder, 'legacy.socket');
  const settings = {
    listen: '127.0.0.1:0',
    socket: path.join(folder, 'engine.socket'),
    legacy_socket: legacySocket,
    data: path.join(folder, 'data'),
  };
  // Large enough for all panels: only what is seen is drawn.
  const window = windowFolder(path.join(folder, '.config'), { settings, config: null });
  mkdirSync(window, { recursive: true });
  const state = { place: { x: 0, y: 0 }, width: SCREEN[0], height: SCREEN[1] };
  writeFileSync(path.join(window, 'window-state.json'), JSON.stringify(state));
  hand(folder);
  const [command, args] = asUser(path.join(runtime, 'electron'), ['--remote-debugging-port=0', application]);
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, TMPDIR: folder, DISPLAY: display.name };
  const began = Date.now();
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...env, [DESKTOP_ENV]: JSON.stringify({ settings }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const address = await poll('debugger', () => /DevTools listening on ws:\/\/([^/]+)\//.exec(said)?.[1]);
  const url = await poll('page', async () => {
    const pages = (await (await fetch(`http://${address}/json/list`)).json()) as Record<string, string>[];
    return pages.find((page) => isPage(page['url'] ?? ''))?.['webSocketDebuggerUrl'];
  });
  return { child, page: await connectCdp(url), began, legacySocket };
}

async function end({ child, page }: Program): Promise<void> {
  const ended = once(child, 'exit');
  page.close();
  child.kill('SIGTERM');
  await ended;
}

/** A page between two documents answers nothing. */
const ask = (page: CdpPage, expression: string): Promise<unknown> => page.evaluate(expression).catch(() => undefined);

const firstPaint = (page: CdpPage): Promise<number> =>
  poll('paint', async () => {
    const time = await ask(
      page,
      `(() => { const [p] = performance.getEntriesByName('first-contentful-paint'); return p && performance.timeOrigin + p.startTime; })()`,
    );
    return typeof time === 'number' ? time : undefined;
  });

interface Times {
  readonly paint: number;
  readonly live: number;
}

async function timeStart(): Promise<Times> {
  const folder = temporaryFolder('desktop');
  const program = await start(root, folder.path, (url) => url.includes('/ui/'));
  const paint = (await firstPaint(program.page)) - program.began;
  const live = await poll('live data', async () =>
    (await ask(program.page, `/Engine .* live/.test(document.body.innerText)`)) === true ? Date.now() : undefined,
  );
  await end(program);
  folder.remove();
  return { paint, live: live - program.began };
}

/** An application that only shows a page: what the runtime itself takes. */
async function timeEmpty(): Promise<number> {
  const folder = temporaryFolder('empty');
  const application = path.join(folder.path, 'app');
  mkdirSync(application);
  writeFileSync(path.join(application, 'package.json'), '{"name":"empty","version":"1.0.0","main":"main.js"}');
  writeFileSync(
    path.join(application, 'main.js'),
    `const { app, BrowserWindow } = require('electron');
     app.enableSandbox();
     app.whenReady().then(() => new BrowserWindow({ width: 1280, height: 820 }).loadURL('data:text/html,<p>empty</p>'));`,
  );
  const program = await start(application, folder.path, (url) => url.startsWith('data:'));
  const paint = (await firstPaint(program.page)) - program.began;
  await end(program);
  folder.remove();
  return paint;
}

/** Anonymous memory in MB: what belongs to the process alone, whatever else runs from the same files. */
function memoryOf(pid: number): number {
  const kb = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}

interface Memory {
  readonly main: number;
  readonly engine: number;
  readonly renderer: number;
}

async function watchMemory(): Promise<Memory[]> {
  const folder = temporaryFolder('desktop');
  const program = await start(root, folder.path, (url) => url.includes('/ui/'));
  const endProgram = await startProgram(program.legacySocket);
  const pid = program.child.pid!;
  await poll('job', async () => {
    const found = await ask(
      program.page,
      `(() => { const a = [...document.querySelectorAll('a')].find((l) => l.textContent === '${JOB}'); a?.click(); return Boolean(a); })()`,
    );
    return found === true ? true : undefined;
  });
  await poll('panels', async () => {
    const count = await ask(program.page, `document.querySelectorAll('[data-testid="chart-panel"]').length`);
    return Number(count) >= PANELS ? true : undefined;
  });
  const renderer = processTree(pid).find(({ command }) => command.includes('--type=renderer'))!.pid;
  const engine = enginePid(pid)!;
  const samples: Memory[] = [];
  for (let minute = 0; minute <= minutes; minute++) {
    if (minute > 0) await sleep(60_000);
    // What is held, not what waits for the collector.
    await program.page.send('HeapProfiler.collectGarbage');
    const sample = { main: memoryOf(pid), engine: memoryOf(engine), renderer: memoryOf(renderer) };
    samples.push(sample);
    const figures = Object.entries(sample).map(([name, mb]) => `${name} ${mb.toFixed(0)} MB`);
    process.stderr.write(`minute ${minute}: ${figures.join(', ')}\n`);
  }
  await endProgram();
  await end(program);
  folder.remove();
  return samples;
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;

try {
  const times: Times[] = [];
  const empty: number[] = [];
  for (let i = 0; i < starts; i++) {
    times.push(await timeStart());
    empty.push(await timeEmpty());
  }
  const result: Record<string, unknown> = { bench: 'desktop', starts, minutes, budget: BUDGET };
  if (starts > 0) {
    const paint = median(times.map((one) => one.paint));
    const live = median(times.map((one) => one.live));
    const bare = median(empty);
    console.log(`\nmedians of ${starts} starts, from the command to:\n`);
    printTable(
      ['', 'vigie', 'an empty window', 'ratio', `budget ${BUDGET.paintMs} ms`],
      [
        ['first paint', ms(paint), ms(bare), (paint / bare).toFixed(2), verdict(paint <= BUDGET.paintMs)],
        ['live data', ms(live), '', (live / bare).toFixed(2), ''],
      ],
    );
    Object.assign(result, { paint, live, empty: bare });
  }
  if (minutes > 0) {
    const samples = await watchMemory();
    // Collections come and go: medians of a few minutes at both ends.
    const settled = samples.slice(Math.min(SETTLED_MINUTE, samples.length - 1));
    const few = Math.max(1, Math.min(5, Math.floor(settled.length / 2)));
    const at = (part: readonly Memory[]): Memory => ({
      main: median(part.map((one) => one.main)),
      engine: median(part.map((one) => one.engine)),
      renderer: median(part.map((one) => one.renderer)),
    });
    const from = at(settled.slice(0, few));
    const last = at(settled.slice(-few));
    console.log(`\nanonymous memory, medians of ${few} minutes, with ${PANELS} live panels:\n`);
    const names = ['main', 'engine', 'renderer'] as const;
    const growth = (name: keyof Memory): number => last[name] / from[name] - 1;
    printTable(
      ['process', `minute ${Math.min(SETTLED_MINUTE, minutes)}`, `minute ${minutes}`, 'growth', 'budget 5 %'],
      names.map((name) => [
        name,
        `${from[name].toFixed(1)} MB`,
        `${last[name].toFixed(1)} MB`,
        `${(100 * growth(name)).toFixed(1)} %`,
        verdict(growth(name) <= BUDGET.growth),
      ]),
    );
    Object.assign(result, { memory: samples });
  }
  console.log();
  printResult(result);
} finally {
  await display.close();
}
