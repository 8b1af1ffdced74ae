/** Which scopes lie together in the tail: a handful of about as much, of one kind, so that they are sealed together. */

import { scopeKind, type ScopeId } from '../../shared/model/scope.ts';

/** Scopes of a part, and bytes of their first frames, which are full. */
const MAX_SCOPES = 32;
const MAX_FRAME_BYTES = 16 * 1024;

export interface Part {
  readonly id: number;
  readonly kind: string;
  /** Scopes that are still written to. */
  live: number;
  /** Bytes of their first frames. */
  weight: number;
  /** Of its rows in the tail. */
  rows: number;
  bytes: number;
  /** When the first of them came, ms; NaN: none has. */
  since: number;
  /** How often a clock was set back: what was read before that does not count any more. */
  setBack: number;
}

export class Parts {
  readonly #parts = new Map<number, Part>();
  #next: number;

  /** `next`: the first number that no part has had. */
  constructor(next: number) {
    this.#next = next;
  }

  /** For a new scope. `known`: the part it was in, when it comes back. */
  join(scope: ScopeId, frameBytes: number, known: number | null): Part {
    const kind = scopeKind(scope) ?? 'other';
    const part =
      (known === null ? this.#fitting(kind, frameBytes) : this.#parts.get(known)) ?? this.#begin(kind, known);
    part.live++;
    part.weight += frameBytes;
    return part;
  }

  #fitting(kind: string, bytes: number): Part | undefined {
    for (const part of this.#parts.values()) {
      if (part.kind === kind && part.live < MAX_SCOPES && part.weight + bytes <= MAX_FRAME_BYTES) return part;
    }
    return undefined;
  }

  #begin(kind: string, known: number | null): Part {
    const id = known ?? this.#next++;
    const part = { id, kind, live: 0, weight: 0, rows: 0, bytes: 0, since: NaN, setBack: 0 };
    this.#parts.set(id, part);
    return part;
  }

  leave(part: Part, frameBytes: number): void {
    part.live--;
    part.weight -= frameBytes;
  }

  /** Its rows are gone and nobody writes to it. */
  drop(part: Part): void {
    if (part.live === 0 && part.rows === 0) this.#parts.delete(part.id);
  }

  [Symbol.iterator](): Iterator<Part> {
    return this.#parts.values();
  }
}
