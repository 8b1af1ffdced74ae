import { Button, Group, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Dialog } from '../../components/Dialog.tsx';
import type { NewTargetInput, Target } from '../../../shared/api/targets.ts';
import { sshHostOf } from '../../../shared/target-address.ts';
import { useEngine } from '../../state/engine.ts';
import { EMPTY_FORM, readForm } from './form.ts';
import type { TargetForm } from './form.ts';
import { Nearby } from './Nearby.tsx';
import { ProbeAnswer } from './ProbeAnswer.tsx';
import { SettingsFields } from './SettingsFields.tsx';
import { useProbe } from './useProbe.ts';
import type { ProbeState } from './useProbe.ts';
import { forgetAnswers } from './useTargetActions.tsx';
import { shortUrl } from './words.ts';

interface AddTargetProps {
  readonly close: () => void;
  /** Another way in: many at once. */
  readonly many: (text: string) => void;
}

/** An address, what is there while one types, and a button. */
export function AddTarget({ close, many }: AddTargetProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [form, setForm] = useState<TargetForm>(EMPTY_FORM);
  const change = (part: Partial<TargetForm>): void => {
    add.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  const { request, errors } = readForm(form);
  const probe = useProbe(request);
  const [waiting, setWaiting] = useState(false);
  const add = useMutation({
    mutationFn: (target: NewTargetInput) => engine.api.targets.add(target),
    onSuccess: (target: Target) => {
      engine.targets.put(target);
      forgetAnswers(queries, engine);
      const host = sshHostOf(target.url);
      const where = host === null ? '' : `, through the connection ${host}`;
      notifications.show({ message: `Added: ${shortUrl(target.url)}${where}` });
      close();
    },
  });
  const wrong = errors.url ?? add.error?.message ?? reasonOf(probe);
  const known = probe.result?.known ?? null;
  const ready = request !== null && !probe.asking && known === null;
  const submit = (): void => {
    if (request && ready && !add.isPending) add.mutate(found(request, probe));
  };
  // Enter before the answer: it is added as soon as it turns out to be good.
  useEffect(() => {
    if (!waiting || probe.asking) return;
    setWaiting(false);
    if (wrong === null) submit();
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the answer is what is waited for
  }, [waiting, probe.asking]);
  return (
    <Dialog title="Add a target" close={close}>
      <form
        className="v-fields"
        aria-label="Add a target"
        onSubmit={(event) => {
          event.preventDefault();
          if (probe.asking) setWaiting(true);
          else submit();
        }}
      >
        <TextInput
          size="sm"
          label="Address"
          description="HOST, HOST:PORT, a URL, unix:/PATH; ssh://LOGIN/ before any of them: behind that host"
          placeholder="node7:9100"
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          maxLength={2048}
          value={form.url}
          error={wrong}
          onChange={(event) => {
            setWaiting(false);
            change({ url: event.currentTarget.value });
          }}
        />
        {isNodeSet(form.url) ? (
          <Button size="compact-xs" variant="default" className="v-start" onClick={() => many(form.url)}>
            Add this node set
          </Button>
        ) : null}
        {form.url.trim() === '' ? (
          <Nearby onAdd={(target) => add.mutate(target)} busy={add.isPending} />
        ) : errors.url === undefined ? (
          <ProbeAnswer
            probe={probe}
            period={form.period}
            idle={request === null ? 'What is there is shown when the settings below are right.' : ''}
            onPin={(pin) => change({ pin })}
          />
        ) : null}
        <details className="v-details">
          <summary>Period, labels, filter, access</summary>
          <SettingsFields form={form} errors={errors} onChange={change} probe={request ? probe : null} />
        </details>
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={!ready} loading={add.isPending}>
            {ready && reasonOf(probe) !== null ? 'Add all the same' : 'Add'}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}

const isNodeSet = (url: string): boolean => /\[[\d,-]*[,-][\d,-]*\]/.test(url);

const reasonOf = ({ asking, result }: ProbeState): string | null => (asking ? null : (result?.reason ?? null));

/** Where and as what it was found, so that it need not be looked for again. */
const found = (request: NewTargetInput, { result }: ProbeState): NewTargetInput =>
  result && result.reason === null && result.type !== null && result.type !== 'system'
    ? { ...request, url: result.url, type: result.type }
    : request;
