/** The `connections` topic: the complete list once, then only what changed. The `prompts` topic: all of them. */

import type { Connection } from '../../shared/api/connections.ts';
import type { LiveEvent } from '../../shared/api/live.ts';
import type { EngineContext } from '../context.ts';

export class ConnectionsTopic {
  readonly #engine: EngineContext;
  /** What was last sent of each: there are few, and traffic and latency are told as they change. */
  readonly #sent = new Map<string, string>();
  #first = true;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  next(): LiveEvent | null {
    const all = this.#engine.remote.loaded?.connections.list() ?? [];
    const changed: Connection[] = [];
    for (const connection of all) {
      const text = JSON.stringify(connection);
      if (this.#sent.get(connection.id) === text) continue;
      this.#sent.set(connection.id, text);
      changed.push(connection);
    }
    const present = new Set(all.map(({ id }) => id));
    const removed = [...this.#sent.keys()].filter((id) => !present.has(id));
    for (const id of removed) this.#sent.delete(id);
    const isFirst = this.#first;
    this.#first = false;
    if (!isFirst && changed.length === 0 && removed.length === 0) return null;
    return { type: 'connections', all: isFirst, connections: changed, removed };
  }
}

export class PromptsTopic {
  readonly #engine: EngineContext;
  #sent = -1;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  next(): LiveEvent | null {
    const desk = this.#engine.remote.loaded?.connections.prompts;
    const version = desk?.version ?? 0;
    if (version === this.#sent) return null;
    this.#sent = version;
    return { type: 'prompts', prompts: desk?.list() ?? [] };
  }
}
