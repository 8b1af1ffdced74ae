/** Writes where this engine can be reached, for other programs of its owner (shared/engine-file.ts). */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_FILE } from '../shared/engine-file.ts';

/** Writes it; the returned function removes it. Without it only the convenience of finding the engine is gone. */
export function announceEngine(data: string, ready: object, warn: (message: string) => void): () => void {
  const path = join(data, ENGINE_FILE);
  try {
    writeFileSync(path, `${JSON.stringify(ready)}\n`, { mode: 0o600 });
  } catch (error) {
    warn(`other programs will not find this engine by its data directory: ${String(error)}`);
  }
  return () => rmSync(path, { force: true });
}
