import { Command } from 'commander';
import { createReadStream, statSync } from 'node:fs';
import { request } from 'node:http';
import { basename, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { importableFiles, importFiles, type FileReport } from '../../engine/import/files.ts';
import { openStore } from '../../engine/store/index.ts';
import { ImportState } from '../../shared/api/profiles.ts';
import { Problem } from '../../shared/errors.ts';
import { addSearchOptions, searchEngine, type SearchFlags } from '../engine-search.ts';
import { Progress, stopped } from '../store-progress.ts';
import { importText } from '../store-text.ts';

interface ImportFlags extends SearchFlags {
  json?: boolean;
}

/** Time between two looks at how far the engine is, ms. */
const LOOK_EVERY = 200;

/** Into the data directory itself: no engine uses it. */
async function intoStore(data: string, files: readonly string[], signal: AbortSignal): Promise<FileReport[]> {
  const { store, warnings } = await openStore({ data });
  const progress = new Progress();
  const reports: FileReport[] = [];
  let all = files.length;
  try {
    for (const warning of warnings) console.error(`vigie: ${warning}`);
    for await (const report of importFiles(store, files, { total: (runs) => (all = runs) })) {
      reports.push(report);
      progress.say(`import: ${reports.length} of ${all} runs`);
      // A run is there as a whole or not at all, once it is durable.
      if (signal.aborted) break;
    }
  } finally {
    progress.end();
    await store.close();
  }
  return reports;
}

/** Through the engine that runs, over its own socket. */
async function throughEngine(socket: string, files: readonly string[], signal: AbortSignal): Promise<FileReport[]> {
  const progress = new Progress();
  const reports: FileReport[] = [];
  try {
    for (const file of files) {
      if (signal.aborted) break;
      progress.say(`import: ${file}`);
      await ask(socket, 'POST', `/api/v1/profiles/import?name=${encodeURIComponent(basename(file).slice(-255))}`, file);
      let state = await ask(socket, 'GET', '/api/v1/profiles/import');
      while (state.state === 'running' && !signal.aborted) {
        progress.say(`import: ${file}: ${state.done} of ${state.total ?? '?'} runs`);
        await delay(LOOK_EVERY);
        state = await ask(socket, 'GET', '/api/v1/profiles/import');
      }
      reports.push(...state.reports);
      const rest = state.done - state.reports.length;
      if (rest > 0) console.error(`vigie: ${file}: ${rest} more runs: ${state.imported} imported in all`);
      if (state.reason !== null && state.reports.length === 0) throw new Error(`${file}: ${state.reason}`);
    }
  } finally {
    progress.end();
  }
  return reports;
}

async function ask(socketPath: string, method: string, path: string, file?: string): Promise<ImportState> {
  const sent = request({
    ...{ socketPath, method, path, host: 'localhost' },
    headers:
      file === undefined ? {} : { 'content-type': 'application/octet-stream', 'content-length': statSync(file).size },
  });
  const answered = new Promise<{ status: number; text: string }>((resolved, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => resolved({ status: response.statusCode ?? 0, text }));
    });
  });
  if (file === undefined) sent.end();
  else await Promise.race([pipeline(createReadStream(file), sent), answered]);
  const { status, text } = await answered;
  const body: unknown = JSON.parse(text);
  if (status !== 200) throw new Error(Problem.safeParse(body).data?.detail ?? `the engine answers with ${status}`);
  return ImportState.parse(body);
}

async function run(paths: string[], flags: ImportFlags): Promise<void> {
  const files = importableFiles(paths.map((path) => resolve(path)));
  const signal = stopped();
  const { config, search } = await searchEngine(flags);
  const { found } = search;
  if (found === null && config.data === null) {
    throw new Error('no engine runs, and this one keeps everything in memory: there is nothing to import into');
  }
  const reports = found
    ? await throughEngine(found.socket, files, signal)
    : await intoStore(resolve(config.data!), files, signal);
  const report = { files: files.length, runs: reports };
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${importText(report)}\n`);
  if (signal.aborted) process.exitCode = 130;
  else if (files.length === 0 || reports.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
}

/** `vigie import`: runs of elsewhere. */
export function importCommand(): Command {
  return addSearchOptions(
    new Command('import').description('add runs of elsewhere: of another engine, or what the Rust metric proxy left'),
  )
    .argument('<PATHS...>', 'a database or data directory of vigie, files *.profile and *.trace, folders of them')
    .option('--json', 'as JSON; times in ms since the epoch')
    .action(run);
}
