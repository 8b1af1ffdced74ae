import { Command } from 'commander';
import { addSearchOptions, requireEngine, type SearchFlags } from '../engine-search.ts';
import { statusText } from '../status-text.ts';

interface StatusFlags extends SearchFlags {
  json?: boolean;
}

async function status(flags: StatusFlags): Promise<void> {
  const found = await requireEngine(flags);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(found.answer, null, 2)}\n`);
    return;
  }
  const { body } = await found.client.raw('/healthz');
  process.stdout.write(statusText(found.status, body, found.url));
}

/** `vigie status`: what the engine does at the moment. Ends with 1 when none answers. */
export function statusCommand(): Command {
  return addSearchOptions(new Command('status').description('say what the engine does; fails when none runs'))
    .option('--json', 'as JSON, as /api/v1/status answers')
    .action(status);
}
