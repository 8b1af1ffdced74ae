import { Command } from 'commander';
import { openBrowser } from '../browser.ts';
import { addEngineOptions, runEngine, type EngineFlags } from '../engine-options.ts';

interface StartFlags extends EngineFlags {
  open: boolean;
}

/** `vigie start`, also without a word: the engine, and the console in the browser. */
export function startCommand(): Command {
  return addEngineOptions(
    new Command('start').description('run the engine and open the console in the browser (the default)'),
  )
    .option('--no-open', 'print the link only')
    .action((flags: StartFlags) =>
      runEngine(flags, async ({ ready, token }) => {
        const { url, socket } = ready;
        if (url === null || url.startsWith('unix:')) {
          console.log(
            `The engine runs on ${url ?? socket}. To see the console, start it with --listen 127.0.0.1:PORT.`,
          );
          return;
        }
        const link = `${url}/#token=${token}`;
        const opened = flags.open ? await openBrowser(link) : 'as asked with --no-open';
        console.log(`Vigie is ready at\n\n  ${link}\n`);
        if (opened === null) console.log('Opened in your browser.');
        else
          console.log(
            `Open this link in a browser (not opened for you: ${opened}). It gives full access: keep it to yourself.`,
          );
        console.log(`Programs push to ${ready.legacy_socket ?? socket}. Ctrl-C ends.`);
      }),
    );
}
