/**
 * Everything that can be said about the code without running it: types, lint and layering law, format, dead code.
 * Warnings are errors.
 *
 *     node scripts/check.mjs [NAME...]
 */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

import { bootstrap } from './bootstrap.mjs';
import { root, toolEnv } from './lib/paths.mjs';
import { StepError, main } from './lib/report.mjs';
import { run } from './lib/run.mjs';

/** @type {Readonly<Record<string, readonly string[]>>} Name → command line. */
const checks = {
  'types of shared': ['tsc', '-p', 'tsconfig.shared.json'],
  'types of node': ['tsc', '-p', 'tsconfig.node.json'],
  'types of web': ['tsc', '-p', 'tsconfig.web.json'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['prettier', '--check', '--log-level', 'warn', '.'],
  'dead code': ['knip', '--no-progress'],
};

/**
 * Runs the checks and prints a line for each, with its output when it fails.
 *
 * @param {readonly string[]} [names] Default: all.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks(names = Object.keys(checks)) {
  let failed = 0;
  for (const name of names) {
    const [command, ...args] = checks[name] ?? [];
    if (command === undefined) {
      throw new StepError(`there is no check "${name}"`, `Checks: ${Object.keys(checks).join(', ')}.`);
    }
    const start = performance.now();
    const program = path.join(root, 'node_modules', '.bin', command);
    const { code, output } = await run(program, args, { cwd: root, env: { ...toolEnv(), NO_COLOR: '1' } });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (code !== 0) {
      failed += 1;
      console.log(output.trimEnd());
    }
    console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`);
  }
  return { passed: names.length - failed, failed };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await bootstrap();
    const names = process.argv.slice(2);
    const { failed } = await runChecks(names.length > 0 ? names : undefined);
    if (failed > 0) process.exitCode = 1;
  });
}
