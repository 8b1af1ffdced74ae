import { Button, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useKeeps } from '../../components/useKeeps.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { Icon } from '../../components/Icon.tsx';

/** Keeps a run at full detail, or lets it go with its age. Who may only look sees whether it is kept. */
export function PinRun({ run, jobid }: { readonly run: string; readonly jobid: string }) {
  const { keeps, add, remove } = useKeeps();
  const { refusal } = useMayControl();
  const [busy, setBusy] = useState(false);
  const pinned = keeps?.find(({ kind, scope }) => kind === 'run' && scope === `run/${run}`);
  const toggle = async (): Promise<void> => {
    setBusy(true);
    if (pinned) await remove(pinned, `${jobid} is kept no longer than its age allows.`);
    else await add({ kind: 'run', run, note: '' }, `${jobid} is kept at full detail, with its ranks and nodes.`);
    setBusy(false);
  };
  const label = pinned ? 'Kept at full detail whatever its age' : 'Keep at full detail whatever its age';
  return (
    <Tooltip label={refusal ?? label} withArrow multiline maw={320} openDelay={300}>
      <Button
        size="compact-xs"
        variant={pinned ? 'light' : 'subtle'}
        aria-pressed={pinned !== undefined}
        loading={busy}
        disabled={keeps === undefined || refusal !== null}
        leftSection={<Icon name="pin" size={12} />}
        onClick={() => void toggle()}
      >
        {pinned ? 'Pinned' : 'Pin'}
      </Button>
    </Tooltip>
  );
}
