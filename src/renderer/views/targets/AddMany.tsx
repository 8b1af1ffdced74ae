import { Button, Group, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTypedPreview } from '../../components/useTypedPreview.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { EMPTY_FORM, settingsOf } from './form.ts';
import type { TargetForm } from './form.ts';
import { Preview } from './Preview.tsx';
import { previewWords } from './preview.ts';
import { SettingsFields } from './SettingsFields.tsx';
import { forgetAnswers, tellRefused } from './useTargetActions.tsx';
import { targetsText } from './words.ts';

interface AddManyProps {
  readonly text: string;
  readonly close: () => void;
}

/** Node sets and addresses, what they expand to, and a button. */
export function AddMany({ text: given, close }: AddManyProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [text, setText] = useState(given);
  const [form, setForm] = useState<TargetForm>(EMPTY_FORM);
  const { settings, errors } = settingsOf(form);
  const preview = useTypedPreview(text, [engine.base, 'targets', 'expansion'], (targets) =>
    engine.api.targets.bulk({ action: 'add', targets, preview: true }),
  );
  const add = useMutation({
    mutationFn: () => engine.api.targets.bulk({ action: 'add', targets: text, ...settings }),
    onSuccess: (result) => {
      const added = result.counts['added'] ?? 0;
      if (added > 0) notifications.show({ message: `Added: ${targetsText(added, formatCount(added))}` });
      tellRefused(result);
      forgetAnswers(queries, engine);
      close();
    },
  });
  const { result } = preview;
  const adds = result ? previewWords(result).adds : 0;
  return (
    <Dialog title="Add many targets" close={close}>
      <form
        className="v-fields"
        aria-label="Add many targets"
        onSubmit={(event) => {
          event.preventDefault();
          if (adds > 0 && settings && !add.isPending) add.mutate();
        }}
      >
        <Textarea
          size="sm"
          label="Node sets and addresses"
          description="one a line, or separated by blanks"
          placeholder={'node[001-128,130]:9100\nhttp://login1:9100/metrics'}
          data-autofocus
          autosize
          minRows={3}
          maxRows={10}
          spellCheck={false}
          value={text}
          error={preview.error ?? add.error?.message ?? null}
          onChange={(event) => {
            add.reset();
            setText(event.currentTarget.value);
          }}
        />
        <Preview result={result} asking={preview.asking} idle="What this expands to is shown here while you type." />
        <details className="v-details">
          <summary>Period, labels, filter, access of all of them</summary>
          <SettingsFields
            form={form}
            errors={errors}
            onChange={(part) => setForm((old) => ({ ...old, ...part }))}
            probe={null}
          />
        </details>
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={adds === 0 || settings === null} loading={add.isPending}>
            {adds === 0 ? 'Add' : `Add ${formatCount(adds)}`}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
