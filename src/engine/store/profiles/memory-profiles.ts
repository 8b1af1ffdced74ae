/** Lists of profiles and what people say of them, of an engine that keeps everything in memory. */

import type { Compared, CompareRequest } from '../../../shared/api/profile-compare.ts';
import {
  TRASH_TIME,
  type GroupRule,
  type Profile,
  type ProfileChange,
  type ProfileGroup,
  type ProfileGroupList,
  type ProfileList,
  type ProfileMarks,
  type ProfilesChange,
  type ProfilesChanged,
  type ProfileSummary,
} from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import { Comparison } from '../../../shared/profiles/compare.ts';
import { figuresOf, type RunFigures } from '../../../shared/profiles/footprint.ts';
import type { SearchTerm } from '../../../shared/profiles/search.ts';
import { engineOf, isEnded } from '../run-list.ts';
import {
  commandKey,
  matches,
  NO_MARKS,
  numbersOf,
  regressionOf,
  searchable,
  summaryOf,
  type About,
  type CardNumbers,
  type Marks,
} from './card.ts';
import { changedTags, each, NO_PROFILE, TOO_MANY_TAGS } from './card-orders.ts';
import { whyNot } from './compare-reader.ts';
import { baselineFor, groupFigures, LOOKED_AT, USUAL_RUNS, usual, type GroupRun } from './group-figures.ts';
import { Normaliser } from './normalise.ts';
import { orderOf, placeOf, writeCursor } from './page-cursor.ts';
import {
  checkCursor,
  type CommandCount,
  type GroupsAsked,
  type ListAsked,
  type ProfileStore,
  type RulesState,
} from './profile-store.ts';

interface Kept {
  readonly run: Run;
  readonly number: number;
  readonly about: About;
}

export interface MemoryRuns {
  ended(): readonly Kept[];
  run(id: string): Kept | undefined;
  profile(id: string): Profile | null;
  remove(id: string): void;
}

interface Card extends CardNumbers {
  readonly kept: Kept;
  readonly id: string;
  readonly number: number;
  readonly group: string;
  readonly baseline: boolean;
  readonly marks: Marks;
}

const NO_PINS = 'this engine keeps everything in memory (--memory): nothing can be pinned';

export class MemoryProfiles implements ProfileStore {
  readonly #runs: MemoryRuns;
  readonly #marks = new Map<string, Marks>();
  #rules: readonly GroupRule[] | null = null;
  #normaliser = new Normaliser();
  /** By command: of many runs there are few. */
  readonly #groups = new Map<string, string>();

  constructor(runs: MemoryRuns) {
    this.#runs = runs;
  }

  /** What goes on is no longer in the trash: its end would be thrown away. */
  goesOn(id: string): void {
    const marks = this.#marks.get(id);
    if (marks && marks.deleted !== null) this.#marks.set(id, { ...marks, deleted: null });
  }

  isDeleted(id: string): boolean {
    return (this.#marks.get(id)?.deleted ?? null) !== null;
  }

  #card(kept: Kept): Card {
    const { run, number, about } = kept;
    const marks = this.#marks.get(run.id) ?? NO_MARKS;
    const { baseline } = marks;
    return { ...numbersOf(run, about), kept, id: run.id, number, group: this.#group(run.command), baseline, marks };
  }

  #group(command: string): string {
    let group = this.#groups.get(command);
    if (group === undefined) {
      if (this.#groups.size > 10_000) this.#groups.clear();
      this.#groups.set(command, (group = this.#normaliser.group(command)));
    }
    return group;
  }

  /** Newest first. */
  #cards(engine: string, terms: readonly SearchTerm[], trash = false): Card[] {
    return this.#runs
      .ended()
      .filter(({ run }) => engine === 'all' || engineOf(run.id) === engine)
      .map((kept) => this.#card(kept))
      .filter(({ marks }) => (marks.deleted !== null) === trash)
      .filter(({ kept: { run, about }, marks, ...numbers }) => {
        const text = terms.length > 0 ? searchable(run, about, marks) : '';
        return matches(terms, { ...numbers, state: run.state, text });
      })
      .sort((a, b) => b.start - a.start || b.number - a.number);
  }

  async list(query: ListAsked): Promise<ProfileList> {
    checkCursor(query);
    const { sort, limit, terms, group } = query;
    const [order, place] = [orderOf(query), placeOf(query)];
    const all = this.#cards(query.engine ?? '', terms, query.trash === '1').filter(
      (card) => group === undefined || card.group === group,
    );
    const placed = all.map((card) => ({
      card,
      value: sort === 'command' ? commandKey(card.kept.run.command) : card[sort],
      last: card.number,
    }));
    const from = sorted(placed, order, place);
    const page = from.slice(0, limit);
    const end = page.at(-1);
    const more = from.length > page.length;
    return {
      runs: this.#summaries(page.map(({ card }) => card)),
      next: more && end ? writeCursor({ sort, order, value: end.value, last: end.last }) : null,
      total: terms.length === 0 || (!more && place === null) ? all.length : null,
    };
  }

