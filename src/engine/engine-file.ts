/** `engine.json` in the data directory: where the engine that has it can be reached, for other programs of its owner. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ENGINE_FILE = 'engine.json';

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
