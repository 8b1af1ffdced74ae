import { useMemo } from 'react';
import type { Compared } from '../../../../shared/api/profile-compare.ts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { engineNow } from '../../../state/connection.ts';
import { useUrlQuery } from '../../../state/query.ts';
import type { RankedBy } from './model.ts';
import { DURATION, furthest, measureOf, runLabels, slowest } from './model.ts';
import type { Measure } from './model.ts';

/** What the parts of a comparison share: the answer, and what of it is looked at. */
export interface Comparison {
  readonly compared: Compared;
  /** Place of the baseline among the runs. */
  readonly base: number;
  /** Place of the run that is looked at beside the baseline; null: there is none. */
  readonly focus: number | null;
  readonly measure: Measure;
  readonly by: RankedBy;
  readonly label: (run: Pick<ProfileSummary, 'id'>) => string;
  readonly set: (change: Record<string, string | null>) => void;
}

export function useComparison(compared: Compared): Comparison {
  const [params, setParams] = useUrlQuery();
  const { runs, baseline } = compared;
  const labels = useMemo(() => runLabels(runs, engineNow()), [runs]);
  const base = runs.findIndex(({ id }) => id === baseline);
  const measure = useMemo(() => measureOf(compared, params.get('m') ?? DURATION, engineNow()), [compared, params]);
  const asked = runs.findIndex(({ id }) => id === params.get('run'));
  const focus = useMemo(() => {
    if (asked >= 0 && asked !== base) return asked;
    return (measure.series ? furthest(measure.series, base) : null) ?? slowest(runs, base);
  }, [asked, base, measure, runs]);
  return {
    compared,
    base,
    focus,
    measure,
    by: params.get('by') === 'relative' ? 'relative' : 'share',
    label: ({ id }) => labels.get(id) ?? id,
    set: setParams,
  };
}
