import { Button } from '@mantine/core';
import { useNotifying } from '../../../state/notifying.ts';

/** Whether this page shows notifications, and how it may. */
export function AllowNotifications() {
  const { how, allow } = useNotifying();
  switch (how) {
    case 'desktop':
      return <p>This program shows them.</p>;
    case 'granted':
      return <p>This browser shows them while the page is open.</p>;
    case 'denied':
      return (
        <p>
          This browser was told not to show notifications of this page. Allow them beside the address, then load the
          page again.
        </p>
      );
    case 'default':
      return (
        <div className="v-toolbar v-flush">
          <p>This browser has not been asked yet whether it may show them.</p>
          <Button size="compact-xs" variant="default" onClick={allow}>
            Allow notifications
          </Button>
        </div>
      );
    case 'none':
      return (
        <p>
          This browser cannot show them for this address: open the page at localhost or over https, or use the desktop
          program.
        </p>
      );
  }
}