  async groups(query: GroupsAsked): Promise<ProfileGroupList> {
    checkCursor(query);
    const { sort, limit, terms, engine = '' } = query;
    const [order, place] = [orderOf(query), placeOf(query)];
    const byGroup = Map.groupBy(this.#cards(engine, terms), ({ group }) => group);
    const placed = Array.from(byGroup, ([group, cards]) => {
      const failed = cards.filter((card) => card.failed).length;
      const values = { last: cards[0]!.start, runs: cards.length, failed, command: group };
      return { cards, failed, value: values[sort], last: group };
    });
    const from = sorted(placed, order, place);
    const page = from.slice(0, limit);
    const end = page.at(-1);
    const whole = terms.length === 0 ? byGroup : Map.groupBy(this.#cards(engine, []), ({ group }) => group);
    const lasts = this.#summaries(page.map(({ cards }) => cards[0]!));
    const groups = page.map(({ cards, failed, last: group }, i): ProfileGroup => {
      const all = whole.get(group) ?? [];
      const baseline = all.find((card) => card.baseline) ?? null;
      const last = lasts[i]!;
      const figures = groupFigures(group, all.slice(0, LOOKED_AT), baseline);
      return {
        group,
        command: last.command,
        runs: cards.length,
        failed,
        last,
        ...figures,
        baseline: baseline?.id ?? null,
      };
    });
    const next =
      end && from.length > page.length ? writeCursor({ sort, order, value: end.value, last: end.last }) : null;
    return { groups, next, total: placed.length };
  }

  /** Together: what they are held against is looked for once. */
  #summaries(cards: readonly Card[]): ProfileSummary[] {
    const keyOf = ({ id, group }: Card): string => `${engineOf(id)} ${group}`;
    const alike = cards.length === 0 ? new Map<string, Card[]>() : Map.groupBy(this.#cards('all', []), keyOf);
    return cards.map((card) => {
      const { kept, marks, group } = card;
      const { run, about } = kept;
      const regression = this.#regression(card, alike.get(keyOf(card)) ?? []);
      return summaryOf({ run: structuredClone(run), ...{ about, marks, group, pinned: false, regression } });
    });
  }

  /** `others`: those of its engine and group, newest first. */
  #regression(card: Card, others: readonly Card[]): ProfileSummary['regression'] {
    if (!card.usable || card.group === '') return null;
    const baseline: GroupRun | null = others.find((other) => other.baseline) ?? null;
    if (baseline?.id === card.id) return null;
    const before = others.filter(({ usable, size, start }) => usable && size === card.size && start < card.start);
    const usualTo = usual(before.slice(0, USUAL_RUNS).map(({ duration }) => duration));
    return regressionOf(card, baselineFor(card, baseline) ?? usualTo);
  }

  #kept(id: string): Kept | null {
    const kept = this.#runs.run(id);
    return kept && isEnded(kept.run.state) ? kept : null;
  }

  async summaries(ids: readonly string[]): Promise<(ProfileSummary | null)[]> {
    const cards = ids.map((id) => {
      const kept = this.#kept(id);
      return kept && this.#card(kept);
    });
    const found = this.#summaries(cards.filter((card) => card !== null));
    let next = 0;
    return cards.map((card) => (card ? found[next++]! : null));
  }

