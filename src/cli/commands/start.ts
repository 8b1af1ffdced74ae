import { Command } from 'commander';
import { DEFAULT_PORT, type Config } from '../../engine/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { StoreOpenError } from '../../engine/store/open-error.ts';
import { openBrowser } from '../browser.ts';
import { addEngineOptions, runEngine, type EngineFlags } from '../engine-options.ts';

interface StartFlags extends EngineFlags {
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

/** `vigie start`, also without a word: the engine, and the console in the browser. */
export function startCommand(): Command {
  return addEngineOptions(
    new Command('start').description('run the engine and open the console in the browser (the default)'),
  )
    .option('--no-open', 'print the link only')
    .action(start);
}
