/**
 * Makes a fresh clone ready: installs the packages of package-lock.json when they are not there, the project's Node
 * among them. Plain JavaScript without dependencies for Node 20, since it runs before anything is installed.
 *
 *     node scripts/bootstrap.mjs [--build]
 *
 * All it says goes to stderr; stdout belongs to the command that needed it.
 */

import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { explain, withoutNoise } from './lib/explain.mjs';
import { locked } from './lib/lock.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { SaidError, StepError, main, phase } from './lib/report.mjs';
import { run } from './lib/run.mjs';

const minimum = 20;
const lockFile = path.join(root, 'package-lock.json');
const stampFile = path.join(root, 'node_modules', '.vigie-installed');

/** What a finished installation is worth for: this lock file on this kind of machine. */
function lockHash() {
  const hash = createHash('sha256').update(readFileSync(lockFile));
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

/**
 * Whether npm itself has just installed exactly what the lock file says, for people who ran `npm ci` or `npm install`.
 *
 * @param {string} wanted Text of package-lock.json.
 * @param {string} present Text of the lock file that npm leaves in node_modules when it succeeded.
 */
export function sameInstallation(wanted, present) {
  /** @param {string} text @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
  const packages = (text) => JSON.parse(text).packages ?? {};
  const have = packages(present);
  return Object.entries(packages(wanted)).every(([name, entry]) => {
    const found = have[name];
    if (found === undefined) return name === '' || entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function installed() {
  if (!existsSync(projectNode)) return false;
  const hash = lockHash();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return true;
  const hidden = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  if (!sameInstallation(readFileSync(lockFile, 'utf8'), readFileSync(hidden, 'utf8'))) return false;
  writeFileSync(stampFile, hash);
  return true;
}

/** The environment for npm: without node_modules/.bin, whose `node` npm is about to delete under itself. */
function npmEnv() {
  const own = [path.join(root, 'node_modules', '.bin'), path.dirname(projectNode)];
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => !own.includes(folder));
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

async function install() {
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    const { cause, next } = explain(String(error));
    throw new StepError(`cannot install the packages into ${root}: ${cause}`, next);
  }
  const hash = lockHash();
  const args = [
    // Settings of the user or of CI must not leave out the tools or the project's Node.
    ...['ci', '--include=dev', '--include=optional', '--ignore-scripts=false', '--no-audit', '--no-fund'],
    // A missing network is told within half a minute instead of two.
    ...['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-factor=3'],
    '--fetch-retry-maxtimeout=10000',
  ];
  const { code, output, error } = await run('npm', args, { cwd: root, env: npmEnv() });
  if (error === 'ENOENT')
    throw new StepError('npm was not found', 'Install it (`apt-get install npm`), then try again.');
  if (code !== 0) {
    const { cause, next } = explain(output);
    throw new StepError(`npm ci failed (status ${code}): ${cause}`, next, withoutNoise(output));
  }
  const version = await run(projectNode, ['--version']);
  if (version.code !== 0) {
    const next =
      'Try `npm rebuild node`; its output says why. There is a build for Linux, macOS and Windows on x64 and arm64.';
    throw new StepError(`the project's Node did not install (${version.output.trim()})`, next, withoutNoise(output));
  }
  writeFileSync(stampFile, hash);
}

/**
 * Installs what is missing. Fast (a few ms) when nothing is.
 *
 * @throws {StepError} What failed, and what to do.
 */
export async function bootstrap() {
  if (Number.parseInt(process.versions.node, 10) < minimum) {
    const next = `Install Node ${minimum} or newer (it is used for the set-up only; the rest runs with the project's own).`;
    throw new StepError(`this is Node ${process.versions.node}, and the set-up needs ${minimum} or newer`, next);
  }
  if (!existsSync(lockFile) || installed()) return;
  try {
    await locked('setup', async () => {
      if (!installed()) await phase('Installing packages (npm ci)', install);
    });
  } catch (error) {
    if (error instanceof StepError) throw error;
    const { cause, next } = explain(String(error));
    throw new StepError(`the set-up failed: ${String(error)}: ${cause}`, next);
  }
}

/**
 * Builds what is stale, with the project's Node.
 *
 * @param {readonly string[]} [parts] Default: all.
 * @throws {SaidError}
 */
export async function build(parts = []) {
  const { code } = await run(projectNode, [path.join(root, 'scripts', 'build.mjs'), ...parts], {
    cwd: root,
    env: toolEnv(),
    inherit: true,
  });
  if (code !== 0) throw new SaidError('the build failed');
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await bootstrap();
    if (process.argv.includes('--build')) await build();
  });
}
