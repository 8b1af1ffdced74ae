import { Autocomplete, NativeSelect, SegmentedControl, TextInput, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Comparison, NoData, RuleScope } from '../../../../shared/api/alarms.ts';
import { SEVERITIES } from '../../../data/alarms.ts';
import { useEngine } from '../../../state/engine.ts';
import { SEVERITY_NAMES } from '../words.ts';
import type { MeasureKind, RuleErrors, RuleField, RuleForm } from './ruleForm.ts';

const WHERE: readonly (readonly [RuleScope['kind'], string])[] = [
  ['run', 'Jobs'],
  ['node', 'Nodes'],
  ['target', 'Targets'],
  ['merge', 'A sum'],
  ['all', 'Everything'],
];

const MEASURES: readonly (readonly [MeasureKind, string])[] = [
  ['value', 'its value'],
  ['rate', 'its growth per second'],
  ['increase', 'its increase over'],
  ['avg', 'its average over'],
  ['min', 'its lowest value over'],
  ['max', 'its highest value over'],
  ['ratio', 'its ratio to'],
  ['absent', 'that it is missing for'],
];

const OPERATORS: readonly (readonly [Comparison, string])[] = [
  ['>', '> above'],
  ['>=', '≥ at least'],
  ['<', '< below'],
  ['<=', '≤ at most'],
  ['=', '= exactly'],
  ['!=', '≠ anything but'],
];

const NO_DATA: readonly (readonly [NoData, string])[] = [
  ['keep', 'stay as it is'],
  ['state', 'show “no data”'],
  ['fire', 'fire'],
  ['ok', 'count as fine'],
];

interface RuleFieldsProps {
  readonly form: RuleForm;
  readonly errors: RuleErrors;
  readonly may: boolean;
  readonly onChange: (part: Partial<RuleForm>) => void;
}

const options = <T extends string>(list: readonly (readonly [T, string])[]): { value: T; label: string }[] =>
  list.map(([value, label]) => ({ value, label }));

/** Every field of a rule, in the order in which it is read. */
export function RuleFields({ form, errors, may, onChange }: RuleFieldsProps) {
  const text = (field: RuleField, label: string, extra: { placeholder?: string; description?: string } = {}) => (
    <TextInput
      size="xs"
      label={label}
      {...extra}
      autoComplete="off"
      spellCheck={false}
      disabled={!may}
      value={String(form[field])}
      error={errors[field]}
      onChange={(event) => onChange({ [field]: event.currentTarget.value })}
    />
  );
  const areas = (field: 'labels' | 'description', label: string, description: string) => (
    <Textarea
      size="xs"
      label={label}
      description={description}
      autosize
      minRows={2}
      maxRows={8}
      disabled={!may}
      value={form[field]}
      error={errors[field]}
      onChange={(event) => onChange({ [field]: event.currentTarget.value })}
    />
  );
  const absent = form.measure === 'absent';
  return (
    <div className="v-fields">
      {text('name', 'Name', { placeholder: 'Disk nearly full' })}
      <Fieldset title="What is watched">
        <div className="v-three">
          <NativeSelect
            size="xs"
            label="Where"
            disabled={!may}
            data={options(WHERE)}
            value={form.where}
            error={errors.where}
            onChange={(event) => onChange({ where: event.currentTarget.value as RuleForm['where'] })}
          />
          {form.where === 'run' ? (
            <>
              {text('jobid', 'Job id', { placeholder: 'any' })}
              {text('command', 'Command', { placeholder: 'any, such as *solver*' })}
              {text('user', 'User', { placeholder: 'any' })}
            </>
          ) : form.where === 'node' ? (
            text('node', 'Host', { placeholder: 'any, such as gpu*' })
          ) : form.where === 'target' ? (
            text('target', 'Address or label', { placeholder: 'any, such as rack=a1' })
          ) : form.where === 'merge' ? (
            text('merge', 'Sum', { placeholder: 'main, or Node: HOST' })
          ) : null}
        </div>
        <MetricField form={form} errors={errors} may={may} onChange={onChange} />
      </Fieldset>
      <Fieldset title="When it is wrong">
        <div className="v-three">
          <NativeSelect
            size="xs"
            label="Compare"
            disabled={!may}
            data={options(MEASURES)}
            value={form.measure}
            error={errors.measure}
            onChange={(event) => onChange({ measure: event.currentTarget.value as MeasureKind })}
          />
          {form.measure === 'ratio'
            ? text('to', 'Metric to divide by')
            : absent
              ? text('after', 'Missing for')
              : form.measure === 'value' || form.measure === 'rate'
                ? null
                : text('window', 'Window')}
          {absent ? null : (
            <>
              <NativeSelect
                size="xs"
                label="Is"
                disabled={!may}
                data={options(OPERATORS)}
                value={form.op}
                error={errors.op}
                onChange={(event) => onChange({ op: event.currentTarget.value as Comparison })}
              />
              {text('raise', 'Fires at', { placeholder: 'drag the line, or type' })}
              {form.op === '=' || form.op === '!=' ? null : text('clear', 'Ends at', { placeholder: 'the same' })}
            </>
          )}
          {text('for', 'For at least')}
        </div>
        <details className="v-details">
          <summary>How it ends, and what missing data means</summary>
          <div className="v-three">
            {text('keep', 'Keep firing for')}
            {absent ? null : (
              <>
                <NativeSelect
                  size="xs"
                  label="Without data"
                  disabled={!may}
                  data={options(NO_DATA)}
                  value={form.noData}
                  error={errors.noData}
                  onChange={(event) => onChange({ noData: event.currentTarget.value as NoData })}
                />
                {text('noDataAfter', 'after')}
              </>
            )}
          </div>
        </details>
      </Fieldset>
      <Fieldset title="How bad it is, and what to say">
        <SegmentedControl
          size="xs"
          aria-label="Severity"
          disabled={!may}
          data={[...SEVERITIES].reverse().map((value) => ({ value, label: SEVERITY_NAMES[value] }))}
          value={form.severity}
          onChange={(value) => onChange({ severity: value })}
        />
        {areas(
          'description',
          'Description',
          '{{value}}, {{threshold}}, {{place}}, {{metric}}, {{labels.NAME}} are filled in',
        )}
        <details className="v-details" open={errors.labels !== undefined || errors.link !== undefined || undefined}>
          <summary>Labels and a link</summary>
          <div className="v-fields">
            {areas('labels', 'Labels', 'name=value, one a line; routes and silences can match them')}
            {text('link', 'Link', { placeholder: 'https://… what to do about it' })}
          </div>
        </details>
      </Fieldset>
    </div>
  );
}

/** Names that are offered while one types. */
const OFFERED = 30;

/** The metric, with the names of those that the engine knows to choose from; one that it does not know is good, too. */
function MetricField({ form, errors, may, onChange }: RuleFieldsProps) {
  const engine = useEngine();
  const { data } = useQuery({
    queryKey: [engine.base, 'families'],
    queryFn: ({ signal }) => engine.api.families(signal),
    staleTime: 60_000,
  });
  return (
    <Autocomplete
      size="xs"
      label="Metric"
      placeholder='proxy_load1, or bytes{dir=~"i.*"}'
      spellCheck={false}
      disabled={!may}
      data={data?.names ?? []}
      limit={OFFERED}
      comboboxProps={{ withinPortal: false }}
      value={form.metric}
      error={errors.metric}
      onChange={(metric) => onChange({ metric })}
    />
  );
}

function Fieldset({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <fieldset className="v-fieldset">
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}
