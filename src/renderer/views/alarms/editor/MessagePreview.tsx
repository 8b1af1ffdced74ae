import { fillDescription } from '../../../../shared/alarms/template.ts';
import type { RuleSettings } from '../../../../shared/api/alarms.ts';
import { parseMetric } from '../../../../shared/model/metric.ts';
import type { PreviewAnswer } from '../../../data/alarmPreview.ts';
import { SeverityMark } from '../parts.tsx';
import { valueText } from '../words.ts';
import { BEYOND } from './ruleForm.ts';

interface MessagePreviewProps {
  readonly rule: RuleSettings;
  readonly answer: PreviewAnswer | null;
}

/** The message of the first series that is watched, with its last value, as it would be told. */
export function MessagePreview({ rule, answer }: MessagePreviewProps) {
  const first = answer?.series[0];
  const metric = first?.metric ?? rule.metric;
  const values = (rule.op === '<' || rule.op === '<=' ? first?.plot?.low : first?.plot?.high) ?? [];
  const value = values.findLast((one) => one !== null) ?? null;
  const place = first?.place ?? 'the place';
  const labels = { ...Object.fromEntries(metric === '' ? [] : parseMetric(metric).labels), ...rule.labels };
  const text = fillDescription(rule.description, {
    ...{ name: rule.name, severity: rule.severity, value, metric, place, labels },
    threshold: Math.abs(rule.raise) === BEYOND ? NaN : rule.raise,
    scope: first?.scope ?? '',
  });
  return (
    <section className="v-told" aria-label="The message">
      <p>
        <SeverityMark severity={rule.severity} />{' '}
        <b>
          <bdi>{rule.name}</bdi>
        </b>
        : <bdi>{place}</bdi>
        {rule.measure.kind === 'absent' ? null : ` = ${valueText(metric, value, rule.measure.kind)}`}
      </p>
      {text.trim() === '' ? null : (
        <p className="v-description">
          <bdi>{text}</bdi>
        </p>
      )}
      {rule.link === '' ? null : <p className="v-muted">{rule.link}</p>}
    </section>
  );
}
