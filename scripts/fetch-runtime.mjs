/**
 * Fetches the Electron runtime of node_modules/electron with Electron's own installer, once: its download is checked
 * against the checksums that the package carries. Nothing else ever fetches it: neither `npm ci` nor a test.
 *
 *     node scripts/fetch-runtime.mjs
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { explain } from './lib/explain.mjs';
import { locked } from './lib/lock.mjs';
import { projectNode, root } from './lib/paths.mjs';
import { StepError, main, say } from './lib/report.mjs';
import { run } from './lib/run.mjs';

/** A download that brings nothing for this long, in ms, is given up. */
const STALLED = 20_000;

const folder = path.join(root, 'node_modules', 'electron');

/** @param {string} name @returns {any} */
const json = (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

async function download() {
  const { version } = json('package.json');
  // The package's own dependency, not ours.
  const get = path.join(root, 'node_modules', '@electron', 'get', 'dist', 'index.js');
  const { downloadArtifact } = await import(pathToFileURL(get).href);
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), STALLED);
  let told = -1;
  const terminal = process.stderr.isTTY;
  /** @param {{ percent: number }} progress */
  const progress = async ({ percent }) => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), STALLED);
    const step = terminal ? Math.floor(percent * 100) : Math.floor(percent * 4) * 25;
    if (step === told) return;
    told = step;
    const line = `Fetching the window's runtime (Electron ${version}) … ${step} %`;
    if (terminal) process.stderr.write(`\r\u001b[K${line}`);
    else say(line);
  };
  say(`Fetching the window's runtime (Electron ${version}, about 120 MB, once) …`);
  try {
    await downloadArtifact({
      version,
      artifactName: 'electron',
      checksums: json('checksums.json'),
      platform: process.platform,
      arch: process.arch,
      downloadOptions: { quiet: true, signal: abort.signal, getProgressCallback: progress },
    });
  } catch (error) {
    if (abort.signal.aborted) throw new Error(`nothing came for ${STALLED / 1000} s (ETIMEDOUT)`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    if (terminal) process.stderr.write('\r\u001b[K');
  }
}

/**
 * @param {unknown} error
 * @returns {string} With what it was caused by, which is where fetch says what happened.
 */
function chain(error) {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  return `${error.message}${code}${error.cause === undefined ? '' : `: ${chain(error.cause)}`}`;
}

await main(async () => {
  await locked('runtime', async () => {
    try {
      await download();
    } catch (error) {
      const { cause, next } = explain(chain(error));
      throw new StepError(`the window's runtime could not be fetched: ${chain(error)}`, `${cause}. ${next}`);
    }
    // It finds the download in its cache, and unpacks it.
    const { code, output } = await run(projectNode, [path.join(folder, 'install.js')]);
    if (code !== 0) throw new StepError("the window's runtime could not be unpacked", explain(output).next, output);
  });
});
