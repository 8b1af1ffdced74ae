import { Button, Group, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Dialog } from '../../components/Dialog.tsx';
import type { Target, TargetPatchInput } from '../../../shared/api/targets.ts';
import { useEngine } from '../../state/engine.ts';
import { formOf, patchOf, readForm } from './form.ts';
import type { TargetForm } from './form.ts';
import { SettingsFields } from './SettingsFields.tsx';
import { useProbe } from './useProbe.ts';
import { forgetAnswers } from './useTargetActions.tsx';
import { fixedReason, shortUrl } from './words.ts';

/** How a target lets the engine in, without its secret; null: it asks for nothing. */
const authText = ({ auth }: Target): string | null => {
  if (auth.kind === 'none') return null;
  if (auth.kind === 'bearer') return 'a token';
  return auth.kind === 'basic' ? `user ${auth.name} and a password` : `the token in ${auth.name}`;
};

interface SettingsFormProps {
  readonly target: Target;
  /** Why nothing may be changed; null: it may. */
  readonly refusal: string | null;
  readonly onSaved: (target: Target) => void;
  /** Stands beside the button that saves. */
  readonly close?: () => void;
}

/** A target's settings as fields; saved together. */
export function SettingsForm({ target, refusal, onSaved, close }: SettingsFormProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [form, setForm] = useState<TargetForm>(() => formOf(target));
  const why = refusal ?? fixedReason(target);
  const { request, errors } = readForm(form);
  const patch = patchOf(target, form);
  const probe = useProbe(request && why === null ? { ...request, id: target.id } : null);
  const save = useMutation({
    mutationFn: (change: TargetPatchInput) => engine.api.targets.patch(target.id, change),
    onSuccess: (next) => {
      engine.targets.put(next);
      forgetAnswers(queries, engine);
      setForm(formOf(next));
      notifications.show({ message: `Saved: ${shortUrl(next.url)}` });
      onSaved(next);
    },
  });
  return (
    <form
      className="v-fields"
      aria-label={`Settings of ${target.url}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (patch && why === null && !save.isPending) save.mutate(patch);
      }}
    >
      {why === null ? null : <p>{why}</p>}
      <TextInput
        size="xs"
        label="Address"
        description="another address is another target: what is known of the old one is not said of the new one"
        disabled={why !== null}
        maxLength={2048}
        spellCheck={false}
        value={form.url}
        error={errors.url ?? (form.url.trim() === '' ? 'an address is needed' : null)}
        onChange={(event) => {
          save.reset();
          const url = event.currentTarget.value;
          setForm((old) => ({ ...old, url }));
        }}
      />
      <SettingsFields
        form={form}
        errors={errors}
        onChange={(part) => {
          save.reset();
          setForm((old) => ({ ...old, ...part }));
        }}
        probe={why === null && request ? probe : null}
        disabled={why !== null}
        keeps={authText(target)}
      />
      {probe.result?.reason ? <p className="v-bad-text">With these settings: {probe.result.reason}</p> : null}
      {save.error ? (
        <p role="alert" className="v-bad-text">
          {save.error.message}
        </p>
      ) : null}
      <Group justify="flex-end" gap="xs">
        {close ? (
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
        ) : (
          <Button size="xs" variant="default" disabled={patch === null} onClick={() => setForm(formOf(target))}>
            As it was
          </Button>
        )}
        <Button type="submit" size="xs" disabled={patch === null || why !== null} loading={save.isPending}>
          Save
        </Button>
      </Group>
    </form>
  );
}

interface EditTargetProps {
  readonly target: Target;
  readonly close: () => void;
}

/** The settings over the table. */
export function EditTarget({ target, close }: EditTargetProps) {
  return (
    <Dialog title={`Edit ${shortUrl(target.url)}`} close={close}>
      <SettingsForm target={target} refusal={null} onSaved={close} close={close} />
    </Dialog>
  );
}
