/** Where things are, for the scripts. Plain JavaScript for Node 20: this runs before anything is installed. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the tree. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The Node that everything but the set-up runs with: the npm package `node`. */
export const projectNode = path.join(root, 'node_modules', 'node', 'bin', 'node');

/** The environment for tools of the project: its Node and its commands are found first. */
export function toolEnv() {
  const folders = [path.dirname(projectNode), path.join(root, 'node_modules', '.bin')];
  return { ...process.env, PATH: [...folders, process.env['PATH'] ?? ''].join(path.delimiter) };
}
