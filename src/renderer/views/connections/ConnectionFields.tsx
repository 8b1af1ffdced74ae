import { Autocomplete, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import type { EngineAddress } from '../../../shared/api/connections.ts';
import type { ConnectionForm, FormErrors } from './form.ts';

const KINDS: Readonly<Record<EngineAddress['kind'], string>> = {
  auto: 'look for it: my own engine over there',
  socket: 'on a Unix socket that I name',
  port: 'on a port that I name',
  none: 'none: only forwards and targets',
};

interface FieldsProps {
  readonly form: ConnectionForm;
  readonly errors: FormErrors;
  /** Groups that there are. */
  readonly groups: readonly string[];
  readonly onChange: (part: Partial<ConnectionForm>) => void;
}

/** What a connection is called, where it stands, and what is done with the engine over there. */
export function ConnectionFields({ form, errors, groups, onChange }: FieldsProps) {
  return (
    <div className="v-fields">
      <div className="v-pair">
        <TextInput
          size="xs"
          label="Name"
          description="what it is called here; the host if it is left empty"
          maxLength={128}
          autoComplete="off"
          value={form.name}
          error={errors.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        <Autocomplete
          size="xs"
          label="Group"
          description="a heading in the list, such as a site"
          maxLength={128}
          autoComplete="off"
          data={[...groups]}
          value={form.group}
          error={errors.group}
          onChange={(group) => onChange({ group })}
        />
      </div>
      <Checkbox
        size="xs"
        label="Connect by itself when this engine starts"
        description="what a login asks is then asked as soon as a page is open"
        checked={form.auto}
        onChange={(event) => onChange({ auto: event.currentTarget.checked })}
      />
      <NativeSelect
        size="xs"
        label="Engine over there"
        value={form.kind}
        onChange={(event) => onChange({ kind: event.currentTarget.value as EngineAddress['kind'] })}
        data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
      />
      {form.kind === 'socket' ? (
        <TextInput
          size="xs"
          label="Its socket"
          description="the whole path over there"
          placeholder="/tmp/vigie-1000/engine.socket"
          spellCheck={false}
          autoComplete="off"
          maxLength={1024}
          value={form.path}
          error={errors.path}
          onChange={(event) => onChange({ path: event.currentTarget.value })}
        />
      ) : null}
      {form.kind === 'port' ? (
        <>
          <div className="v-pair">
            <TextInput
              size="xs"
              label="Its host, seen from over there"
              spellCheck={false}
              autoComplete="off"
              maxLength={255}
              value={form.farHost}
              error={errors.farHost}
              onChange={(event) => onChange({ farHost: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              label="Its port"
              inputMode="numeric"
              autoComplete="off"
              maxLength={6}
              value={form.farPort}
              error={errors.farPort}
              onChange={(event) => onChange({ farPort: event.currentTarget.value })}
            />
          </div>
          <TextInput
            size="xs"
            label="File with its token, over there"
            description="looked for if it is left empty"
            spellCheck={false}
            autoComplete="off"
            maxLength={1024}
            value={form.tokenFile}
            onChange={(event) => onChange({ tokenFile: event.currentTarget.value })}
          />
        </>
      ) : null}
      {form.kind === 'none' ? null : (
        <Checkbox
          size="xs"
          label="Bring its finished profiles here"
          description="they stay, and can be read while the cluster is away"
          checked={form.sync}
          onChange={(event) => onChange({ sync: event.currentTarget.checked })}
        />
      )}
    </div>
  );
}
