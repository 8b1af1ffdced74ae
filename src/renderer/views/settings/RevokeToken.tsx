import { Button, Group } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Dialog } from '../../components/Dialog.tsx';
import type { TokenInfo } from '../../../shared/api/tokens.ts';
import { useEngine } from '../../state/engine.ts';

interface RevokeProps {
  readonly token: TokenInfo;
  /** This page uses it. */
  readonly self: boolean;
  readonly close: () => void;
  readonly onRevoked: () => void;
}

/** Asks before a token is revoked: there is no way back. */
export function RevokeToken({ token, self, close, onRevoked }: RevokeProps) {
  const engine = useEngine();
  const revoke = useMutation({ mutationFn: () => engine.api.revokeToken(token.name), onSuccess: onRevoked });
  return (
    <Dialog title={`Revoke the token “${token.name}”?`} close={close} size="md">
      <p>
        Whoever uses it is cut off at once, live views too. This cannot be undone: the same token never works again. To
        let them in again, add a new one and give it to them.
      </p>
      {self ? <p>This page uses it: you will be asked for another token.</p> : null}
      {revoke.error ? (
        <p role="alert" className="v-bad-text">
          {revoke.error.message}
        </p>
      ) : null}
      <Group justify="flex-end" mt="md" gap="xs">
        <Button size="xs" variant="default" onClick={close} data-autofocus>
          Keep it
        </Button>
        <Button size="xs" color="red.8" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke
        </Button>
      </Group>
    </Dialog>
  );
}
