/** The `targets` topic: the complete list once, then only what changed. */

import type { LiveEvent } from '../../shared/api/live.ts';
import type { Target } from '../../shared/api/targets.ts';
import type { EngineContext } from '../context.ts';
import { SYSTEM_ID } from '../targets/system.ts';

export class TargetsTopic {
  readonly #engine: EngineContext;
  /** Version of each target that was last sent. */
  readonly #sent = new Map<string, number>();
  #first = true;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  next(): LiveEvent | null {
    const { targets } = this.#engine;
    const changed: Target[] = [];
    const look = (id: string, version: number, describe: () => Target): void => {
      if (this.#sent.get(id) === version) return;
      this.#sent.set(id, version);
      changed.push(describe());
    };
    look(SYSTEM_ID, targets.systemVersion, () => targets.get(SYSTEM_ID)!);
    const present = new Set([SYSTEM_ID]);
    for (const entry of targets.entries()) {
      present.add(entry.id);
      look(entry.id, entry.version, () => targets.describe(entry));
    }
    const removed = [...this.#sent.keys()].filter((id) => !present.has(id));
    for (const id of removed) this.#sent.delete(id);
    const all = this.#first;
    this.#first = false;
    if (!all && changed.length === 0 && removed.length === 0) return null;
    return { type: 'targets', all, targets: changed, removed, counts: targets.counts() };
  }
}
