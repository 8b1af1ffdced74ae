import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMemo, useState } from 'react';
import { nodeScope } from '../../../shared/model/scope.ts';
import { bundleText } from '../../../shared/api/diagnosis.ts';
import { Icon } from '../../components/Icon.tsx';
import { download, fileStamp } from '../../components/download.ts';
import { Failure, useTitle } from '../../components/Message.tsx';
import { useEngine } from '../../state/engine.ts';
import { useOwnHost } from '../../state/ownHost.ts';
import { Checks } from './Checks.tsx';
import { Figures } from './Figures.tsx';

/** What is wrong, and the engine's own figures. */
export function DiagnosticsView() {
  useTitle('Diagnostics');
  const { host, error, retry } = useOwnHost();
  if (host === null) {
    if (error) return <Failure error={error} retry={retry} />;
    return <div className="v-skeletons" role="status" aria-label="Loading the diagnostics" />;
  }
  return <Diagnostics host={host} />;
}

function Diagnostics({ host }: { readonly host: string }) {
  const scope = nodeScope(host);
  const scopes = useMemo(() => [{ scope, label: host, live: true, series: [] }], [scope, host]);
  return (
    <div className="v-fill v-scroll">
      <header className="v-toolbar">
        <h1>
          Diagnostics of the engine on <bdi>{host}</bdi>
        </h1>
        <div className="v-spacer" />
        <BundleButton />
      </header>
      <div className="v-diagnostics">
        <Checks />
        <Figures scopes={scopes} />
      </div>
    </div>
  );
}

/** One file for those who help. */
function BundleButton() {
  const engine = useEngine();
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const bundle = await engine.api.bundle();
      await download(bundleText(bundle), 'application/json', `vigie-bundle-${fileStamp(bundle.time)}.json`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      notifications.show({ color: 'red', title: 'The bundle was not made', message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <span className="v-muted" id="bundle-what">
        State, checks, log and figures of the last hour; no names, no tokens.
      </span>
      <Button
        size="xs"
        variant="default"
        loading={busy}
        aria-describedby="bundle-what"
        leftSection={<Icon name="download" size={14} />}
        onClick={() => void save()}
      >
        Support bundle
      </Button>
    </>
  );
}
