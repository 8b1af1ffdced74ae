import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { Prompt } from '../../../../shared/api/connections.ts';
import type { Answering } from './PromptBody.tsx';
import { Said } from './Said.tsx';

/**
 * Fields for what is typed. They keep it themselves: it is in no state of this page, is read when it is sent, and is
 * wiped when the dialog goes.
 */
export function Answers({ prompt, busy, answer, cancel, typed, left }: Answering) {
  const inputs = useRef<(HTMLInputElement | null)[]>([]);
  const [keeps, setKeeps] = useState(false);
  const { kind, hop, text, fields, keep } = prompt;
  const isHosts = kind === 'keyboard-interactive';
  useEffect(() => {
    const list = inputs.current;
    typed.current = () => list.some((input) => input !== null && input.value !== '');
    list[0]?.focus();
    return () => {
      for (const input of list) if (input) input.value = '';
    };
  }, [typed]);
  const list = fields.map(({ label, echo }, i) => (
    <Field
      // oxlint-disable-next-line react/no-array-index-key -- two may be called the same
      key={i}
      label={label.trim() === '' ? 'Answer' : label}
      echo={echo}
      first={i === 0}
      hold={(input) => {
        inputs.current[i] = input;
      }}
    />
  ));
  return (
    <form
      className="v-fields"
      aria-label={prompt.title}
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        const answers = fields.map((_, i) => inputs.current[i]?.value ?? '');
        answer({ action: 'answer', answers, ...(keep && keeps ? { keep: true } : {}) });
      }}
    >
      {isHosts ? (
        <Said by={`What ${hop} says and asks`} text={text}>
          <div className="v-fields">{list}</div>
        </Said>
      ) : (
        <>
          {text === '' ? null : <Said by={`What ${hop} says`} text={text} />}
          {list}
        </>
      )}
      {keep ? <Keep keep={keep} kind={kind} value={keeps} onChange={setKeeps} /> : null}
      <div className="v-prompt-foot">
        {left}
        <Button size="xs" variant="default" onClick={cancel}>
          Cancel
        </Button>
        <Button type="submit" size="xs" loading={busy}>
          {kind === 'passphrase' ? 'Unlock' : 'Log in'}
        </Button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly echo: boolean;
  readonly first: boolean;
  readonly hold: (input: HTMLInputElement | null) => void;
}

/** What browsers and their helpers do not remember. */
const FORGOTTEN = {
  autoComplete: 'off',
  autoCorrect: 'off',
  autoCapitalize: 'none',
  spellCheck: false,
  maxLength: 16_384,
  'data-1p-ignore': true,
  'data-lpignore': 'true',
  'data-form-type': 'other',
} as const;

function Field({ label, echo, first, hold }: FieldProps) {
  const [shown, setShown] = useState(false);
  if (echo) return <TextInput ref={hold} size="sm" label={label} data-autofocus={first || undefined} {...FORGOTTEN} />;
  return (
    <PasswordInput
      ref={hold}
      size="sm"
      label={label}
      data-autofocus={first || undefined}
      visible={shown}
      onVisibilityChange={setShown}
      visibilityToggleButtonProps={{ 'aria-label': shown ? 'Hide what is typed' : 'Show what is typed', tabIndex: 0 }}
      {...FORGOTTEN}
    />
  );
}

interface KeepProps {
  readonly keep: NonNullable<Prompt['keep']>;
  readonly kind: Prompt['kind'];
  readonly value: boolean;
  readonly onChange: (keeps: boolean) => void;
}

function Keep({ keep: { where, why }, kind, value, onChange }: KeepProps) {
  const what = kind === 'passphrase' ? 'passphrase' : 'password';
  return (
    <Checkbox
      size="xs"
      label={
        where === 'keyring' ? `Keep this ${what} in the desktop’s keyring` : `Keep this ${what} until the engine stops`
      }
      description={why ?? 'it is kept once the login has worked with it'}
      checked={value}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
