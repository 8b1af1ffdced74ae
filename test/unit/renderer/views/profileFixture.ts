/** Profiles and comparisons as the engine tells them, for tests of what is shown. */

import type { Compared, ComparedSeries } from '../../../../src/shared/api/profile-compare.ts';
import { ProfileSummary } from '../../../../src/shared/api/profiles.ts';
import type { ProfileGroup } from '../../../../src/shared/api/profiles.ts';
import { describeFamily } from '../../../../src/shared/model/naming.ts';

const START = Date.UTC(2026, 10, 14, 8);

export const summaryOf = (id: string, over: Partial<ProfileSummary> = {}): ProfileSummary =>
  ProfileSummary.parse({
    ...{ id, scope: `run/${id}`, state: 'finished', jobid: `job-${id}`, command: './a.out', size: 8, nodelist: '' },
    ...{ partition: '', cluster: '', run_dir: '', start_time: START, end_time: START + 60_000, nodes: ['n1'] },
    ...{ ranks: 8, clients: 0, series: 2, headline: null, duration: 60_000, group: 'a.out' },
    ...over,
  });

export const groupOf = (group: string, over: Partial<ProfileGroup> = {}): ProfileGroup => ({
  ...{ group, command: `./${group}`, runs: 1, failed: 0, last: summaryOf('last'), durations: [], median: null },
  ...{ trend: null, baseline: null, regressions: 0 },
  ...over,
});

/** A series of seconds, unless its family says otherwise; its figures follow from its values. */
export function seriesOf(
  family: string,
  values: readonly (number | null)[],
  shares?: readonly number[],
): ComparedSeries {
  const [base, ...others] = values;
  const known = values.filter((value) => value !== null);
  const changes = others.map((value) => (value === null || !base ? 0 : (value - base) / base));
  const change = changes.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const differences = (shares ?? []).map((share) => share - (shares?.[0] ?? 0));
  return {
    ...{ key: family, kind: 'counter', family, labels: {}, doc: '', ...describeFamily(family) },
    values: [...values],
    ...{ min: Math.min(...known), avg: 0, max: Math.max(...known), median: 0, spread: null, change },
    share_of_time: shares ? [...shares] : null,
    share_change: shares ? differences.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0) : null,
    rank: Math.abs(change),
  };
}

/** The first run is the baseline. */
export const comparedOf = (runs: readonly ProfileSummary[], series: readonly ComparedSeries[]): Compared => ({
  ...{ runs: [...runs], baseline: runs[0]?.id ?? null, missing: [], series: [...series], total: series.length },
  ...{ differences: [], common: [] },
});
