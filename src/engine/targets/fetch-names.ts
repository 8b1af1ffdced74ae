/**
 * Looks up the names of hosts. The system does that in two threads for the whole engine, and a name server that does not
 * answer keeps one for many seconds: names that failed or are new get one of them only, so that hosts that are there are
 * still found when a hundred are not.
 */

import { lookup as ask, type LookupAddress, type LookupOptions } from 'node:dns';

type Answer = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;
type Ask = (name: string, options: LookupOptions & { all: true }, answer: Answer) => void;

/** Lookups at the same time: as many as the system has threads for them. */
const AT_ONCE = 2;
/** Of names that are not known to be there. */
const UNPROVEN_AT_ONCE = 1;
/** How long what was found is used again, ms: many targets are at one host. */
const KEPT = 10_000;
/**
 * The same of names that were not found, when that took so long that who asked may have given up: the next one is told,
 * instead of waiting in vain, too. In ms.
 */
const [SLOW, FAILURE_KEPT] = [1000, 60_000];
/** Names that are remembered; they come from whoever asks for a probe. */
const MOST = 100_000;

/** proven: it was found the last time. failed: it was not. */
type Lane = 'proven' | 'new' | 'failed';

interface Name {
  lane: Lane;
  error: NodeJS.ErrnoException | null;
  addresses: readonly LookupAddress[];
  /** Monotonic, ms: until then this is the answer without asking. */
  until: number;
}

interface Question {
  readonly name: string;
  readonly options: LookupOptions;
  /** Monotonic, ms. */
  readonly since: number;
  readonly waiting: Answer[];
}

export class Names {
  readonly #ask: Ask;
  readonly #now: () => number;
  readonly #known = new Map<string, Name>();
  readonly #open = new Map<string, Question>();
  /** Keys of questions that wait, by lane, in the order in which they came. */
  readonly #queues: Record<Lane, string[]> = { proven: [], new: [], failed: [] };
  readonly #running = { proven: 0, unproven: 0 };

  constructor(how: Ask = ask, now: () => number = () => performance.now()) {
    this.#ask = how;
    this.#now = now;
  }

  /** All addresses of a name; the same question at the same time is asked once. */
  lookup(name: string, options: LookupOptions, answer: Answer): void {
    const { family, hints, order, verbatim } = options;
    const key = JSON.stringify([name, family, hints, order, verbatim]);
    const known = this.#known.get(key);
    if (known && this.#now() < known.until) {
      // Never before the caller is through with asking.
      setImmediate(answer, known.error, known.addresses);
      return;
    }
    const open = this.#open.get(key);
    if (open) {
      open.waiting.push(answer);
      return;
    }
    this.#open.set(key, { name, options, since: this.#now(), waiting: [answer] });
    this.#queues[known?.lane ?? 'new'].push(key);
    this.#next();
  }

  #next(): void {
    const { proven, new: fresh, failed } = this.#queues;
    const { proven: ofProven, unproven } = this.#running;
    if (ofProven + unproven >= AT_ONCE) return;
    const key = proven.shift() ?? (unproven < UNPROVEN_AT_ONCE ? (fresh.shift() ?? failed.shift()) : undefined);
    if (key === undefined) return;
    const kind = this.#known.get(key)?.lane === 'proven' ? 'proven' : 'unproven';
    const { name, options, since, waiting } = this.#open.get(key)!;
    this.#running[kind]++;
    this.#ask(name, { ...options, all: true }, (error, addresses) => {
      this.#running[kind]--;
      this.#open.delete(key);
      const found = error ? [] : addresses;
      this.#note(key, error, found, this.#now() - since);
      this.#next();
      for (const answer of waiting) answer(error, found);
    });
    this.#next();
  }

  #note(key: string, error: Name['error'], addresses: readonly LookupAddress[], took: number): void {
    if (this.#known.size >= MOST) this.#known.clear();
    const kept = error === null ? KEPT : took > SLOW ? FAILURE_KEPT : 0;
    const lane = error === null ? 'proven' : 'failed';
    this.#known.set(key, { lane, error, addresses, until: this.#now() + kept });
  }
}

/** Of all targets: the threads are the whole engine's. */
export const NAMES = new Names();
