/**
 * Brings the programs that tests use as the real counterpart: a browser, a Prometheus, a node exporter, two MPI
 * libraries, from Debian's packages.
 *
 *     node scripts/system.mjs
 */

import { existsSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { companions, missingPrograms, packages } from './lib/components.mjs';
import { StepError, main, phase, say } from './lib/report.mjs';
import { run } from './lib/run.mjs';

const policyFile = '/usr/sbin/policy-rc.d';
const listsFolder = '/var/lib/apt/lists';
const day = 24 * 60 * 60 * 1000;

/** Package lists are there and not older than a day. */
function listsFresh() {
  if (!existsSync(listsFolder)) return false;
  const lists = readdirSync(listsFolder).filter((name) => /_(Packages|InRelease)/.test(name));
  return lists.length > 0 && Date.now() - statSync(listsFolder).mtimeMs < day;
}

/** @param {readonly string[]} args */
async function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-o', 'DPkg::Lock::Timeout=900', '-q', '-y', '--no-install-recommends'];
  const { code, output } = await run('apt-get', [...options, ...args], { env });
  if (code !== 0) {
    const next = `Run \`apt-get ${args.join(' ')}\` yourself; its output says why.`;
    throw new StepError(`apt-get ${args[0]} failed (status ${code})`, next, output);
  }
}

/**
 * Installing a server package must not start the server: tests run their own. An answer of the site stays untouched.
 *
 * @param {() => Promise<void>} work
 */
async function withoutDaemons(work) {
  if (existsSync(policyFile)) return work();
  const remove = () => rmSync(policyFile, { force: true });
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.once('exit', remove);
  try {
    await work();
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/**
 * Installs what is missing when root. Otherwise, and when that fails, says which tests will be skipped, or, where
 * CI=true, fails: a pipeline must not pass because half of it was skipped.
 *
 * @throws {StepError} With CI=true, when something is missing.
 */
export async function provideSystemPackages() {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.flatMap((name) => [packages[name], ...(companions[name] ?? [])]))];
  const command = `apt-get install --no-install-recommends ${wanted.join(' ')}`;
  let reason = 'not root';
  if (process.getuid?.() === 0) {
    try {
      await phase(`Installing ${wanted.join(', ')} (apt-get)`, async () => {
        const fresh = listsFresh();
        if (!fresh) await apt(['update']);
        await withoutDaemons(async () => {
          try {
            await apt(['install', ...wanted]);
          } catch (error) {
            // Lists of this morning may name a version that the archive has replaced since.
            if (!fresh) throw error;
            await apt(['update']);
            await apt(['install', ...wanted]);
          }
        });
      });
    } catch (error) {
      if (process.env['CI'] === 'true' || !(error instanceof StepError)) throw error;
      say(error.details.trimEnd());
      reason = error.message;
    }
  }
  const still = missingPrograms();
  if (still.length === 0) return;
  if (process.env['CI'] === 'true') {
    throw new StepError(
      `missing: ${still.join(', ')} (${reason})`,
      `Run \`${command}\` as root; CI=true skips nothing.`,
    );
  }
  say(`Missing: ${still.join(', ')} (${reason}). Tests that need them are skipped; \`${command}\` brings them.`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(provideSystemPackages);
}
