import { Button, FileButton, Group, Modal, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { Preview } from './Preview.tsx';
import { previewWords } from './preview.ts';
import { forgetAnswers, tellRefused } from './useTargetActions.tsx';
import { targetsText } from './words.ts';

const TYPED_MS = 300;

/** A list as a file or as text: Vigie's own, a Prometheus configuration, or one for its file_sd. */
export function ImportList({ close }: { readonly close: () => void }) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text, TYPED_MS);
  const wanted = settled.trim() !== '';
  const preview = useQuery({
    queryKey: [engine.base, 'targets', 'import', settled],
    enabled: wanted,
    retry: false,
    staleTime: 5000,
    gcTime: 10_000,
    queryFn: () => engine.api.targets.importList({ text: settled, preview: true }),
  });
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
  const current = wanted && settled === text;
  const result = current ? preview.data : undefined;
  const adds = result ? previewWords(result).adds : 0;
  return (
    <Modal
      opened
      onClose={close}
      title="Import targets"
      size="lg"
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        className="v-fields"
        aria-label="Import targets"
        onSubmit={(event) => {
          event.preventDefault();
          if (adds > 0 && !load.isPending) load.mutate();
        }}
      >
        <div className="v-toolbar v-flush">
          <span className="v-muted">A list that was exported here, a Prometheus configuration, or a file_sd file.</span>
          <div className="v-spacer" />
          <FileButton
            accept=".yml,.yaml,.json,text/yaml,application/json"
            onChange={(file) => void file?.text().then(setText)}
          >
            {(props) => (
              <Button size="compact-xs" variant="default" {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
        </div>
        <Textarea
          size="xs"
          label="The list"
          description="YAML or JSON"
          data-autofocus
          autosize
          minRows={6}
          maxRows={14}
          spellCheck={false}
          classNames={{ input: 'v-code' }}
          value={text}
          error={(current ? preview.error?.message : null) ?? load.error?.message ?? null}
          onChange={(event) => {
            load.reset();
            setText(event.currentTarget.value);
          }}
        />
        <Preview
          result={result}
          asking={wanted && (preview.isFetching || !current)}
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
    </Modal>
  );
}
