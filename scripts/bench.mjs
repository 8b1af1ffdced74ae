/**
 * Runs a benchmark of bench/ on what is built.
 *
 *     node scripts/bench.mjs                  lists them
 *     node scripts/bench.mjs NAME [ARGS...]
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { bootstrap, build } from './bootstrap.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { StepError, main } from './lib/report.mjs';
import { run } from './lib/run.mjs';

const folder = path.join(root, 'bench');

/**
 * The first line of text in the comment at the top of a file.
 *
 * @param {string} file
 */
function firstLine(file) {
  const comment = /^\s*\/\*\*\s*\n?\s*\*?\s*(.+?)\s*(\*\/)?\s*$/m.exec(readFileSync(file, 'utf8'));
  return comment?.[1] ?? '';
}

function list() {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names.sort()) {
    console.log(`${name.slice(0, -3).padEnd(width)} ${firstLine(path.join(folder, name))}`);
  }
}

await main(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined) return list();
  const file = path.join(folder, `${name}.ts`);
  if (!existsSync(file)) throw new StepError(`there is no benchmark "${name}"`, '`npm run bench` lists them.');
  await bootstrap();
  await build();
  const { code } = await run(projectNode, [file, ...args], { cwd: root, env: toolEnv(), inherit: true });
  process.exitCode = code;
});
