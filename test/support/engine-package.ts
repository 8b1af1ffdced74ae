/** The package of the engine, made once for a test file: `VIGIE_PACKAGES` then names its folder. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './tmp.ts';

const script = path.join(import.meta.dirname, '..', '..', 'scripts', 'package-engine.mjs');

/** Path of the tar; what belongs to it is beside it. To be called in `beforeAll`, or where tests are described. */
export async function makeEnginePackage(): Promise<string> {
  const folder = temporaryFolder();
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--out', folder]);
  const archive = stdout.trim();
  if (!existsSync(archive)) throw new Error(`no package was made: ${stdout}`);
  return archive;
}

/** The same with other contents, and what is to be known of it beside it. */
export async function changedPackage(archive: string, change: (prefix: string) => void): Promise<string> {
  const call = promisify(execFile);
  const folder = temporaryFolder();
  await call('tar', ['-xzf', archive, '-C', folder]);
  const name = path.basename(archive, '.tar.gz');
  change(path.join(folder, name));
  const changed = path.join(folder, path.basename(archive));
  await call('tar', ['-czf', changed, '-C', folder, name]);
  const about = JSON.parse(readFileSync(`${archive}.json`, 'utf8')) as object;
  const sha256 = createHash('sha256').update(readFileSync(changed)).digest('hex');
  writeFileSync(`${changed}.json`, JSON.stringify({ ...about, sha256 }));
  return changed;
}
