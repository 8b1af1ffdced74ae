import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Dialog } from '../../components/Dialog.tsx';

interface SaveDialogProps {
  readonly title: string;
  readonly size: string;
  /** There is something to save, and it may be. */
  readonly ready: boolean;
  /** Says itself what did not work; true: it is saved. */
  readonly save: () => Promise<boolean>;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** A dialog with fields that are saved together. It closes when they are. */
export function SaveDialog({ title, size, ready, save, close, children }: SaveDialogProps) {
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    const done = await save();
    setBusy(false);
    if (done) close();
  };
  return (
    <Dialog title={title} close={close} size={size}>
      <form
        className="v-fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void submit();
        }}
      >
        {children}
        <div className="v-ends">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button size="xs" type="submit" loading={busy} disabled={!ready}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