  async marks(id: string): Promise<ProfileMarks | null> {
    const [summary] = await this.summaries([id]);
    if (!summary) return null;
    const { tags, pinned, baseline, deleted, group, regression } = summary;
    return { tags, note: this.#marks.get(id)?.note ?? '', pinned, baseline, deleted, group, regression };
  }

  async commands(limit: number): Promise<CommandCount[]> {
    const counts = new Map<string, number>();
    for (const { kept } of this.#cards('all', []).slice(0, limit))
      counts.set(kept.run.command, (counts.get(kept.run.command) ?? 0) + 1);
    return Array.from(counts, ([command, runs]) => ({ command, runs }));
  }

  async figures(ids: readonly string[]): Promise<(RunFigures | null)[]> {
    return ids.map((id) => {
      const profile = this.#runs.profile(id);
      return profile && figuresOf(profile);
    });
  }

  async compare(request: CompareRequest): Promise<Compared> {
    const comparison = new Comparison(request.series ?? '');
    const missing: Compared['missing'] = [];
    const ids = [...new Set(request.runs)];
    const summaries = await this.summaries(ids);
    for (const [i, id] of ids.entries()) {
      const summary = summaries[i];
      const profile = this.#runs.profile(id);
      const why = whyNot(summary ?? null) ?? (profile ? null : 'its values cannot be read');
      if (why !== null) missing.push({ id, why });
      else comparison.add({ summary: summary!, versions: profile!.versions }, profile!.series);
    }
    return { ...comparison.finish(request.baseline, request.limit), missing };
  }

  async change(id: string, { tags, note, baseline, pinned }: ProfileChange): Promise<ProfileMarks | null> {
    const kept = this.#kept(id);
    if (!kept) return null;
    if (pinned === true) throw new ApiError('bad_request', NO_PINS);
    const marks = this.#marks.get(id) ?? NO_MARKS;
    const set = tags && changedTags([], tags, []);
    if (baseline === true) {
      const { group } = this.#card(kept);
      for (const card of this.#cards(engineOf(id), [])) {
        if (card.group === group && card.baseline) this.#marks.set(card.id, { ...card.marks, baseline: false });
      }
    }
    this.#marks.set(id, {
      ...marks,
      ...(set ? { tags: set } : {}),
      ...(note === undefined ? {} : { note: note.toWellFormed() }),
      ...(baseline === undefined ? {} : { baseline }),
    });
    return this.marks(id);
  }

  async changeMany({ ids, add_tags, remove_tags, pinned }: ProfilesChange): Promise<ProfilesChanged> {
    if (pinned === true) throw new ApiError('bad_request', NO_PINS);
    return each(ids, (id) => {
      if (!this.#kept(id)) return NO_PROFILE;
      const marks = this.#marks.get(id) ?? NO_MARKS;
      const tags = changedTags(marks.tags, add_tags, remove_tags);
      if (!tags) return TOO_MANY_TAGS;
      this.#marks.set(id, { ...marks, tags });
      return null;
    });
  }

  async trash(ids: readonly string[], deleted: number | null): Promise<ProfilesChanged> {
    if (deleted !== null) this.#purge(deleted);
    return each(ids, (id) => {
      if (!this.#kept(id)) return NO_PROFILE;
      const marks = this.#marks.get(id) ?? NO_MARKS;
      this.#marks.set(id, { ...marks, deleted: deleted === null ? null : (marks.deleted ?? deleted) });
      return null;
    });
  }

  /** What was deleted long ago, and marks of runs that are no longer kept. */
  #purge(now: number): void {
    for (const [id, { deleted }] of this.#marks) {
      if (deleted !== null && deleted < now - TRASH_TIME) this.#runs.remove(id);
      if (!this.#runs.run(id)) this.#marks.delete(id);
    }
  }

  async rules(): Promise<RulesState> {
    return { rules: this.#rules, regrouping: null };
  }

  async setRules(rules: readonly GroupRule[] | null): Promise<RulesState> {
    this.#rules = rules;
    this.#normaliser = new Normaliser(rules ?? undefined);
    this.#groups.clear();
    return this.rules();
  }
}

interface Placed {
  readonly value: string | number;
  readonly last: string | number;
}

/** In order, behind a place. */
function sorted<T extends Placed>(all: readonly T[], order: 'asc' | 'desc', after: Placed | null): T[] {
  const sign = order === 'asc' ? 1 : -1;
  const by = <V extends string | number>(a: V, b: V): number => (a < b ? -1 : a > b ? 1 : 0);
  const compare = (a: Placed, b: Placed): number => sign * (by(a.value, b.value) || by(a.last, b.last));
  return all.filter((one) => !after || compare(one, after) > 0).toSorted(compare);
}
