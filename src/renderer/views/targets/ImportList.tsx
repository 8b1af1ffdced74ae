import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ListText } from '../../components/ListText.tsx';
import { useTypedPreview } from '../../components/useTypedPreview.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { Preview } from './Preview.tsx';
import { previewWords } from './preview.ts';
import { forgetAnswers, tellRefused } from './useTargetActions.tsx';
import { targetsText } from './words.ts';

/** A list as a file or as text: Vigie's own, a Prometheus configuration, or one for its file_sd. */
export function ImportList({ close }: { readonly close: () => void }) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const preview = useTypedPreview(text, [engine.base, 'targets', 'import'], (list) =>
    engine.api.targets.importList({ text: list, preview: true }),
  );
  const load = useMutation({
    mutationFn: () => engine.api.targets.importList({ text }),
    onSuccess: (result) => {
      const added = result.counts['added'] ?? 0;
      if (added > 0) notifications.show({ message: `Imported: ${targetsText(added, formatCount(added))}` });
      tellRefused(result);
      forgetAnswers(queries, engine);
      close();
    },
  });
  const { result } = preview;
  const adds = result ? previewWords(result).adds : 0;
  return (
    <Dialog title="Import targets" close={close}>
      <form
        className="v-fields"
        aria-label="Import targets"
        onSubmit={(event) => {
          event.preventDefault();
          if (adds > 0 && !load.isPending) load.mutate();
        }}
      >
        <ListText
          hint="A list that was exported here, a Prometheus configuration, or a file_sd file."
          label="The list"
          description="YAML or JSON"
          accept=".yml,.yaml,.json,text/yaml,application/json"
          value={text}
          error={preview.error ?? load.error?.message ?? null}
          onChange={(list, typed) => {
            if (typed) load.reset();
            setText(list);
          }}
        />
        <Preview
          result={result}
          asking={preview.asking}
          idle="What is in it is shown here first; nothing is added before you say so."
        />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={adds === 0} loading={load.isPending}>
            {adds === 0 ? 'Import' : `Import ${formatCount(adds)}`}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
