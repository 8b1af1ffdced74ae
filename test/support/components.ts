/** Real programs of the system that a test needs: where they are, or a skipped test that says why. */

import { findProgram, packages } from '../../scripts/lib/components.mjs';

export type Component = keyof typeof packages;

/** The part of vitest's test context that skips. */
interface Skipping {
  skip(reason: string): never;
}

function reasonWithout(name: Component): string {
  return `${name} is not installed (Debian package ${packages[name]})`;
}

/**
 * The path of a program. When it is missing the test is skipped with the reason; with CI=true it fails instead, so that
 * a pipeline cannot pass on skipped tests.
 *
 *     test('…', (context) => { const promtool = requireComponent('promtool', context); … })
 */
export function requireComponent(name: Component, context: Skipping): string {
  const file = findProgram(name);
  if (file !== undefined) return file;
  if (process.env['CI'] === 'true') throw new Error(reasonWithout(name));
  return context.skip(reasonWithout(name));
}

/**
 * The same for a whole suite: `describe.skipIf(lacksComponent('chromium'))(…)`. The reason is printed.
 *
 * @throws {Error} With CI=true, when it is missing.
 */
export function lacksComponent(name: Component): boolean {
  if (findProgram(name) !== undefined) return false;
  if (process.env['CI'] === 'true') throw new Error(reasonWithout(name));
  console.log(`skipped: ${reasonWithout(name)}`);
  return true;
}
