/** The `vigie` command: one file per command, one line each here. No logic of its own. */

import { Command, CommanderError } from 'commander';
import { VERSION } from '../engine/version.ts';
import { alarmsCommand } from './commands/alarms.ts';
import { bundleCommand } from './commands/bundle.ts';
import { clientCommand } from './commands/client.ts';
import { doctorCommand } from './commands/doctor.ts';
import { importCommand } from './commands/import.ts';
import { exportCommand } from './commands/export.ts';
import { pushCommand } from './commands/push.ts';
import { remoteCommand } from './commands/remote.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { storeCommand } from './commands/store.ts';
import { tokenCommand } from './commands/token.ts';
import { fail } from './fail.ts';

const program = new Command('vigie')
  .description('Shows what jobs on a cluster do, while they run and long after.')
  .version(VERSION, '-V, --version')
  .showHelpAfterError('(`vigie --help` lists all commands and options)')
  .exitOverride();

// Without a word only: as the default for any word it would take an unknown command for an argument of its own.
const first = process.argv[2];
program.addCommand(startCommand(), { isDefault: first === undefined || first.startsWith('-') });
program.addCommand(serveCommand());
program.addCommand(pushCommand());
program.addCommand(clientCommand());
program.addCommand(statusCommand());
program.addCommand(doctorCommand());
program.addCommand(bundleCommand());
program.addCommand(tokenCommand());
program.addCommand(storeCommand());
program.addCommand(exportCommand());
program.addCommand(importCommand());
program.addCommand(alarmsCommand());
program.addCommand(remoteCommand());

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else fail(error);
});
