import type { SourceWriter } from './source.ts';

/**
 * Sums over devices that come and go, as counters. They grow by what each device grows, so that a device that is taken
 * out does not make its share look like a restart, and one that comes does not bring its past along.
 */
export class Totals {
  readonly #families: readonly (readonly [name: string, doc: string])[];
  readonly #sums: Float64Array;
  #handles: readonly number[] | null = null;

  constructor(families: readonly (readonly [name: string, doc: string])[]) {
    this.#families = families;
    this.#sums = new Float64Array(families.length);
  }

  /** One device's counter `which` grew. Less than nothing is a counter that began anew: how much it grew is not known. */
  grow(which: number, by: number): void {
    if (by > 0) this.#sums[which]! += by;
  }

  emit(out: SourceWriter): void {
    this.#handles ??= this.#families.map(([name, doc]) => out.counter(name, doc));
    for (let i = 0; i < this.#sums.length; i++) out.setCounter(this.#handles[i]!, this.#sums[i]!);
  }
}
