/**
 * Completes package-lock.json after dependencies changed.
 *
 *     npm run lock
 *
 * Some packages are published once per platform, as optional dependencies of a small one. npm leaves those that a
 * registry mirror does not carry out of the lock file, and then `npm ci` of npm 11 refuses that very lock file. Named
 * in it with their platform they are neither fetched nor missed elsewhere.
 *
 * And npm forgets that a package with prebuilt native code says `"gypfile": false`; `npm ci` would compile it.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './lib/paths.mjs';
import { StepError, main, say } from './lib/report.mjs';

/**
 * @typedef {object} Entry
 * @property {string} [version]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 * @property {false} [gypfile]
 * @property {Record<string, string>} [optionalDependencies]
 */

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/**
 * The platform in the name of a package: `@oxlint/binding-linux-arm-gnueabihf` → linux, arm, glibc.
 *
 * @param {string} name
 * @returns {Pick<Entry, 'os' | 'cpu' | 'libc'> | undefined} Undefined when the name has none.
 */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (cpu.length !== 1 || os.length > 1 || (os.length === 0 && cpu[0] !== 'wasm32')) return undefined;
  const libc = words.flatMap((word) => (word.startsWith('musl') ? ['musl'] : word.startsWith('gnu') ? ['glibc'] : []));
  return { ...(os.length > 0 ? { os } : {}), cpu, ...(libc.length > 0 && os[0] === 'linux' ? { libc } : {}) };
}

/**
 * Optional dependencies that no entry stands for, by their place in the lock file.
 *
 * @param {Readonly<Record<string, Entry>>} packages
 * @returns {Map<string, { name: string, version: string, parent: Entry }>}
 */
export function missingEntries(packages) {
  const missing = new Map();
  for (const [place, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      // As Node resolves: beside the package, or in any folder above it.
      let folder = place;
      let found = false;
      for (;;) {
        found ||= `${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages;
        const up = folder.lastIndexOf('/node_modules/');
        if (found || folder === '') break;
        folder = up === -1 ? '' : folder.slice(0, up);
      }
      if (!found) missing.set(`node_modules/${name}`, { name, version, parent: entry });
    }
  }
  return missing;
}

/**
 * Places of packages whose own package.json says that nothing is to be compiled, and whose entry does not.
 *
 * @param {Readonly<Record<string, Entry>>} packages
 */
export function unmarkedPrebuilt(packages) {
  return Object.keys(packages).filter((place) => {
    const file = path.join(root, place, 'package.json');
    if (place === '' || packages[place]?.gypfile === false || !existsSync(file)) return false;
    return JSON.parse(readFileSync(file, 'utf8')).gypfile === false;
  });
}

if (process.argv[1]?.endsWith('lock.mjs')) {
  await main(async () => {
    const file = path.join(root, 'package-lock.json');
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    const missing = missingEntries(lock.packages);
    for (const [place, { name, version, parent }] of missing) {
      const platform = platformOf(name);
      if (platform === undefined || !/^\d/.test(version)) {
        throw new StepError(
          `${name}@${version} is not in package-lock.json`,
          'Only packages of one platform can be added.',
        );
      }
      lock.packages[place] = { version, ...platform, ...(parent.dev === true ? { dev: true } : {}), optional: true };
    }
    const prebuilt = unmarkedPrebuilt(lock.packages);
    for (const place of prebuilt) lock.packages[place].gypfile = false;
    const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
    say(`package-lock.json: ${missing.size} entries added, ${prebuilt.length} marked as prebuilt`);
  });
}
