import type { SourceInstance, SourceWriter } from './source.ts';

/** One device that a source follows. */
export interface Device {
  /** False when it is gone: it is then closed, and looked for again at the next search. */
  sample(out: SourceWriter, seconds: number): boolean;
  /** Takes its gauges out. */
  clear(out: SourceWriter): void;
  close(): void;
}

/** Seconds between searches for devices that came later: a driver loaded again, a card that was reset. */
const SEARCH_EVERY = 60;

/** Something that is due every so often, counted in the seconds that ticks are apart. The first time it is due at once. */
export class Every {
  readonly #interval: number;
  #passed = Infinity;

  constructor(seconds: number) {
    this.#interval = seconds;
  }

  /** Call once per tick. `seconds` since the tick before. */
  due(seconds: number): boolean {
    this.#passed += seconds;
    if (this.#passed < this.#interval) return false;
    this.#passed = 0;
    return true;
  }

  /** Due at the next tick. */
  hasten(): void {
    this.#passed = Infinity;
  }
}

/** A source of devices that come and go: a search now and then, a sample of each at every tick. */
export class Devices implements SourceInstance {
  readonly #list: () => readonly string[];
  readonly #open: (name: string) => Device | null;
  readonly #max: number;
  readonly #devices = new Map<string, Device>();
  readonly #search = new Every(SEARCH_EVERY);

  /** `list` names what is there now, `open` begins to follow one, or says that it has no numbers. At most `max` at once. */
  constructor(list: () => readonly string[], open: (name: string) => Device | null, max: number) {
    this.#list = list;
    this.#open = open;
    this.#max = max;
  }

  /** Searches at once. Null, and nothing left open, when there is no device. */
  orNull(): Devices | null {
    this.#find();
    this.#search.due(0);
    return this.#devices.size > 0 ? this : null;
  }

  sample(out: SourceWriter, seconds: number): void {
    if (this.#search.due(seconds)) this.#find();
    for (const [name, device] of this.#devices) {
      if (device.sample(out, seconds)) continue;
      device.clear(out);
      device.close();
      this.#devices.delete(name);
    }
  }

  close(): void {
    for (const device of this.#devices.values()) device.close();
    this.#devices.clear();
  }

  #find(): void {
    for (const name of this.#list()) {
      if (this.#devices.size >= this.#max) return;
      if (this.#devices.has(name)) continue;
      const device = this.#open(name);
      if (device !== null) this.#devices.set(name, device);
    }
  }
}
