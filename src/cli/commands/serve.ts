import { Command } from 'commander';
import { addEngineOptions, runEngine, type EngineFlags } from '../engine-options.ts';

/** `vigie serve`: the engine without a console. Prints one JSON line on stdout when it is ready, all else on stderr. */
export function serveCommand(): Command {
  return addEngineOptions(
    new Command('serve').description('run the engine headless; one JSON line on stdout says when it is ready'),
  ).action((flags: EngineFlags) =>
    runEngine(flags, {
      // Under nohup no stream is a terminal: logging out must not end the engine.
      hangup: process.stdout.isTTY || process.stderr.isTTY,
      ready(engine) {
        process.stdout.write(`${JSON.stringify({ event: 'ready', ...engine.ready })}\n`);
      },
    }),
  );
}
