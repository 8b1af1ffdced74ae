/** Tells when the process has no room for anything new: before the collector, or the kernel, makes everybody suffer. */

import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** Part of the machine's, or the control group's, memory that the engine leaves to others whatever its own limit says. */
const SHARE = 0.75;
/** Part of V8's own limit: beyond it most of the time goes into collecting garbage. */
const HEAP_SHARE = 0.85;
/** Once full it stays so until there is some room again, so that it does not change with each collection. */
const RELIEF = 0.95;

export interface MemoryUse {
  /** Resident bytes of the process. */
  readonly resident: number;
  readonly heap: number;
  readonly heapLimit: number;
}

export const processMemory = (): MemoryUse => {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return { resident: process.memoryUsage.rss(), heap: used_heap_size, heapLimit: heap_size_limit };
};

/** The ceiling that holds: the one asked for, or less on a small machine. */
export function memoryCeiling(asked: number, constrained: number = process.constrainedMemory()): number {
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.min(asked, Math.floor(SHARE * machine));
}

export class MemoryGuard {
  readonly ceiling: number;
  resident = 0;
  /** Bytes of objects, those that are garbage already included. */
  heap = 0;
  #full = false;
  readonly #use: () => MemoryUse;

  constructor(ceiling: number, use: () => MemoryUse = processMemory) {
    this.ceiling = ceiling;
    this.#use = use;
  }

  /** Looks at the memory; true when nothing new may be taken. */
  look(): boolean {
    const { resident, heap, heapLimit } = this.#use();
    this.resident = resident;
    this.heap = heap;
    const factor = this.#full ? RELIEF : 1;
    this.#full = resident > factor * this.ceiling || heap > factor * HEAP_SHARE * heapLimit;
    return this.#full;
  }
}
