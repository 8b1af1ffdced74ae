import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Failure, useTitle } from '../../components/Message.tsx';
import { useConnection } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { Audit } from './Audit.tsx';
import { Card } from '../../components/Card.tsx';
import { EngineFacts, Limits } from './EngineFacts.tsx';
import { Keeps } from './Keeps.tsx';
import { RemoteWrite } from './RemoteWrite.tsx';
import { Retention } from './Retention.tsx';
import { Tokens } from './Tokens.tsx';
import { useMayControl } from '../../state/mayControl.ts';

/** The engine as it was started, who may use it and who changed what, and how the page looks. */
export function SettingsView() {
  useTitle('Settings');
  const engine = useEngine();
  const live = useConnection((s) => s.status);
  const asked = useQuery({
    queryKey: [engine.base, 'status'],
    queryFn: ({ signal }) => engine.api.status(signal),
    enabled: live === null,
  });
  const access = useMayControl();
  const status = live ?? asked.data;
  const error = asked.error ?? access.error;
  if (error && (!status || !access.known)) {
    return (
      <Failure
        error={error}
        retry={() => {
          void asked.refetch();
          access.retry();
        }}
      />
    );
  }
  if (!status || !access.known) return <div className="v-skeletons" role="status" aria-label="Loading the settings" />;
  return (
    <>
      <div className="v-toolbar">
        <h1>Settings</h1>
        <span className="v-muted">
          of the engine on <bdi>{status.engine.host}</bdi>
        </span>
      </div>
      <div className="v-settings">
        <Card title="Theme">
          <Theme />
        </Card>
        <EngineFacts status={status} />
        <Limits status={status} />
        <Tokens access={access} />
        <Retention retention={status.retention} stored={status.store.kind === 'sqlite'} access={access} />
        {status.store.kind === 'sqlite' ? <Keeps access={access} /> : null}
        <RemoteWrite destinations={status.remote_write} />
        <Audit access={access} />
      </div>
    </>
  );
}

const SCHEMES = [
  { value: 'auto', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Theme"
      style={{ alignSelf: 'flex-start' }}
      data={[...SCHEMES]}
      value={colorScheme}
      onChange={setColorScheme}
    />
  );
}
