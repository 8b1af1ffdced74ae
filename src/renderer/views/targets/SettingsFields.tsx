import { NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core';
import type { ChangeEvent } from 'react';
import { formatCount } from '../../format/units.ts';
import type { AuthKind, Field, ReadForm, TargetForm } from './form.ts';
import type { ProbeState } from './useProbe.ts';

export interface FieldsProps {
  readonly form: TargetForm;
  readonly errors: ReadForm['errors'];
  readonly onChange: (change: Partial<TargetForm>) => void;
  /** For the live count of what a filter leaves; null: there is no one target to ask. */
  readonly probe: ProbeState | null;
  readonly disabled?: boolean;
  /** Of a target that has a secret already: it may stay. */
  readonly keeps?: string | null;
}

/** Period, labels, filter, merging, and how the target lets the engine in. */
export function SettingsFields(props: FieldsProps) {
  const { form, errors, onChange, probe, disabled = false } = props;
  const field = (name: Field) => ({
    size: 'xs' as const,
    disabled,
    value: form[name],
    error: errors[name] ?? null,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onChange({ [name]: event.currentTarget.value }),
  });
  return (
    <div className="v-fields">
      <div className="v-pair">
        <TextInput label="Period" description="250ms to 1h" {...field('period')} />
        <TextInput label="Timeout" description="of one scrape" {...field('timeout')} />
      </div>
      <Textarea
        label="Labels added to every series"
        description="name=value, one a line"
        autosize
        minRows={1}
        maxRows={6}
        placeholder="rack=r12"
        {...field('labels')}
      />
      <div className="v-pair">
        <Textarea
          label="Only these metrics"
          description="names with *, or /expressions/; empty: all"
          autosize
          minRows={1}
          maxRows={6}
          placeholder="node_*"
          {...field('include')}
        />
        <Textarea
          label="Without these metrics"
          description="what matches both is left out"
          autosize
          minRows={1}
          maxRows={6}
          placeholder="go_* /_bucket$/"
          {...field('exclude')}
        />
      </div>
      {probe ? (
        <p className="v-muted" role="status" aria-label="What the filter leaves">
          {stays(probe)}
        </p>
      ) : null}
      <Textarea
        label="How metrics join in sums over targets"
        description="metric=sum, last, max or min, one a line; gauges that are not named join by their mean"
        autosize
        minRows={1}
        maxRows={6}
        placeholder="node_load1=max"
        {...field('merge')}
      />
      <Access {...props} field={field} />
    </div>
  );
}

function stays({ asking, result }: ProbeState): string {
  if (asking) return 'Counting what stays…';
  if (result === null || result.reason !== null) return 'What stays can be told once the target answers.';
  return `${formatCount(result.kept)} of ${formatCount(result.series)} series stay.`;
}

interface AccessProps extends FieldsProps {
  readonly field: (name: Field) => {
    readonly size: 'xs';
    readonly disabled: boolean;
    readonly value: string;
    readonly error: string | null;
    readonly onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => void;
  };
}

function Access({ form, onChange, field, keeps = null, disabled = false }: AccessProps) {
  return (
    <>
      <NativeSelect
        size="xs"
        label="How it lets the engine in"
        disabled={disabled}
        value={form.auth}
        onChange={(event) => onChange({ auth: event.currentTarget.value as AuthKind })}
        data={[
          ...(keeps === null ? [] : [{ value: 'keep', label: `as it is: ${keeps}` }]),
          { value: 'none', label: 'it asks for nothing' },
          { value: 'basic', label: 'user and password' },
          { value: 'bearer', label: 'token' },
          { value: 'bearer_file', label: 'token in a file of the engine’s host' },
        ]}
      />
      {form.auth === 'basic' ? (
        <div className="v-pair">
          <TextInput label="User" autoComplete="off" {...field('username')} />
          <PasswordInput label="Password" autoComplete="new-password" {...field('password')} />
        </div>
      ) : null}
      {form.auth === 'bearer' ? (
        <PasswordInput
          label="Token"
          description="sent as Authorization: Bearer; never shown again"
          autoComplete="off"
          {...field('token')}
        />
      ) : null}
      {form.auth === 'bearer_file' ? <TextInput label="File with the token" {...field('tokenFile')} /> : null}
      <div className="v-pair">
        <TextInput
          label="File with certificates to trust"
          description="PEM, on the engine’s host; for https"
          {...field('caFile')}
        />
        <TextInput
          label="Or one certificate’s fingerprint"
          description="SHA-256, as the look at it tells"
          {...field('pin')}
        />
      </div>
    </>
  );
}
