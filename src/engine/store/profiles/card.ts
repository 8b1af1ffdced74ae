/** What lists of profiles show, search and sort by, the same in every store. */

import {
  REGRESSION_RATIO,
  SHORT_NOTE,
  UNKNOWN_EXITS,
  type Exits,
  type Profile,
  type ProfileSummary,
  type Regression,
} from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { exitsOf } from '../../../shared/profiles/exits.ts';
import { fold, TEXT_KEYWORDS, type SearchTerm, type SearchTest } from '../../../shared/profiles/search.ts';
import { engineOf } from '../run-list.ts';

/** What a list tells of a profile beside its run. */
export interface About {
  readonly user: string;
  readonly exits: Exits;
}

export const NOT_TOLD: About = { user: '', exits: UNKNOWN_EXITS };

/** What people said of a profile. */
export interface Marks {
  readonly tags: readonly string[];
  readonly note: string;
  readonly baseline: boolean;
  /** In the trash since, ms since the epoch. */
  readonly deleted: number | null;
}

export const NO_MARKS: Marks = { tags: [], note: '', baseline: false, deleted: null };

/** For sorting and for what it is compared with. */
export interface CardNumbers {
  readonly start: number;
  /** ms; -1: not known. */
  readonly duration: number;
  readonly size: number;
  /** How far its exit codes say so. */
  readonly failed: boolean;
  /** Finished, not failed, of a known duration: others can be held against it. */
  readonly usable: boolean;
}

export const aboutOf = (profile: Profile): About => ({
  user: profile.user ?? '',
  exits: profile.exits ? { outcome: profile.exits.outcome, codes: profile.exits.codes } : exitsOf(profile.series),
});

export function numbersOf(run: Run, { exits }: About): CardNumbers {
  const { start_time: start, end_time: end, size, state } = run;
  const duration = start > 0 && end >= start ? end - start : -1;
  const failed = exits.outcome === 'failed';
  return { start, duration, size, failed, usable: state === 'finished' && !failed && duration > 0 };
}

/** By which commands are sorted. */
export const commandKey = (command: string): string => fold(command).slice(0, 120).toWellFormed();

/** Of one field as much is searched, UTF-16 code units. */
const MAX_FIELD = 16_384;
const FIELD = '\u001f';
const TAG = '\u001e';

/** All that is searched, field by field in the order of TEXT_KEYWORDS; a match lies within one field. */
export function searchable(run: Run, { user }: About, { tags, note }: Marks): string {
  const nodes = [run.nodelist, ...run.nodes].join(' ');
  const fields = { user, cmd: run.command, node: nodes, tag: tags.join(TAG), cluster: run.cluster };
  const all: Record<(typeof TEXT_KEYWORDS)[number], string> = {
    ...fields,
    ...{ partition: run.partition, job: run.jobid, note },
  };
  const clean = (name: keyof typeof all): string => {
    const text = all[name].slice(0, MAX_FIELD).replaceAll(FIELD, ' ');
    return fold(name === 'tag' ? text : text.replaceAll(TAG, ' '));
  };
  return TEXT_KEYWORDS.map(clean).join(FIELD);
}

export interface Searched {
  readonly state: string;
  readonly failed: boolean;
  readonly start: number;
  readonly duration: number;
  readonly size: number;
  /** Of {@link searchable}. */
  readonly text: string;
}

/** Whether all terms are met. */
export function matches(terms: readonly SearchTerm[], card: Searched): boolean {
  let fields: readonly string[] | null = null;
  return terms.every(({ test, negated }) => {
    if ('low' in test || test.field === 'state') return meets(test, card) !== negated;
    fields ??= card.text.split(FIELD);
    return hasText(test, fields) !== negated;
  });
}

type TextTest = Extract<SearchTest, { field: 'text' | (typeof TEXT_KEYWORDS)[number] }>;

function hasText({ field, value }: TextTest, fields: readonly string[]): boolean {
  if (field === 'text') return fields.some((text) => text.includes(value));
  const text = fields[TEXT_KEYWORDS.indexOf(field)] ?? '';
  return field === 'tag' ? text.split(TAG).includes(value) : text.includes(value);
}

function meets(test: Exclude<SearchTest, TextTest>, card: Searched): boolean {
  if (test.field === 'state') {
    if (test.value === 'failed') return card.failed;
    return test.value === 'ok' ? card.state === 'finished' && !card.failed : card.state === test.value;
  }
  const value = card[test.field];
  // What is not known is neither short nor long.
  if (value < 0 || (test.field === 'start' && value === 0)) return false;
  return value >= test.low && value <= test.high;
}

/** Texts that every match has somewhere: most others are told by them alone. */
export const wantedTexts = (terms: readonly SearchTerm[]): string[] =>
  terms.flatMap(({ test, negated }) => (negated || 'low' in test || test.field === 'state' ? [] : [test.value]));

/** What a run is held against. */
export interface Reference {
  readonly against: Regression['against'];
  readonly duration: number;
  readonly run: string | null;
}

/** Null: it is no regression. */
export function regressionOf({ duration, usable }: CardNumbers, to: Reference | null): Regression | null {
  if (!to || !usable || to.duration <= 0 || duration < REGRESSION_RATIO * to.duration) return null;
  return { metric: 'duration', ratio: duration / to.duration, against: to.against, duration: to.duration, run: to.run };
}

export interface SummaryParts {
  readonly run: Run;
  readonly about: About;
  readonly marks: Marks;
  readonly group: string;
  readonly pinned: boolean;
  readonly regression: Regression | null;
}

export function summaryOf({ run, about, marks, group, pinned, regression }: SummaryParts): ProfileSummary {
  const { duration } = numbersOf(run, about);
  return {
    ...run,
    duration: duration < 0 ? null : duration,
    user: about.user,
    tags: [...marks.tags],
    note: marks.note.slice(0, SHORT_NOTE).toWellFormed(),
    pinned,
    baseline: marks.baseline,
    group,
    deleted: marks.deleted,
    exit: about.exits,
    engine: engineOf(run.id) || null,
    regression,
  };
}
