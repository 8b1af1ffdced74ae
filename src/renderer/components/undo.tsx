import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';

/** Long enough to read it and to change one's mind. */
const CLOSE_MS = 10_000;

/** Says what was done, with a button that takes it back. `undo` never rejects. */
export function sayWithUndo(message: string, undo: () => Promise<void>): void {
  const id = notifications.show({
    autoClose: CLOSE_MS,
    closeButtonProps: { 'aria-label': 'Close' },
    message: (
      <span className="v-undo">
        <span>{message}</span>
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => {
            notifications.hide(id);
            void undo();
          }}
        >
          Undo
        </Button>
      </span>
    ),
  });
}

export function sayFailure(title: string, error: unknown): void {
  notifications.show({
    color: 'red',
    title,
    message: error instanceof Error ? error.message : String(error),
    closeButtonProps: { 'aria-label': 'Close' },
  });
}
