/**
 * Packs the desktop program into dist/package/.
 *
 *     node scripts/package.mjs [ARGS of electron-builder...]
 *     node scripts/package.mjs --dir                          unpacked, to try it
 *     node scripts/package.mjs --linux AppImage deb
 *
 * ELECTRON_OVERRIDE_DIST_PATH packs another runtime than that of node_modules/electron; electron-builder fetches that one.
 */

import path from 'node:path';

import { bootstrap, build } from './bootstrap.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { main } from './lib/report.mjs';
import { run } from './lib/run.mjs';

await main(async () => {
  await bootstrap();
  await build();
  const builder = path.join(root, 'node_modules', 'electron-builder', 'cli.js');
  const config = path.join(root, 'electron-builder.config.mjs');
  const args = [builder, '--config', config, '--publish', 'never', ...process.argv.slice(2)];
  const { code } = await run(projectNode, args, { cwd: root, env: toolEnv(), inherit: true });
  process.exitCode = code;
});
