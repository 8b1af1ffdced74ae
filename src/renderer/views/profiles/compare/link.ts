/** What a comparison is of, as its address has it. */

/** Runs by id; or all of a command or a search, newest first, which stays short however many they are. */
export type Subject =
  | { readonly kind: 'runs'; readonly ids: readonly string[] }
  | {
      readonly kind: 'found';
      readonly group: string | null;
      readonly search: string;
      /** Another engine whose profiles are kept here, or `all`. */
      readonly engine?: string;
    };

export const COMPARE = '/ui/profiles/compare';
const MOST = 500;
/** What an id can be made of, those of other engines' runs too; the separator, which an address need not escape, is none of it. */
const ID = /^[\w-][\w.-]{0,255}$/;
const SEPARATOR = '*';
/** Ids of one length need nothing between them: `12**` and then all of them. */
const PACKED = /^(\d{1,3})\*\*([\w.-]+)$/;
/** So many ids are packed: below that a person can still read and change the address. */
const PACK_FROM = 8;

/** Ids as one parameter. */
export function packIds(ids: readonly string[]): string {
  const length = ids[0]?.length ?? 0;
  if (ids.length < PACK_FROM || ids.some((id) => id.length !== length)) return ids.join(SEPARATOR);
  return `${length}**${ids.join('')}`;
}

/** What `packIds` made, or what somebody typed, with commas; what cannot be an id is left out, and so are repeats. */
export function unpackIds(text: string): string[] {
  const packed = PACKED.exec(text);
  const ids: string[] = [];
  if (packed) {
    const length = Number(packed[1]);
    const all = packed[2]!;
    if (length > 0) for (let at = 0; at + length <= all.length; at += length) ids.push(all.slice(at, at + length));
  } else ids.push(...text.split(/[*,\s]+/));
  return [...new Set(ids.filter((id) => ID.test(id)))].slice(0, MOST);
}

export function readSubject(params: URLSearchParams): Subject {
  const runs = params.get('runs');
  if (runs !== null && runs !== '') return { kind: 'runs', ids: unpackIds(runs) };
  const engine = /^(?:all|[0-9a-f]{32})$/.exec(params.get('engine') ?? '')?.[0];
  return {
    ...(engine === undefined ? {} : { engine }),
    kind: 'found',
    group: params.get('group'),
    search: (params.get('q') ?? '').slice(0, 1024),
  };
}

/** The address of a comparison. */
export function compareLink(subject: Subject, baseline: string | null = null): string {
  const params = new URLSearchParams();
  if (subject.kind === 'runs') params.set('runs', packIds(subject.ids));
  else {
    if (subject.group !== null) params.set('group', subject.group);
    if (subject.search !== '') params.set('q', subject.search);
    if (subject.engine !== undefined) params.set('engine', subject.engine);
  }
  if (baseline !== null) params.set('baseline', baseline);
  return `${COMPARE}?${params.toString()}`;
}
