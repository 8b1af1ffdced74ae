/** The thread that answers long questions is begun for whoever looks at something, and for nobody else. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken } from './here.ts';

/** As the kernel has it: cut to 15 characters. */
const READER = 'vigie-store-reader'.slice(0, 15);

function threads(): string[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

test('a view begins it; the status, a stranger and nobody do not', async () => {
  const here = await startHere({ node: false, data: join(temporaryFolder(), 'data') });
  await ask(here, '/api/v1/status', { headers: withToken(here) });
  expect((await ask(here, '/api/v1/runs')).status).toBe(401);
  await ask(here, '/api/v1/status', { headers: withToken(here) });
  expect(threads()).toContain('vigie-store');
  expect(threads()).not.toContain(READER);
  expect((await ask(here, '/api/v1/runs', { headers: withToken(here) })).status).toBe(200);
  await eventually(async () => threads().includes(READER));
  await here.engine.close();
  expect(threads()).not.toContain(READER);
});
