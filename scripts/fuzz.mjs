/**
 * Fuzzes codecs and HTTP queries for as long as asked; test/fuzz/run.ts says how.
 *
 *     node scripts/fuzz.mjs [--minutes N] [--seed N] [TARGET...]
 */

import path from 'node:path';

import { bootstrap } from './bootstrap.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { main } from './lib/report.mjs';
import { run } from './lib/run.mjs';

await main(async () => {
  await bootstrap();
  const file = path.join(root, 'test', 'fuzz', 'run.ts');
  const { code } = await run(projectNode, [file, ...process.argv.slice(2)], {
    cwd: root,
    env: toolEnv(),
    inherit: true,
  });
  process.exitCode = code;
});
