/** The engine as it is sent: a tar that `npm run package:engine` made, found on this machine and checked. */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { VERSION } from '../../version.ts';

/** What the packer writes beside it. */
const About = z.object({
  version: z.string(),
  arch: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  glibc: z.string().regex(/^\d+(\.\d+)+$/),
  unpacked: z.number().int().positive(),
});

export interface LocalPackage {
  readonly file: string;
  /** Of its tar: the one folder in it. */
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Bytes: of the file, and on the disk that it is unpacked on. */
  readonly size: number;
  readonly unpacked: number;
  /** The oldest glibc that it runs with. */
  readonly glibc: string;
}

/** Architectures as `uname -m` says → as packages are named. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

/** Null: there is no engine for such a machine. */
export const archOf = (machine: string): string | null => ARCHITECTURES[machine] ?? null;

/** Where packages are looked for, first to last: named, brought with the program, made in a source tree, put there. */
export function packageFolders(env: NodeJS.ProcessEnv): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const resources = (process as { resourcesPath?: string }).resourcesPath;
  const data = env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const trees = [join(here, '..', '..'), join(here, '..', '..', '..', '..')];
  return [
    ...(env['VIGIE_PACKAGES'] ? [env['VIGIE_PACKAGES']] : []),
    ...(resources ? [join(resources, 'engine')] : []),
    ...trees
      .filter((tree) => existsSync(join(tree, 'scripts', 'package-engine.mjs')))
      .map((tree) => join(tree, 'release')),
    join(data, 'vigie', 'packages'),
  ];
}

/** @throws {Error} In words that say what to do. */
export async function findPackage(arch: string, folders: readonly string[]): Promise<LocalPackage> {
  const name = `vigie-engine-${VERSION}-linux-${arch}`;
  const file = folders.map((folder) => join(folder, `${name}.tar.gz`)).find((path) => existsSync(path));
  if (file === undefined) {
    throw new Error(
      `the engine for that host, ${name}.tar.gz, is not on this machine: make it on a Linux of that architecture with ` +
        `\`npm run package:engine\`, and put all of its files into ${folders.at(-1)}`,
    );
  }
  const about = readAbout(`${file}.json`);
  if (!about) throw new Error(`${file}.json is missing or unusable: it comes with the package, put it beside it`);
  if (about.version !== VERSION || about.arch !== arch) {
    throw new Error(`${file} is another package than its name says: make it again with \`npm run package:engine\``);
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  if (hash.digest('hex') !== about.sha256) {
    throw new Error(`${file} is damaged: its checksum is not that of ${file}.json; make or copy it again`);
  }
  const { sha256, unpacked, glibc, version } = about;
  return { ...{ file, name, version, sha256, unpacked, glibc }, size: statSync(file).size };
}

function readAbout(file: string): z.infer<typeof About> | null {
  try {
    return About.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
