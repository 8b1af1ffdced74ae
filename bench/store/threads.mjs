/**
 * The store's threads as they are built, loaded by `--import`: run from the sources, each would first have to load the
 * compiler that takes the types out, which takes longer than most questions.
 */

import { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import workers from 'node:worker_threads';

const source = new URL('../../src/engine/store/worker.ts', import.meta.url).href;
const built = new URL('../../dist/engine/store-worker.cjs', import.meta.url);

if (!existsSync(built)) throw new Error('dist/engine is missing; `npm run bench` builds it');

workers.Worker = class extends workers.Worker {
  /**
   * @param {string | URL} file
   * @param {import('node:worker_threads').WorkerOptions} [options]
   */
  constructor(file, options) {
    super(String(file) === source ? built : file, options);
  }
};
syncBuiltinESMExports();
