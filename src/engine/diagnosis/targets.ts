/** Whether what the engine pulls from answers. */

import type { Check } from '../../shared/api/diagnosis.ts';
import type { Status } from '../../shared/api/status.ts';
import { ok, warning } from './check.ts';
import type { Patient } from './patient.ts';

export const checkTargets = ({ status }: Patient): Check[] => (status?.targets ? [judgeTargets(status.targets)] : []);

export function judgeTargets(counts: NonNullable<Status['targets']>): Check {
  const { total, up, slow, down, refused, paused } = counts;
  const asked = total - paused;
  const bad = [
    ...(down > 0 ? [`${down} do not answer`] : []),
    ...(refused > 0 ? [`${refused} answer with what is not taken`] : []),
    ...(slow > 0 ? [`${slow} are slow`] : []),
  ];
  if (bad.length === 0) return ok('engine', 'targets', `${up} of ${asked} targets are up`);
  const advice = 'the page Targets, and GET /api/v1/targets, say of each what is wrong';
  return warning('engine', 'targets', `of ${asked} targets ${bad.join(', ')}`, advice);
}
