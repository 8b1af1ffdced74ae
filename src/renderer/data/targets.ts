import type { Target, TargetState, TargetTypeName } from '../../shared/api/targets.ts';
import { parseDuration } from '../../shared/duration.ts';
import type { TargetsEvent } from './live.ts';

/** What the table shows as a target's state: one that is paused is nothing else. */
export type ShownState = TargetState | 'paused';
export const SHOWN_STATES: readonly ShownState[] = ['up', 'slow', 'new', 'down', 'refused', 'paused'];

export const shownState = (target: Pick<Target, 'paused' | 'state'>): ShownState =>
  target.paused ? 'paused' : target.state;

/** A message of the `targets` topic. Rows keep the order in which targets were added. */
export function mergeTargets(rows: ReadonlyMap<string, Target>, event: TargetsEvent): Map<string, Target> {
  if (event.all) return new Map(event.targets.map((target) => [target.id, target]));
  const next = new Map(rows);
  for (const id of event.removed) next.delete(id);
  for (const target of event.targets) next.set(target.id, target);
  return next;
}

export const TARGET_SORTS = [
  'state',
  'url',
  'type',
  'last_scrape',
  'duration',
  'samples',
  'new_series',
  'bytes',
] as const;
export type TargetSort = (typeof TARGET_SORTS)[number];

export interface TargetQuery {
  readonly search: string;
  readonly state: ShownState | 'all';
  readonly type: TargetTypeName | 'all';
  readonly sort: TargetSort;
  readonly descending: boolean;
}

/** What needs a person first. */
const URGENCY: Readonly<Record<ShownState, number>> = { down: 0, refused: 1, slow: 2, new: 3, up: 4, paused: 5 };

/** Hosts with numbers in their names in the order of the numbers: node9 before node10. */
const byName = new Intl.Collator('en', { numeric: true });

function compare(a: Target, b: Target, sort: TargetSort): number {
  switch (sort) {
    case 'state':
      return URGENCY[shownState(a)] - URGENCY[shownState(b)];
    case 'url':
      return byName.compare(a.url, b.url);
    case 'type':
      return (a.type ?? '').localeCompare(b.type ?? '');
    case 'last_scrape':
      return (a.last_scrape ?? 0) - (b.last_scrape ?? 0);
    case 'duration':
      return (a.duration ?? -1) - (b.duration ?? -1);
    default:
      return a[sort] - b[sort];
  }
}

function matches(target: Target, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}=${value}`);
  const text = [target.url, target.reason ?? '', target.origin.name, ...labels].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Rows in the order to be shown. Equal ones stand by address. */
export function selectTargets(targets: Iterable<Target>, query: TargetQuery): Target[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = query.descending ? -1 : 1;
  return [...targets]
    .filter(
      (target) =>
        (query.state === 'all' || shownState(target) === query.state) &&
        (query.type === 'all' || target.type === query.type) &&
        matches(target, words),
    )
    .sort((a, b) => sign * compare(a, b, query.sort) || byName.compare(a.url, b.url));
}

/** Targets by shown state. */
export function countStates(targets: Iterable<Target>): Record<ShownState | 'all', number> {
  const counts = { all: 0, up: 0, slow: 0, new: 0, down: 0, refused: 0, paused: 0 };
  for (const target of targets) {
    counts.all++;
    counts[shownState(target)]++;
  }
  return counts;
}

/** Bytes a day at another period than the probe was asked with. */
export function dayBytesAt(bytes: number, askedPeriod: string, period: string): number | null {
  const asked = parseDuration(askedPeriod);
  const now = parseDuration(period);
  return asked === null || now === null || now <= 0 ? null : (bytes * asked) / now;
}
