import { Button, Group } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { NewConnectionInput } from '../../../shared/api/connections.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { groupsOf } from '../../data/connections.ts';
import { useConnectionsSnapshot } from '../../state/connections.ts';
import { useHome } from '../../state/engine.ts';
import { ConnectionFields } from './ConnectionFields.tsx';
import { EMPTY_FORM, hostError, readForm } from './form.ts';
import type { ConnectionForm } from './form.ts';
import { HostPicker } from './HostPicker.tsx';
import { connectionPath } from './words.ts';

/** A host, out of the list or typed, and a button: what a login asks comes as dialogs of its own. */
export function AddConnection({ close }: { readonly close: () => void }) {
  const { base, api, connections } = useHome();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const { rows } = useConnectionsSnapshot();
  const [host, setHost] = useState('');
  const [form, setForm] = useState<ConnectionForm>(EMPTY_FORM);
  const groups = useMemo(() => groupsOf(rows.values()), [rows]);
  const { request, errors } = readForm(form);
  const add = useMutation({
    mutationFn: (body: NewConnectionInput) => api.connections.add(body),
    onSuccess: (made) => {
      connections.put(made);
      void queries.invalidateQueries({ queryKey: [base, 'connections', 'hosts'] });
      close();
      navigate(connectionPath(made));
    },
  });
  const wrong = host.trim() === '' ? null : hostError(host);
  const ready = host.trim() !== '' && wrong === null && request !== null;
  const submit = (connect: boolean): void => {
    if (ready && request && !add.isPending) add.mutate({ host: host.trim(), ...request, connect });
  };
  return (
    <Dialog title="Add a connection" close={close}>
      <form
        className="v-fields"
        aria-label="Add a connection"
        onSubmit={(event) => {
          event.preventDefault();
          submit(true);
        }}
      >
        <HostPicker
          value={host}
          error={wrong ?? add.error?.message ?? null}
          onChange={(next) => {
            add.reset();
            setHost(next);
          }}
        />
        <details className="v-details">
          <summary>Name, group, engine over there</summary>
          <ConnectionFields
            form={form}
            errors={errors}
            groups={groups}
            onChange={(part) => {
              add.reset();
              setForm((old) => ({ ...old, ...part }));
            }}
          />
        </details>
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button size="xs" variant="default" disabled={!ready} onClick={() => submit(false)}>
            Add only
          </Button>
          <Button type="submit" size="xs" disabled={!ready} loading={add.isPending}>
            Add and connect
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
