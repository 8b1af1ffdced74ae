/** Reads configuration files with all that they include, within limits. */

import { constants } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { plainWords } from './error.ts';
import { readLines, type ConfigLine } from './line.ts';
import { matchesPattern } from './pattern.ts';

/** OpenSSH's own limit of includes in includes. */
const MAX_DEPTH = 16;
const MAX_FILE_BYTES = 1 << 20;
/** Files of one configuration, included ones counted each time. */
const MAX_FILES = 500;
const MAX_PROBLEMS = 100;
/** Names that one pattern of an `Include` may have. */
const MAX_MATCHES = 500;

export interface ConfigFile {
  readonly path: string;
  readonly lines: readonly ConfigLine[];
  /** What each `Include` of `lines` brings, in order. */
  readonly included: ReadonlyMap<ConfigLine, readonly ConfigFile[]>;
}

export interface ConfigProblem {
  readonly file: string;
  /** Of the line that names the file; undefined: it was named by nobody. */
  readonly at: ConfigLine | undefined;
  readonly text: string;
  /** Who stops here: OpenSSH too, only we, or nobody. */
  readonly stops: 'openssh' | 'here' | 'nobody';
}

export interface LoadedConfig {
  readonly files: readonly ConfigFile[];
  readonly problems: readonly ConfigProblem[];
}

export interface ConfigRoot {
  readonly path: string;
  /** The folder of relative includes. */
  readonly folder: string;
  /** It need not be there. */
  readonly optional: boolean;
  /** Only its owner may write to it, as OpenSSH demands of `~/.ssh/config`. */
  readonly private: boolean;
}

export const SYSTEM_FOLDER = '/etc/ssh';

/** The files that OpenSSH reads: the one given (`-F`), or the user's and the system's. */
export function configRoots(home: string, configFile?: string): ConfigRoot[] {
  const own = join(home, '.ssh');
  if (configFile !== undefined) return [{ path: configFile, folder: own, optional: false, private: false }];
  return [
    { path: join(own, 'config'), folder: own, optional: true, private: true },
    { path: join(SYSTEM_FOLDER, 'ssh_config'), folder: SYSTEM_FOLDER, optional: true, private: false },
  ];
}

class Refused extends Error {}

async function readWhole(handle: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length > MAX_FILE_BYTES) throw new Refused(`is larger than ${MAX_FILE_BYTES >> 20} MiB`);
  return buffer.toString('utf8', 0, length);
}

/** @throws {Refused} And what the file system throws. */
async function readFile(path: string, owned: boolean): Promise<string> {
  // Not blocking: opening a FIFO would wait for a writer for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (stat.isCharacterDevice() && path === '/dev/null') return '';
    if (!stat.isFile()) throw new Refused('is not a file');
    if (owned && ((stat.uid !== 0 && stat.uid !== process.getuid?.()) || (stat.mode & 0o022) !== 0)) {
      throw new Refused('belongs to somebody else or can be written by others (bad owner or permissions)');
    }
    return await readWhole(handle);
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'error';

/** The files that a pattern names, sorted by bytes; a name without `*`, `?` and `[` is itself. */
async function glob(pattern: string): Promise<string[]> {
  let paths = [''];
  const parts = pattern.split('/').slice(1);
  for (const [i, part] of parts.entries()) {
    if (part === '') continue;
    if (!/[*?]/.test(part)) {
      paths = paths.map((path) => `${path}/${part}`);
      continue;
    }
    const next: string[] = [];
    for (const path of paths) {
      // A folder that is not there, or that may not be listed, has no matches: as glob(3).
      const entries = await readdir(path === '' ? '/' : path, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const hidden = entry.name.startsWith('.') && !part.startsWith('.');
        if (hidden || !matchesPattern(entry.name, part)) continue;
        if (i < parts.length - 1 && entry.isFile()) continue;
        next.push(`${path}/${entry.name}`);
      }
      if (next.length > MAX_MATCHES) throw new Refused(`matches more than ${MAX_MATCHES} files`);
    }
    paths = next;
  }
  return paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The absolute pattern, or undefined: only OpenSSH knows. */
function absolute(word: string, folder: string, home: string): string | undefined {
  if (/[[\]{}$%\\]/.test(word) || word === '') return undefined;
  const isHome = word === '~' || word.startsWith('~/');
  if (word.startsWith('~') && !isHome) return undefined;
  if (isHome) return join(home, word.slice(1));
  return word.startsWith('/') ? word : `${folder}/${word}`;
}

/** Reads them all. What cannot be read is told in `problems`, with who stops there. */
export async function loadConfig(
  roots: readonly ConfigRoot[],
  home: string = userInfo().homedir,
): Promise<LoadedConfig> {
  const problems: ConfigProblem[] = [];
  let count = 0;
  let full: ConfigProblem | undefined;
  const add = (problem: ConfigProblem): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };

  async function include(at: ConfigLine, root: ConfigRoot, depth: number): Promise<ConfigFile[]> {
    const files: ConfigFile[] = [];
    const tell = (text: string): void => add({ file: at.file, at, text, stops: 'here' });
    if (at.words === undefined) tell('an Include that only OpenSSH itself can read');
    for (const word of at.words ?? []) {
      const pattern = absolute(word, root.folder, home);
      if (pattern === undefined) {
        tell(`Include ${plainWords(word, 100)}: only OpenSSH itself knows which files these are`);
        continue;
      }
      try {
        for (const path of await glob(pattern)) {
          const file = await load({ ...root, path, optional: true, private: true }, at, depth + 1);
          if (file !== undefined) files.push(file);
        }
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        tell(`Include ${plainWords(word, 100)} ${error.message}`);
      }
    }
    return files;
  }

  async function load(root: ConfigRoot, at: ConfigLine | undefined, depth: number): Promise<ConfigFile | undefined> {
    const tell = (text: string, stops: ConfigProblem['stops'] = 'openssh'): undefined => {
      add({ file: root.path, at, text: `${root.path} ${text}`, stops });
      return undefined;
    };
    if (count === MAX_FILES) {
      full ??= { file: root.path, at, text: `${root.path} is one of more than ${MAX_FILES} files`, stops: 'here' };
      return undefined;
    }
    count++;
    if (depth > MAX_DEPTH) return tell(`is included more than ${MAX_DEPTH} deep: it includes itself`);
    let text: string;
    try {
      text = await readFile(root.path, root.private);
    } catch (error) {
      if (error instanceof Refused) return tell(error.message);
      const code = codeOf(error);
      if (root.optional && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
      // OpenSSH passes over its own two files when it may not read them, and stops at all others.
      const stops = at !== undefined || !root.optional ? 'openssh' : 'nobody';
      add({ file: root.path, at, text: `${root.path} cannot be read (${code})`, stops });
      return undefined;
    }
    const lines = readLines(root.path, text);
    const included = new Map<ConfigLine, readonly ConfigFile[]>();
    for (const line of lines) {
      if (line.keyword === 'include') included.set(line, await include(line, root, depth));
    }
    return { path: root.path, lines, included };
  }

  const files: ConfigFile[] = [];
  for (const root of roots) {
    const file = await load(root, undefined, 0);
    if (file !== undefined) files.push(file);
  }
  return { files, problems: full === undefined ? problems : [full, ...problems] };
}

/** All lines, included ones in the place of their `Include`. */
export function* allLines(files: readonly ConfigFile[]): Generator<ConfigLine> {
  for (const file of files) {
    for (const line of file.lines) {
      yield line;
      yield* allLines(file.included.get(line) ?? []);
    }
  }
}
