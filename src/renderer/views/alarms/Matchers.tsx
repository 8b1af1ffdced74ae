import { ActionIcon, Autocomplete, Button, NativeSelect } from '@mantine/core';
import type { Matcher } from '../../../shared/api/silences.ts';
import { Icon } from '../../components/Icon.tsx';

interface MatchersProps {
  readonly matchers: readonly Matcher[];
  /** Labels and values that alarms have, to choose from. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly onChange: (matchers: Matcher[]) => void;
  readonly error?: string | null;
  /** There may be none: then everything matches. */
  readonly optional?: boolean;
  readonly disabled?: boolean;
}

const OPS = [
  { value: '=', label: 'is' },
  { value: '!=', label: 'is not' },
  { value: '=~', label: 'matches' },
  { value: '!~', label: 'does not match' },
];

/** Conditions on labels, each a line: a label, how, and a value out of those that there are. */
export function Matchers({ matchers, labels, onChange, error, optional = false, disabled = false }: MatchersProps) {
  const set = (index: number, part: Partial<Matcher>): void =>
    onChange(matchers.map((one, i) => (i === index ? { ...one, ...part } : one)));
  const unused = Object.keys(labels).find((label) => matchers.every((one) => one.label !== label)) ?? 'alarmname';
  return (
    <fieldset className="v-matchers">
      <legend>{optional ? 'Only alarms with' : 'Alarms with'}</legend>
      {matchers.map((matcher, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- two lines may be equal, and only their place tells them apart
        <div key={index} className="v-matcher" role="group" aria-label={`Condition ${index + 1}`}>
          <Autocomplete
            size="xs"
            aria-label="Label"
            placeholder="label"
            disabled={disabled}
            data={Object.keys(labels)}
            value={matcher.label}
            maxLength={128}
            comboboxProps={{ withinPortal: false }}
            onChange={(label) => set(index, { label })}
          />
          <NativeSelect
            size="xs"
            aria-label="How"
            disabled={disabled}
            data={OPS}
            value={matcher.op}
            onChange={(event) => set(index, { op: event.currentTarget.value as Matcher['op'] })}
          />
          <Autocomplete
            size="xs"
            aria-label="Value"
            placeholder={matcher.op.endsWith('~') ? 'pattern, such as node[1-4].*' : 'value'}
            disabled={disabled}
            data={[...new Set(labels[matcher.label] ?? [])].filter((value) => value !== '')}
            value={matcher.value}
            maxLength={1024}
            comboboxProps={{ withinPortal: false }}
            onChange={(value) => set(index, { value })}
          />
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            disabled={disabled || (!optional && matchers.length === 1)}
            aria-label={`Remove condition ${index + 1}`}
            onClick={() => onChange(matchers.filter((_, i) => i !== index))}
          >
            <Icon name="minus" />
          </ActionIcon>
        </div>
      ))}
      {error ? (
        <p role="alert" className="v-bad-text">
          {error}
        </p>
      ) : null}
      <Button
        size="compact-xs"
        variant="default"
        className="v-start"
        disabled={disabled}
        leftSection={<Icon name="plus" size={12} />}
        onClick={() => onChange([...matchers, { label: unused, op: '=', value: '' }])}
      >
        {matchers.length === 0 ? 'Add a condition' : 'And'}
      </Button>
    </fieldset>
  );
}
