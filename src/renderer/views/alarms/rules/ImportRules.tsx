import { Button, Checkbox, FileButton, Group, Modal, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RuleImportResult } from '../../../../shared/api/alarms.ts';
import { useEngine } from '../../../state/engine.ts';
import { useForget } from '../useAlarmData.ts';
import { rulesText } from '../words.ts';

const TYPED_MS = 300;
const SHOWN = 200;

type Outcome = RuleImportResult['items'][number]['outcome'];
const TONES: Readonly<Record<Outcome, string>> = { added: 'good', changed: 'warn', unchanged: 'calm', refused: 'bad' };

const count = (result: RuleImportResult, ...outcomes: Outcome[]): number =>
  result.items.filter(({ outcome }) => outcomes.includes(outcome)).length;

/** Rules as YAML, from a file or typed; what would come of it is shown first. */
export function ImportRules({ close }: { readonly close: () => void }) {
  const engine = useEngine();
  const forget = useForget();
  const [yaml, setYaml] = useState('');
  const [replace, setReplace] = useState(false);
  const [settled] = useDebouncedValue(yaml, TYPED_MS);
  const wanted = settled.trim() !== '';
  const preview = useQuery({
    queryKey: [engine.base, 'alarms', 'import', settled, replace],
    enabled: wanted,
    retry: false,
    staleTime: 5000,
    gcTime: 10_000,
    queryFn: () => engine.api.alarms.importRules({ yaml: settled, replace, dry_run: true }),
  });
  const load = useMutation({
    mutationFn: () => engine.api.alarms.importRules({ yaml, replace, dry_run: false }),
    onSuccess: (result) => {
      const refused = count(result, 'refused');
      notifications.show({
        message: `Imported: ${rulesText(count(result, 'added', 'changed'))}${refused > 0 ? `; ${refused} refused` : ''}`,
      });
      void forget();
      close();
    },
  });
  const current = wanted && settled === yaml;
  const result = current ? preview.data : undefined;
  const does = result ? count(result, 'added', 'changed') : 0;
  return (
    <Modal
      opened
      onClose={close}
      title="Import rules"
      size="lg"
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        className="v-fields"
        aria-label="Import rules"
        onSubmit={(event) => {
          event.preventDefault();
          if (does > 0 && !load.isPending) load.mutate();
        }}
      >
        <div className="v-toolbar v-flush">
          <span className="v-muted">Rules that were exported here, or written by hand.</span>
          <div className="v-spacer" />
          <FileButton accept=".yml,.yaml,text/yaml" onChange={(file) => void file?.text().then(setYaml)}>
            {(props) => (
              <Button size="compact-xs" variant="default" {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
        </div>
        <Textarea
          size="xs"
          label="The rules"
          description="YAML"
          data-autofocus
          autosize
          minRows={6}
          maxRows={14}
          spellCheck={false}
          classNames={{ input: 'v-code' }}
          value={yaml}
          error={(current ? preview.error?.message : null) ?? load.error?.message ?? null}
          onChange={(event) => {
            load.reset();
            setYaml(event.currentTarget.value);
          }}
        />
        <Checkbox
          size="xs"
          label="Change rules that have the same name"
          checked={replace}
          onChange={(event) => setReplace(event.currentTarget.checked)}
        />
        <ImportPreview result={result} asking={wanted && (preview.isFetching || !current)} />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={does === 0} loading={load.isPending}>
            {does === 0 ? 'Import' : `Import ${rulesText(does)}`}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

interface PreviewProps {
  readonly result: RuleImportResult | undefined;
  readonly asking: boolean;
}

function ImportPreview({ result, asking }: PreviewProps) {
  return (
    <div className="v-probe" role="status" aria-label="Preview">
      {result === undefined ? (
        <p className="v-muted">
          {asking ? 'Reading it…' : 'What is in it is shown here first; nothing changes before you say so.'}
        </p>
      ) : result.items.length === 0 ? (
        <p>There is no rule in it.</p>
      ) : (
        <ul className="v-hits">
          {result.items.slice(0, SHOWN).map(({ name, outcome, reason }, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- a name may stand there twice, and is refused then
            <li key={`${index} ${name}`}>
              <span className={`v-dot v-${TONES[outcome]}`} aria-hidden="true" /> <bdi>{name}</bdi>{' '}
              <span className={outcome === 'refused' ? 'v-bad-text' : 'v-muted'}>
                {outcome}
                {reason === null ? '' : `: ${reason}`}
              </span>
            </li>
          ))}
          {result.items.length > SHOWN ? <li className="v-muted">… {result.items.length - SHOWN} more</li> : null}
        </ul>
      )}
    </div>
  );
}
