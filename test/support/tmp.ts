/** Temporary folders that are gone after the test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { TestRunner, afterAll, onTestFinished } from 'vitest';

const ofFile = new Set<string>();

afterAll(() => {
  for (const folder of ofFile) remove(folder);
});

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Makes an empty folder of its own, short enough for a socket's path. It is removed after the test that called; called
 * from a hook or while a file is loaded, after the last test of the file.
 */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vigie-'));
  if (TestRunner.getCurrentTest() === undefined) ofFile.add(folder);
  else onTestFinished(() => remove(folder));
  return folder;
}
