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

/** @type {Readonly<Record<string, readonly string[]>>} Name → command line; the longest first. */
const checks = {
  format: ['prettier', '--check', '--log-level', 'warn', '.'],
  'types of shared': ['tsc', '-p', 'tsconfig.shared.json'],
  'types of node': ['tsc', '-p', 'tsconfig.node.json'],
  'types of web': ['tsc', '-p', 'tsconfig.web.json'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  'dead code': ['knip', '--no-progress'],
};

/** Formatting and dead code take one core each, for most of the time. */
const AT_A_TIME = 2;

/**
 * @param {string} name
 * @param {readonly string[]} command
 * @returns {Promise<boolean>} Nothing was found.
 */
async function check(name, [command = '', ...args]) {
  const start = performance.now();
  const program = path.join(root, 'node_modules', '.bin', command);
  const { code, output } = await run(program, args, { cwd: root, env: { ...toolEnv(), NO_COLOR: '1' } });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code !== 0) console.log(output.trimEnd());
  console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`);
  return code === 0;
}

/**
 * Runs the checks and prints a line for each, with its output when it fails.
 *
 * @param {readonly string[]} [names] Default: all.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks(names = Object.keys(checks)) {
  const commands = names.map((name) => {
    const command = checks[name];
    if (command === undefined) {
      throw new StepError(`there is no check "${name}"`, `Checks: ${Object.keys(checks).join(', ')}.`);
    }
    return { name, command };
  });
  let failed = 0;
  const waiting = commands.values();
  const work = async () => {
    for (const { name, command } of waiting) if (!(await check(name, command))) failed += 1;
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
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
