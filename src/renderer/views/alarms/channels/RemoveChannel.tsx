import { Button, Group, Modal } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { notifications } from '@mantine/notifications';
import type { Channel } from '../../../../shared/api/channels.ts';
import { useEngine } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';

/** Asks before a channel is removed: its secrets are gone then, so there is no way back. */
export function RemoveChannel({ channel, close }: { readonly channel: Channel; readonly close: () => void }) {
  const engine = useEngine();
  const forget = useForget();
  const remove = useMutation({
    mutationFn: () => engine.api.channels.remove(channel.id),
    onSuccess: () => {
      notifications.show({ message: `Removed: ${channel.name}` });
      void forget();
      close();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={`Remove the channel “${channel.name}”?`}
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <p>
        Nobody is told through it any more, and its passwords and tokens are deleted, which cannot be undone. To stop it
        for a while, switch it off instead.
      </p>
      <Wrong error={remove.error} />
      <Group justify="flex-end" mt="md" gap="xs">
        <Button size="xs" variant="default" onClick={close} data-autofocus>
          Keep it
        </Button>
        <Button size="xs" color="red.8" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove
        </Button>
      </Group>
    </Modal>
  );
}
