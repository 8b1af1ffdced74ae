/** What a profile has beside values and ranks: how processes ended, who ran it, what measured it, its nodes. */

import { userInfo } from 'node:os';
import type { NodeValues, Profile } from '../../shared/api/profiles.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { profileExits } from '../../shared/profiles/exits.ts';
import { VERSION } from '../version.ts';

/** Exporters tell their versions as a label of a series of this name. */
const BUILD_INFO = '_build_info';
const MOST_EXPORTERS = 64;
/** Longest name and version that are kept, UTF-16 code units. */
const MAX_TEXT = 100;
/** Versions are looked for again after so long, ms: many runs may end at once. */
const FRESH = 10_000;

export type Versions = NonNullable<Profile['versions']>;

/** Exporters that tell their versions, out of the names of series. */
export function exportersOf(names: Iterable<string>): Versions['exporters'] {
  const found = new Map<string, Versions['exporters'][number]>();
  for (const text of names) {
    if (!text.includes(BUILD_INFO) || found.size >= MOST_EXPORTERS) continue;
    const { family, labels } = parseMetric(text);
    const version = labels.find(([name]) => name === 'version')?.[1].slice(0, MAX_TEXT);
    if (!family.endsWith(BUILD_INFO) || version === undefined || version === '') continue;
    const name = family.slice(0, -BUILD_INFO.length).slice(0, MAX_TEXT);
    found.set(`${name} ${version}`, { name, version });
  }
  return [...found.values()].toSorted((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
}

interface VersionedScope {
  readonly kind: string;
  allDefs(): readonly SeriesDef[];
}

/** What measures now whatever runs: this engine, and exporters among the scopes that live. What a run has is its own. */
export class VersionWatch {
  readonly #scopes: () => Iterable<VersionedScope>;
  readonly #now: () => number;
  #known: Versions = { engine: VERSION, exporters: [] };
  #since = -Infinity;

  /** `now`: monotonic, ms. */
  constructor(scopes: () => Iterable<VersionedScope>, now: () => number) {
    this.#scopes = scopes;
    this.#now = now;
  }

  get(): Versions {
    if (this.#now() - this.#since < FRESH) return this.#known;
    this.#since = this.#now();
    const names: string[] = [];
    for (const scope of this.#scopes()) {
      if (scope.kind !== 'run') for (const { name } of scope.allDefs()) names.push(name);
    }
    this.#known = { engine: VERSION, exporters: exportersOf(names) };
    return this.#known;
  }
}

/** Whose programs can push here: the socket is its owner's only. Absent: it has no name. */
export function ownUser(): string | undefined {
  try {
    return userInfo().username.slice(0, 256) || undefined;
  } catch {
    return undefined;
  }
}

/** In the order of the schema: the store finds what is behind the ranks by it. `user`: absent: not known. */
export function completeProfile(profile: Profile, versions: Versions, user: string | undefined): Profile {
  const { run, series, ranks } = profile;
  const own = exportersOf(series.map(({ name }) => name));
  const exporters = new Map([...versions.exporters, ...own].map((one) => [`${one.name} ${one.version}`, one]));
  return {
    ...{ run, series, ranks, exits: profileExits(profile) },
    ...(user === undefined ? {} : { user }),
    versions: { ...versions, exporters: [...exporters.values()] },
    node_values: nodeValues(profile),
  };
}

/** Ranks of unknown nodes are in none. */
function nodeValues({ series, ranks }: Profile): NodeValues[] {
  const nodes = new Map<string, { ranks: number; sums: Float64Array; counts: Uint32Array }>();
  for (const { node, values } of ranks) {
    if (node === '') continue;
    let known = nodes.get(node);
    if (!known) {
      known = { ranks: 0, sums: new Float64Array(series.length), counts: new Uint32Array(series.length) };
      nodes.set(node, known);
    }
    known.ranks++;
    for (const [i, value] of values.entries()) {
      if (value === null || i >= series.length) continue;
      known.sums[i]! += value;
      known.counts[i]!++;
    }
  }
  return Array.from(nodes, ([node, { ranks: count, sums, counts }]) => ({
    ...{ node, ranks: count },
    values: series.map(({ kind }, i) => {
      if (counts[i] === 0) return null;
      return kind === 'counter' ? sums[i]! : sums[i]! / counts[i]!;
    }),
  })).toSorted((a, b) => (a.node < b.node ? -1 : 1));
}
