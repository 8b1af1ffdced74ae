import { ActionIcon, Tooltip } from '@mantine/core';
import { useState } from 'react';
import type { Board } from '../../charts/board.ts';
import { Icon } from '../../components/Icon.tsx';
import { useKeeps } from '../../components/useKeeps.ts';
import { useMayControl } from '../../state/mayControl.ts';

interface KeepWindowProps {
  readonly board: Board;
  /** Scope whose samples are kept; null: all. */
  readonly scope: string | null;
  /** What is shown moves: there is no window to keep. */
  readonly moving: boolean;
}

const NAME = 'Keep this window at full detail';

/** Keeps what is shown at full detail, whatever its age. */
export function KeepWindow({ board, scope, moving }: KeepWindowProps) {
  const { add } = useKeeps();
  const { refusal } = useMayControl();
  const [busy, setBusy] = useState(false);
  const keep = async (): Promise<void> => {
    const { from, to } = board.shown();
    setBusy(true);
    const window = { kind: 'window', scope, from: Math.floor(from), to: Math.ceil(to), note: '' } as const;
    await add(window, 'This window is kept at full detail, whatever its age. Settings list what is kept.');
    setBusy(false);
  };
  return (
    <Tooltip
      label={refusal ?? (moving ? `${NAME}: pause, or zoom in first` : NAME)}
      withArrow
      multiline
      maw={320}
      openDelay={300}
    >
      <ActionIcon
        size={30}
        variant="default"
        aria-label={NAME}
        disabled={moving || refusal !== null}
        loading={busy}
        onClick={() => void keep()}
      >
        <Icon name="pin" size={14} />
      </ActionIcon>
    </Tooltip>
  );
}
