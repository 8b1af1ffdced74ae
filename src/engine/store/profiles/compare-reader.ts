/** Compares stored profiles. Of each only the head is parsed: what ranks have is most of it, and is not compared. */

import type Database from 'better-sqlite3';
import type { Compared, CompareRequest } from '../../../shared/api/profile-compare.ts';
import type { Profile, ProfileSummary } from '../../../shared/api/profiles.ts';
import { Comparison } from '../../../shared/profiles/compare.ts';

type Head = Pick<Profile, 'series' | 'versions'>;

export function* compareProfiles(
  db: Database.Database,
  cards: { summaries(ids: readonly string[]): (ProfileSummary | null)[] },
  request: CompareRequest,
): Generator<void, Compared> {
  const body = db.prepare('SELECT body FROM profile WHERE run = ?').pluck();
  const comparison = new Comparison(request.series ?? '');
  const missing: Compared['missing'] = [];
  for (const id of new Set(request.runs)) {
    const [summary] = cards.summaries([id]);
    const why = whyNot(summary ?? null);
    if (why !== null) {
      missing.push({ id, why });
      continue;
    }
    const bytes = body.get(id) as Uint8Array | undefined;
    const head = bytes && headOf(bytes);
    if (!head) missing.push({ id, why: 'its values cannot be read' });
    else comparison.add({ summary: summary!, versions: head.versions }, head.series);
    yield;
  }
  return { ...comparison.finish(request.baseline, request.limit), missing };
}

export function whyNot(summary: ProfileSummary | null): string | null {
  if (!summary) return 'no finished run has this id here; it may have been deleted';
  return summary.deleted === null ? null : 'it is in the trash';
}

/** As profiles are written: run, series, ranks, and the rest. Quotes within texts are escaped, so this is no text. */
const RANKS = Buffer.from(',"ranks":[');
const AFTER = Buffer.from('],"exits":{');

/** Null: it is none. */
export function headOf(bytes: Uint8Array): Head | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const series = buffer.indexOf(',"series":[');
    const ranks = series < 0 ? -1 : buffer.indexOf(RANKS, series);
    const after = ranks < 0 ? -1 : buffer.lastIndexOf(AFTER);
    if (ranks < 0) return JSON.parse(buffer.toString()) as Head;
    const head = JSON.parse(`{${buffer.toString('utf8', series + 1, ranks)}}`) as Pick<Head, 'series'>;
    // Behind the ranks, where there is something.
    const rest = after > ranks ? (JSON.parse(`{${buffer.toString('utf8', after + 2)}`) as Partial<Head>) : {};
    return { series: head.series, versions: rest.versions };
  } catch {
    return null;
  }
}
