/** The package of the engine, made once for a run of tests: `VIGIE_PACKAGES` then names its folder. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { madeOnce } from './run-cache.ts';
import { temporaryFolder } from './tmp.ts';

const call = promisify(execFile);
const script = path.join(import.meta.dirname, '..', '..', 'scripts', 'package-engine.mjs');

/** Path of the tar; what belongs to it is beside it. It is everybody's: nothing of it may be changed. */
export async function makeEnginePackage(): Promise<string> {
  const folder = await madeOnce('engine-package', (out) => call(process.execPath, [script, '--out', out]));
  const name = readdirSync(folder).find((file) => file.endsWith('.tar.gz'));
  if (name === undefined) throw new Error(`no package was made in ${folder}`);
  return path.join(folder, name);
}

/** The same with other contents, and what is to be known of it beside it. */
export async function changedPackage(archive: string, change: (prefix: string) => void): Promise<string> {
  const folder = temporaryFolder();
  await call('tar', ['-xzf', archive, '-C', folder]);
  const name = path.basename(archive, '.tar.gz');
  change(path.join(folder, name));
  const changed = path.join(folder, path.basename(archive));
  // Fast rather than small.
  await call('tar', ['--create', `--file=${changed}`, '--use-compress-program=gzip -1', '-C', folder, name]);
  const about = JSON.parse(readFileSync(`${archive}.json`, 'utf8')) as object;
  const sha256 = createHash('sha256').update(readFileSync(changed)).digest('hex');
  writeFileSync(`${changed}.json`, JSON.stringify({ ...about, sha256 }));
  return changed;
}
