import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_PORT, resolveConfig, type Config } from '../../engine/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { StoreOpenError } from '../../engine/store/open-error.ts';
import { openBrowser } from '../browser.ts';
import { addEngineOptions, runEngine, toSettings, type EngineFlags } from '../engine-options.ts';
import { chooseSeat, type SeatFlags } from '../seat.ts';
import { runWindow } from '../window.ts';

interface StartFlags extends EngineFlags, SeatFlags {
  open: boolean;
}

async function greet({ ready, token }: Engine, { listen }: Config, open: boolean): Promise<void> {
  const { url, socket } = ready;
  if (url === null || url.startsWith('unix:')) {
    console.log(`The engine runs on ${url ?? socket}. To see the console, start it with --listen 127.0.0.1:PORT.`);
    return;
  }
  const { port } = new URL(url);
  if (listen.kind === 'tcp' && listen.isDefault && port !== String(DEFAULT_PORT)) {
    console.log(`Port ${DEFAULT_PORT} was taken; this engine listens on port ${port}.`);
  }
  const link = `${url}/#token=${token}`;
  const opened = open ? await openBrowser(link) : 'as asked with --no-open';
  console.log(`Vigie is ready at\n\n  ${link}\n`);
  if (opened === null) console.log('Opened in your browser.');
  else
    console.log(
      `Open this link in a browser (not opened for you: ${opened}). It gives full access: keep it to yourself.`,
    );
  console.log(`The token is also in ${ready.token_file}`);
  console.log(`Programs push to ${ready.legacy_socket ?? socket}. Ctrl-C ends.`);
}

async function start(flags: StartFlags): Promise<void> {
  const surroundings = { platform: process.platform, uid: process.getuid?.() ?? null, env: process.env };
  // A link that is not to be opened is for a browser elsewhere.
  const seat = await chooseSeat(flags.open ? flags : { ...flags, browser: true }, surroundings);
  if (seat.kind === 'window') {
    const settings = toSettings(flags);
    // What is wrong with the options is said here, not in a window.
    await resolveConfig(settings, process.env, flags.config ?? null);
    const end = await runWindow({
      runtime: seat.runtime,
      settings,
      config: flags.config === undefined ? null : resolve(flags.config),
      sandbox: flags.sandbox,
    });
    if (end.opened) {
      process.exitCode = end.code;
      return;
    }
    if (flags.window) throw new Error(`the window does not open: ${end.reason}`);
    console.error(`No window, but the browser: it does not open (${end.reason}).`);
  } else if (seat.why !== null) console.error(`No window, but the browser: ${seat.why}.`);
  await startInBrowser(flags);
}

async function startInBrowser(flags: StartFlags): Promise<void> {
  try {
    await runEngine(flags, {
      // A person looks at this terminal.
      logLevel: 'warn',
      hangup: true,
      ready: (engine, config) => greet(engine, config, flags.open),
    });
  } catch (error) {
    if (!(error instanceof StoreOpenError) || error.code !== 'store_locked') throw error;
    throw new Error(
      `${error.message}\nVigie may already be running: open its console, or use another --data (and --socket) for a second engine`,
      { cause: error },
    );
  }
}

/** `vigie start`, also without a word: the engine, and the console in a window or in the browser. */
export function startCommand(): Command {
  return addEngineOptions(
    new Command('start').description(
      'run the engine and open the console, in a window or in the browser (the default)',
    ),
  )
    .addOption(new Option('--window', 'in a window of its own, or fail').conflicts('browser'))
    .option('--browser', 'in the browser, also where a window could be opened')
    .option('--no-open', 'neither: print the link only')
    .option('--no-sandbox', 'run the window without the protection of its sandbox')
    .action(start);
}
