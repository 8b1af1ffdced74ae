import { Command } from 'commander';
import { join, resolve } from 'node:path';
import { importableFiles, importFiles, type FileReport } from '../../engine/import/files.ts';
import { resolveConfig } from '../../engine/config.ts';
import { backupDatabase } from '../../engine/store/care/backup.ts';
import { checkFile, type CheckReport } from '../../engine/store/care/check.ts';
import { finishRebuild } from '../../engine/store/care/aside.ts';
import { rebuild } from '../../engine/store/care/rebuild.ts';
import { statsOf } from '../../engine/store/care/stats.ts';
import { CareError, DATABASE, openToRead, requireDatabase } from '../../engine/store/care/store-file.ts';
import { vacuumDatabase } from '../../engine/store/care/vacuum.ts';
import { openStore } from '../../engine/store/index.ts';
import { lockDirectory } from '../../engine/store/lock.ts';
import { Progress, stopped, toTheEnd } from '../store-progress.ts';
import { backupText, checkText, importText, repairText, statsText, vacuumText } from '../store-text.ts';

interface StoreFlags {
  data?: string;
  config?: string;
  json?: boolean;
}

async function directoryOf(flags: StoreFlags): Promise<string> {
  const given = flags.data === undefined ? {} : { data: flags.data };
  const { data } = await resolveConfig(given, process.env, flags.config ?? null);
  if (data === null) throw new CareError('this engine keeps everything in memory: there is no store to look at');
  return resolve(data);
}

const databaseOf = async (file: string | undefined, flags: StoreFlags): Promise<string> =>
  file === undefined ? join(await directoryOf(flags), DATABASE) : resolve(file);

function say<T>(flags: StoreFlags, report: T, text: (report: T) => string): void {
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${text(report)}\n`);
}

async function look(path: string): Promise<CheckReport> {
  const progress = new Progress();
  try {
    return await toTheEnd(checkFile(path), (rows) => progress.say(rows === 0 ? 'check…' : `check: ${rows} rows`));
  } finally {
    progress.end();
  }
}

async function check(file: string | undefined, flags: StoreFlags): Promise<void> {
  const path = await databaseOf(file, flags);
  const report = await look(path);
  say(flags, { path, ...report }, checkText);
  if (!report.ok) process.exitCode = 1;
}

async function stats(file: string | undefined, flags: StoreFlags): Promise<void> {
  const path = await databaseOf(file, flags);
  const db = openToRead(path);
  try {
    say(flags, statsOf(db, path), statsText);
  } finally {
    db.close();
  }
}

async function backup(to: string, flags: StoreFlags): Promise<void> {
  const from = join(await directoryOf(flags), DATABASE);
  const progress = new Progress();
  try {
    await backupDatabase(from, resolve(to), {
      signal: stopped(),
      progress: (done, total) => progress.say(`backup: ${Math.floor((100 * done) / Math.max(1, total))} %`),
    });
  } finally {
    progress.end();
  }
  say(flags, { path: resolve(to), from }, backupText);
}

/** The engine is not running, and does not start meanwhile. Throws StoreOpenError. */
async function locked<T>(flags: StoreFlags, work: (path: string) => T | Promise<T>): Promise<T> {
  const directory = await directoryOf(flags);
  const path = join(directory, DATABASE);
  requireDatabase(path);
  const lock = lockDirectory(directory);
  try {
    finishRebuild(path);
    return await work(path);
  } finally {
    lock.release();
  }
}

async function isWhole(path: string): Promise<boolean> {
  try {
    return (await look(path)).ok;
  } catch (error) {
    // What cannot be opened as a database at all.
    if (error instanceof CareError || !String((error as { code?: unknown }).code).startsWith('SQLITE_')) throw error;
    return false;
  }
}

async function repair(flags: StoreFlags & { force?: boolean }): Promise<void> {
  await locked(flags, async (path) => {
    if (!flags.force && (await isWhole(path))) {
      say(flags, { path, repaired: false, aside: null, report: null }, repairText);
      return;
    }
    const progress = new Progress();
    try {
      const done = await toTheEnd(
        rebuild(path, { atOnce: Infinity }),
        (part) => progress.say(`repair: ${Math.floor(100 * part)} %`),
        stopped(),
      );
      if (done === null) throw new CareError(`nothing can be read of ${path}; it is left as it is`);
      say(flags, { path, repaired: true, aside: done.aside, report: done.report }, repairText);
    } finally {
      progress.end();
    }
  });
}

async function vacuum(flags: StoreFlags): Promise<void> {
  await locked(flags, (path) => {
    const progress = new Progress();
    progress.say('vacuum…');
    try {
      say(flags, { path, ...vacuumDatabase(path) }, vacuumText);
    } finally {
      progress.end();
    }
  });
}

async function importRuns(paths: string[], flags: StoreFlags): Promise<void> {
  const files = importableFiles(paths);
  const { store, warnings } = await openStore({ data: await directoryOf(flags) });
  const progress = new Progress();
  const signal = stopped();
  const reports: FileReport[] = [];
  try {
    for (const warning of warnings) console.error(`vigie: ${warning}`);
    for await (const report of importFiles(store, files)) {
      reports.push(report);
      progress.say(`import: ${reports.length} runs of ${files.length} files`);
      // A run is there as a whole or not at all, once it is durable.
      if (signal.aborted) break;
    }
  } finally {
    progress.end();
    await store.close();
  }
  say(flags, { files: files.length, runs: reports }, importText);
  if (signal.aborted) process.exitCode = 130;
  else if (files.length === 0 || reports.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
}

/** `vigie store`: care for the history on disk. */
export function storeCommand(): Command {
  const command = new Command('store').description('care for the history on disk: check, repair, copy, import');
  const add = (name: string, description: string): Command => {
    const own = new Command(name)
      .description(description)
      .option('--data <dir>', 'data directory of the engine (default $XDG_DATA_HOME/vigie/HOST)')
      .option('--config <path>', 'configuration file of the engine')
      .option('--json', 'as JSON; times in ms since the epoch, sizes in bytes');
    command.addCommand(own);
    return own;
  };
  add('check', 'look at everything, beside a running engine too; fails when something is damaged')
    .argument('[FILE]', 'a database that lies elsewhere, such as a backup')
    .action(check);
  add('stats', 'tell what is kept and what it takes')
    .argument('[FILE]', 'a database that lies elsewhere, such as a backup')
    .action(stats);
  add('backup', 'copy the database, beside a running engine too').argument('<DEST>', 'a new file').action(backup);
  add('repair', 'put what can be read of a damaged database into a new one; the old one is kept')
    .option('--force', 'also when nothing is damaged')
    .action(repair);
  add('vacuum', 'give unused space back to the file system').action(vacuum);
  add('import', 'add runs that the Rust metric proxy left: its profiles and traces')
    .argument('<PATHS...>', 'files (*.profile, *.trace) and folders of them, such as ~/.proxyprofiles')
    .action(importRuns);
  return command;
}
