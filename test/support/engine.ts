/** An engine for a test: started as a user does, stopped at the end whatever the test did. */

import { readFileSync } from 'node:fs';

import { TestRunner, onTestFinished } from 'vitest';

import { type Engine, type LaunchOptions, launchEngine } from './launch.ts';
import { temporaryFolder } from './tmp.ts';

export { type Engine } from './launch.ts';

/**
 * Starts `bin/vigie serve` and waits until it is ready. Started within a test it is killed after it if it still runs;
 * started from a hook, the caller stops it.
 *
 *     const engine = await startEngine({ args: ['--memory'] });
 *     expect(await engine.stop()).toEqual({ code: 0, signal: null });
 */
export async function startEngine(options: Partial<LaunchOptions> = {}): Promise<Engine> {
  const engine = await launchEngine({ folder: temporaryFolder(), ...options });
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(async () => void (await engine.stop('SIGKILL')));
  return engine;
}

/** The token that the engine wrote for its user. */
export function tokenOf(engine: Engine): string {
  const file = engine.ready.token_file;
  if (file === null) throw new Error('this engine has no token file');
  return readFileSync(file, 'utf8').trim();
}
