/** Requests per second of each address: a bucket that fills steadily and that each request takes from. */

/** Buckets kept at most. Those that are full again tell nothing and are forgotten first. */
const MAX_BUCKETS = 10_000;
/** A bucket holds so many seconds' worth. */
const BURST_SECONDS = 2;

interface Bucket {
  left: number;
  /** Monotonic ms of the last look. */
  at: number;
}

export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /** `now` is a monotonic clock in ms. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** True when this request is one too many. */
  exceeds(key: string): boolean {
    const now = this.#now();
    const most = BURST_SECONDS * this.#perSecond;
    const bucket = this.#buckets.get(key) ?? { left: most, at: now };
    bucket.left = Math.min(most, bucket.left + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_BUCKETS) this.#forget();
    if (bucket.left < 1) return true;
    bucket.left--;
    return false;
  }

  /** The oldest goes. Whoever uses ten thousand addresses has ten thousand buckets anyway. */
  #forget(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

/** What stands for a sender: an IPv4 address, or the first half of an IPv6 one: a machine has all addresses below it. */
export function sender(address: string | undefined): string {
  if (address === undefined) return 'local';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(':')) return address;
  const [head, tail] = address.split('%')[0]!.split('::') as [string, string | undefined];
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from<string>({ length: Math.max(0, 8 - first.length - last.length) }).fill('0');
  const groups = tail === undefined ? first : [...first, ...zeros, ...last];
  // Loopback is one machine, not a network.
  if (groups.slice(0, 7).every((group) => Number.parseInt(group, 16) === 0)) return address;
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
