/** The form that the editor begins with when it is opened from a plot. Pure functions. */

import { parseMetric } from '../../../../shared/model/metric.ts';
import { describeFamily } from '../../../../shared/model/naming.ts';
import { EMPTY_RULE, exactly } from './ruleForm.ts';
import type { RuleForm } from './ruleForm.ts';

/** What is known of a plot's scope. */
export interface PlotPlace {
  readonly scope: string;
  /** Of a run. */
  readonly jobid: string | null;
  /** Of a target. */
  readonly address: string | null;
}

/** A canonical key is a selector of its series: labels stand in both in the same way. */
export function formFromPlot(params: URLSearchParams, place: PlotPlace | null): RuleForm {
  const metric = params.get('metric') ?? '';
  const measure = params.get('measure') === 'rate' ? 'rate' : 'value';
  const form: RuleForm = { ...EMPTY_RULE, metric, measure, name: metric === '' ? '' : nameOf(metric) };
  if (place === null) return form;
  const [kind = '', ...rest] = place.scope.split('/');
  switch (kind) {
    case 'run':
    case 'rank':
      return { ...form, where: 'run', jobid: place.jobid === null ? '' : exactly(place.jobid) };
    case 'node':
      return { ...form, where: 'node', node: exactly(rest.join('/')) };
    case 'target':
      return { ...form, where: 'target', target: place.address === null ? '' : exactly(place.address) };
    default:
      return { ...form, where: 'all' };
  }
}

/** `Load · load 1`: a name to begin with. */
function nameOf(metric: string): string {
  const { family, labels } = parseMetric(metric);
  const { group, operation } = describeFamily(family);
  const values = labels.map(([, value]) => value).filter((value) => value !== '');
  return [...new Set([group, operation, ...values])].join(' · ').slice(0, 150);
}
