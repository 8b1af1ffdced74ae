import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { ensureBuilt, Ready } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const VIGIE = path.join(import.meta.dirname, '../../../bin/vigie');
/** Becomes its arguments, with core dumps allowed as far as may be. */
const WITH_CORES = 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"';

test('a crash of the engine leaves no copy of its memory, where passwords are', { timeout: 120_000 }, async () => {
  await ensureBuilt('engine');
  const folder = temporaryFolder();
  const serve = [VIGIE, 'serve', '--memory', '--listen=off', `--socket=${folder}/e.socket`, '--legacy-socket=off'];
  const child = spawn('sh', ['-c', WITH_CORES, 'sh', ...serve], {
    cwd: folder,
    env: { ...process.env, HOME: folder, VIGIE_SKIP_BUILD: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pid } = Ready.parse(JSON.parse(line));
  expect(pid).toBe(child.pid);
  expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 /m);
});
