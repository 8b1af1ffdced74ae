/** The licences of the packages that are in the bundles. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { root } from './paths.mjs';

/** Folders of src/ that end up in an engine without a window. */
const bundled = ['cli', 'client', 'engine', 'renderer', 'shared'];

/** Bare imports, also for effects and at run time; `import type` leaves nothing in a bundle. */
const imports =
  /(?:^(?:import|export)\s(?!type\s)(?:[^'";]*?\sfrom\s+)?|\bimport\()'((?:@[^/']+\/)?[^./'][^/':]*)(?:\/[^']*)?'/gm;

/** @returns {Set<string>} Packages that the sources import by name. */
function imported() {
  /** @type {Set<string>} */
  const names = new Set();
  for (const part of bundled) {
    const folder = path.join(root, 'src', part);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(file)) continue;
      for (const [, name] of readFileSync(path.join(folder, file), 'utf8').matchAll(imports)) {
        if (name !== undefined && existsSync(path.join(root, 'node_modules', name))) names.add(name);
      }
    }
  }
  return names;
}

/**
 * Where Node finds a package from a folder.
 *
 * @param {string} name
 * @param {string} from
 * @returns {string | undefined}
 */
function findPackage(name, from) {
  for (let folder = from; folder.startsWith(root); folder = path.dirname(folder)) {
    const found = path.join(folder, 'node_modules', name);
    if (existsSync(path.join(found, 'package.json'))) return found;
  }
  return undefined;
}

/**
 * The packages that sources import and all that these need. The bundler leaves out what is not used; here it stays, since
 * a licence too many harms nobody.
 *
 * @returns {{ id: string, license: string, files: string[] }[]} `NAME@VERSION` in order, the licence as its author names
 *   it, and the files with its text.
 */
export function bundledLicenses() {
  /** @type {Map<string, { id: string, license: string, files: string[] }>} */
  const found = new Map();
  /** @type {[string, string][]} */
  const open = [...imported()].map((name) => [name, root]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const folder = findPackage(...next);
    // Optional ones may not be there.
    if (folder === undefined || found.has(folder)) continue;
    const {
      name,
      version,
      license,
      dependencies = {},
    } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const id = `${name}@${version}`;
    found.set(folder, { id, license: String(license), files: files.sort().map((file) => path.join(folder, file)) });
    open.push(
      ...Object.keys(dependencies).map(
        (/** @type {string} */ each) => /** @type {[string, string]} */ ([each, folder]),
      ),
    );
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
