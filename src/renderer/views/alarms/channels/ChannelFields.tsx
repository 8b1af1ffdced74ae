import { NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core';
import type { ChangeEvent } from 'react';
import type { Channel } from '../../../../shared/api/channels.ts';
import { MAIL_PORTS } from './form.ts';
import type { ChannelField, ChannelForm, ReadChannel, Secret } from './form.ts';

interface FieldsProps {
  readonly form: ChannelForm;
  readonly errors: ReadChannel['errors'];
  readonly onChange: (part: Partial<ChannelForm>) => void;
  /** The channel that is changed. */
  readonly channel: Channel | null;
}

/** The settings of a kind of channel. */
export function ChannelFields(props: FieldsProps) {
  const { form, errors, onChange } = props;
  const field = (name: ChannelField) => ({
    size: 'xs' as const,
    value: form[name],
    error: errors[name] ?? null,
    autoComplete: 'off',
    spellCheck: false,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onChange({ [name]: event.currentTarget.value }),
  });
  switch (form.kind) {
    case 'desktop':
      return null;
    case 'email':
      return (
        <>
          <Textarea
            label="To"
            description="addresses, one a line"
            placeholder="ops@example.org"
            autosize
            minRows={1}
            maxRows={6}
            {...field('to')}
          />
          <div className="v-pair">
            <TextInput label="From" placeholder="vigie@example.org" {...field('from')} />
            <TextInput label="Mail server" placeholder="smtp.example.org" {...field('host')} />
            <NativeSelect
              size="xs"
              label="Encryption"
              value={form.security}
              onChange={({ currentTarget: { value } }) => {
                const security = value as ChannelForm['security'];
                const usual = Object.values(MAIL_PORTS).some((port) => port === form.port);
                onChange({ security, ...(usual ? { port: MAIL_PORTS[security] } : {}) });
              }}
              data={[
                { value: 'starttls', label: 'STARTTLS, or nothing is sent' },
                { value: 'tls', label: 'TLS from the first byte' },
                { value: 'none', label: 'none: only where the owner allows it' },
              ]}
            />
            <TextInput label="Port" inputMode="numeric" {...field('port')} />
            <TextInput label="User" description="empty: no login" {...field('username')} />
            <SecretField label="Password" name="password" typed="password" {...props} />
          </div>
          <details className="v-details">
            <summary>Certificates</summary>
            <TextInput
              label="File with certificates to trust"
              description="PEM, on the engine’s host"
              {...field('caFile')}
            />
          </details>
        </>
      );
    case 'webhook':
      return (
        <>
          <TextInput
            label="Address"
            description="it gets a POST with JSON"
            placeholder="https://example.org/hook"
            {...field('url')}
          />
          <div className="v-pair">
            <SecretField
              label="Key of the signature"
              description="HMAC-SHA256 of the body, sent as X-Vigie-Signature"
              name="hmac_key"
              typed="hmacKey"
              {...props}
            />
            <SecretField
              label="Token"
              description="sent as Authorization: Bearer"
              name="bearer"
              typed="bearer"
              {...props}
            />
          </div>
          <details className="v-details">
            <summary>Body and headers</summary>
            <div className="v-fields">
              <Textarea
                label="Body"
                description="JSON with {{value}}, {{scope}} and the like in its texts; empty: the usual one"
                autosize
                minRows={2}
                maxRows={12}
                classNames={{ input: 'v-code' }}
                {...field('body')}
              />
              <Textarea
                label="Headers"
                description="Name: value, one a line"
                autosize
                minRows={1}
                maxRows={6}
                {...field('headers')}
              />
            </div>
          </details>
        </>
      );
    case 'slack':
      return (
        <>
          <SecretField
            label="Address of the incoming webhook"
            description="whoever has it can write there, so it is never shown again"
            name="url"
            typed="secretUrl"
            {...props}
          />
          <TextInput
            label="Channel"
            description="empty: the one of the webhook"
            placeholder="#cluster"
            {...field('room')}
          />
        </>
      );
    case 'alertmanager':
      return (
        <>
          <TextInput
            label="Address"
            description="its base; the API version is 2"
            placeholder="http://localhost:9093"
            {...field('url')}
          />
          <div className="v-pair">
            <TextInput label="User" description="empty: no login" {...field('username')} />
            <SecretField label="Password" name="password" typed="password" {...props} />
          </div>
          <SecretField
            label="Token"
            description="sent as Authorization: Bearer"
            name="bearer"
            typed="bearer"
            {...props}
          />
        </>
      );
  }
}

interface SecretProps extends FieldsProps {
  readonly label: string;
  readonly description?: string;
  readonly name: Secret;
  readonly typed: 'password' | 'hmacKey' | 'bearer' | 'secretUrl';
}

/** What is written and never read: one that is set stays until another is typed or it is removed. */
function SecretField({ label, description, name, typed, form, errors, onChange, channel }: SecretProps) {
  const set = channel?.secrets.includes(name) ?? false;
  const cleared = form.cleared.includes(name);
  const state = !set ? '' : cleared ? 'will be removed' : 'is set; empty: stays as it is';
  const said = [description ?? '', state].filter((part) => part !== '').join('; ');
  return (
    <div>
      <PasswordInput
        size="xs"
        label={label}
        {...(said === '' ? {} : { description: said })}
        autoComplete="new-password"
        value={form[typed]}
        error={errors[typed] ?? null}
        onChange={(event) =>
          onChange({ [typed]: event.currentTarget.value, cleared: form.cleared.filter((one) => one !== name) })
        }
      />
      {set && form[typed] === '' ? (
        <button
          type="button"
          className="v-text-button"
          onClick={() =>
            onChange({ cleared: cleared ? form.cleared.filter((one) => one !== name) : [...form.cleared, name] })
          }
        >
          {cleared ? 'Keep it' : 'Remove it'}
        </button>
      ) : null}
    </div>
  );
}
