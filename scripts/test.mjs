/**
 * Sets up, checks, builds and tests; the last line is always `total: N passed, N failed` (and `, N skipped`).
 *
 *     node scripts/test.mjs                      everything, the checks included
 *     node scripts/test.mjs PATTERN... [FLAG...] only these test files, without the checks; flags go to vitest
 *
 * Anything that keeps tests from running counts as a failure, and so does a run in which no test ran.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { bootstrap, build } from './bootstrap.mjs';
import { runChecks } from './check.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { sayError } from './lib/report.mjs';
import { run } from './lib/run.mjs';
import { addUp, totalLine } from './lib/total.mjs';
import { provideSystemPackages } from './system.mjs';

/** @typedef {import('./lib/total.mjs').Total} Total */

/**
 * @param {readonly string[]} args For vitest.
 * @returns {Promise<Total>}
 */
async function runTests(args) {
  const folder = mkdtempSync(path.join(tmpdir(), 'vigie-test-'));
  const file = path.join(folder, 'summary.json');
  try {
    const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=./scripts/vitest-reporter.mjs'];
    const { code } = await run(projectNode, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      env: { ...toolEnv(), VIGIE_TEST_SUMMARY: file },
      inherit: true,
    });
    return addUp(code, readIfThere(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** @type {Total} */
const total = { passed: 0, failed: 0, skipped: [] };
const args = process.argv.slice(2);
const unitOnly = args.join(' ') === '--project unit';

try {
  await bootstrap();
  if (!unitOnly) await provideSystemPackages();
  if (args.length === 0) {
    const { passed, failed } = await runChecks();
    total.passed += passed;
    total.failed += failed;
  }
  if (!unitOnly) await build();
  const tests = await runTests(args);
  total.passed += tests.passed;
  total.failed += tests.failed;
  total.skipped = tests.skipped;
} catch (error) {
  sayError(error);
  total.failed += 1;
}

for (const { name, reason } of total.skipped) console.log(`skipped: ${name}: ${reason}`);
console.log(totalLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
