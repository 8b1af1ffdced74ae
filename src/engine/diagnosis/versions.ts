/** Whether what works together is of one make: Node, SQLite, the command, the engine and the page. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../shared/api/diagnosis.ts';
import { VERSION } from '../version.ts';
import { messageOf, ok, problem, warning } from './check.ts';
import type { Patient } from './patient.ts';

/** The Node that Vigie is built and tested with. */
const NODE_MAJOR = 24;

export async function checkVersions(patient: Patient): Promise<Check[]> {
  return [checkNode(process.versions.node), ...(await checkSqlite(patient)), checkEngine(patient), checkPage(patient)];
}

export function checkNode(version: string): Check {
  const text = `Node ${version}`;
  if (Number(version.split('.')[0]) >= NODE_MAJOR) return ok('versions', 'node', text);
  return problem(
    'versions',
    'node',
    `${text} is older than ${NODE_MAJOR}`,
    'start Vigie with `bin/vigie`, which brings its own',
  );
}

async function checkSqlite({ sqlite }: Patient): Promise<Check[]> {
  if (!sqlite) return [];
  try {
    return [ok('versions', 'sqlite', `SQLite ${await sqlite()}`)];
  } catch (error) {
    const text = `SQLite cannot be loaded: ${messageOf(error).split('\n')[0]!}`;
    return [problem('versions', 'sqlite', text, 'install Vigie again for this machine, or use --memory meanwhile')];
  }
}

function checkEngine({ status, inside }: Patient): Check {
  if (status === null || inside || status.version === VERSION) return ok('versions', 'vigie', `Vigie ${VERSION}`);
  const text = `the engine is Vigie ${status.version}, this command ${VERSION}`;
  return warning('versions', 'vigie', text, 'start the engine again to have the same');
}

/** The version that a built page carries, or null. */
export const pageVersion = (html: string): string | null =>
  /<meta name="vigie-version" content="([^"]*)"/.exec(html)?.[1] ?? null;

function checkPage({ page, status }: Patient): Check {
  const rebuild = 'run `npm run build`, then start the engine again';
  if (page === null)
    return warning('versions', 'page', 'the page is not built: there is no console in a browser', rebuild);
  let version: string | null;
  try {
    version = pageVersion(readFileSync(join(page, 'index.html'), 'utf8'));
  } catch (error) {
    return problem('versions', 'page', `the page cannot be read: ${messageOf(error)}`, rebuild);
  }
  const wanted = status?.version ?? VERSION;
  if (version === wanted) return ok('versions', 'page', `the page is of the same version, ${version}`);
  const text = `the page is of version ${version ?? 'unknown'}, the engine ${wanted}`;
  return warning('versions', 'page', text, rebuild);
}
