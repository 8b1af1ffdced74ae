import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Connection, ConnectionPatch } from '../../../shared/api/connections.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { groupsOf } from '../../data/connections.ts';
import { useConnectionsSnapshot } from '../../state/connections.ts';
import { useHome } from '../../state/engine.ts';
import { ConnectionFields } from './ConnectionFields.tsx';
import { formOf, readForm } from './form.ts';
import type { ConnectionForm } from './form.ts';
import { Wrong } from './parts.tsx';

interface EditProps {
  readonly connection: Connection;
  readonly close: () => void;
}

/** A connection's settings; saved together. */
export function EditConnection({ connection, close }: EditProps) {
  const { api, connections } = useHome();
  const { rows } = useConnectionsSnapshot();
  const [form, setForm] = useState<ConnectionForm>(() => formOf(connection));
  const groups = useMemo(() => groupsOf(rows.values()), [rows]);
  const { request, errors } = readForm(form);
  const save = useMutation({
    mutationFn: (patch: ConnectionPatch) => api.connections.patch(connection.id, patch),
    onSuccess: (next) => {
      connections.put(next);
      notifications.show({ message: `Saved: ${next.name}` });
      close();
    },
  });
  return (
    <Dialog title={`Settings of ${connection.name}`} close={close}>
      <form
        className="v-fields"
        aria-label={`Settings of ${connection.name}`}
        onSubmit={(event) => {
          event.preventDefault();
          if (request && !save.isPending) save.mutate(request);
        }}
      >
        <p className="v-muted">
          Host <code>{connection.host}</code>. Where it leads, as whom and through which hops is in your ssh
          configuration.
        </p>
        <ConnectionFields
          form={form}
          errors={errors}
          groups={groups}
          onChange={(part) => {
            save.reset();
            setForm((old) => ({ ...old, ...part }));
          }}
        />
        <Wrong error={save.error} />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={request === null} loading={save.isPending}>
            Save
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
