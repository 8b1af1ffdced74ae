import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly size?: string;
  readonly children: ReactNode;
}

/** A dialog that is there as long as it is rendered. */
export function Dialog({ title, close, size = 'lg', children }: DialogProps) {
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={size}
      // A dialog's header is no second banner of the page.
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {children}
    </Modal>
  );
}
