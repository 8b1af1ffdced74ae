import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the built page is: beside the bundle, or in dist/ of the source tree. Null: it is not built. */
export function pageDirectory(): string | null {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, '..', 'renderer'), join(here, '..', '..', 'dist', 'renderer')];
  return candidates.find((path) => existsSync(join(path, 'index.html')) && !existsSync(join(path, 'app'))) ?? null;
}
