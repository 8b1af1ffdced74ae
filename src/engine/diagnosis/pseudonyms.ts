/**
 * Takes names out of what is given away: each name becomes a pseudonym such as `host-1`, the same one wherever it stands.
 *
 * What is known to be a name is replaced wherever it occurs. Beside that, whatever looks like a path, an address, or a
 * secret goes too: texts of the system and of other programs have names that nobody could list. Rather too much than too
 * little: who reads a bundle can ask, who sent one cannot take it back.
 */

export type NameKind =
  'host' | 'user' | 'job' | 'run' | 'command' | 'cluster' | 'partition' | 'path' | 'address' | 'name';

/** Names that say nothing of anybody, and whose letters stand in many words. */
const COMMON: ReadonlySet<string> = new Set(['root', 'nobody', 'localhost', 'vigie', 'main', 'unknown']);
/** A shorter name is replaced only where it stands alone: letters of other words are not it. */
const ALONE_BELOW = 4;

/** Where a path goes on: until a blank, a quote, a bracket, or what separates it from the next word. */
const REST = String.raw`[^\s"'\x60<>()\[\]{},;:|\\]*`;
/** Paths of the kernel that are the same everywhere. */
const KERNEL_PATH = /^\/(?:proc|dev)(?:\/[a-z_]+)*$/;

/** What looks like a name, whatever is known. */
const SHAPES: readonly (readonly [kind: NameKind | 'secret' | 'keep', source: string])[] = [
  // What the engine's own tokens look like, and longer.
  ['secret', String.raw`(?<![\w/.-])[\w-]{32,}(?![\w/.-])`],
  ['keep', String.raw`\bhttps?://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?(?![\w./:-])`],
  // `/x`, `./x`, `~alice/x`, `x/y`; not `//x`, which belongs to the address before it.
  ['path', String.raw`(?<![\w.~/+-])[\w.~+-]*/${REST}`],
  ['address', String.raw`[\w.+-]+@[\w-]+(?:\.[\w-]+)*`],
  ['address', String.raw`(?<![\w.])(?!127\.0\.0\.1(?![\w.]))\d{1,3}(?:\.\d{1,3}){3}(?![\w.])`],
  ['host', String.raw`(?<![\w.-])[a-z0-9-]+(?:\.[a-z0-9-]+)+\.[a-z]{2,}(?![\w.-])`],
];

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

export class Pseudonyms {
  /** In lower case: host and user names are written either way. */
  readonly #kinds = new Map<string, NameKind>();
  readonly #given = new Map<string, string>();
  readonly #counts = new Map<NameKind, number>();
  #pattern: RegExp | null = null;

  /** Tells a name. A name keeps the kind it was first told with. */
  add(kind: NameKind, name: string | null | undefined): void {
    const known = (name ?? '').trim().toLowerCase();
    if (known === '' || COMMON.has(known) || this.#kinds.has(known)) return;
    this.#kinds.set(known, kind);
    this.#pattern = null;
  }

  /** A host by its full and its short name, which are one host. */
  addHost(name: string): void {
    this.add('host', name);
    const [short = ''] = name.split('.');
    if (short === name || COMMON.has(short.toLowerCase())) return;
    this.add('host', short);
    this.#given.set(`host ${short.toLowerCase()}`, this.of('host', name));
  }

  /**
   * Forgets names that stand nowhere in these texts. There may be tens of thousands, of all runs there ever were, and one
   * pattern of them all would be more than an engine should spend.
   */
  keepThoseIn(texts: readonly string[]): void {
    const all = texts.join('\n').toLowerCase();
    for (const name of this.#kinds.keys()) if (!all.includes(name)) this.#kinds.delete(name);
    this.#pattern = null;
  }

  /** The pseudonym of a name. */
  of(kind: NameKind, name: string): string {
    const key = `${kind} ${name.toLowerCase()}`;
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const pseudonym = `${kind}-${count}`;
    this.#given.set(key, pseudonym);
    return pseudonym;
  }

  /** A text without names. */
  text(text: string): string {
    this.#pattern ??= this.#compile();
    return text.replace(this.#pattern, (found: string, ...rest: unknown[]) => {
      const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
      const name = groups['known'];
      if (name !== undefined) {
        const kind = this.#kinds.get(name.toLowerCase()) ?? 'name';
        // A host's domain belongs to the host; a path that goes on is another path.
        return groups['path'] === undefined ? this.of(kind, name) : this.of('path', found);
      }
      const kind = SHAPES.find((_, i) => groups[`shape${i}`] !== undefined)?.[0] ?? 'name';
      if (kind === 'keep' || (kind === 'path' && (KERNEL_PATH.test(found) || found === '/'))) return found;
      return kind === 'secret' ? 'SECRET' : this.of(kind, found);
    });
  }

  /** All texts in a value, however deep. Keys are the engine's own words and stay. */
  value<T>(value: T): T {
    return this.#deep(value) as T;
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.#deep(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#deep(each)]));
  }

  /** One pattern for all, so that no pseudonym is looked at again; at one place the longest name wins. */
  #compile(): RegExp {
    const names = [...this.#kinds.keys()].sort((a, b) => b.length - a.length).map(alone);
    const tail = String.raw`(?:(?<domain>(?:\.[a-z][\w-]*)+)|(?<path>/${REST}))?`;
    const known = names.length === 0 ? [] : [`(?<known>${names.join('|')})${tail}`];
    return new RegExp([...known, ...SHAPES.map(([, source], i) => `(?<shape${i}>${source})`)].join('|'), 'gi');
  }
}

/** Neither a part of a number, nor, where it is short, of a word. */
function alone(name: string): string {
  const edge = name.length < ALONE_BELOW ? '[a-z0-9]' : String.raw`\d`;
  const before = /^[a-z0-9]/.test(name) && (name.length < ALONE_BELOW || /^\d/.test(name)) ? `(?<!${edge})` : '';
  const after = /[a-z0-9]$/.test(name) && (name.length < ALONE_BELOW || /\d$/.test(name)) ? `(?!${edge})` : '';
  return `${before}${escape(name)}${after}`;
}
