import { Button } from '@mantine/core';
import { Command } from '../../../components/Copy.tsx';
import { pushCommand } from '../../../format/shell.ts';
import { useConnection } from '../../../state/connection.ts';
import type { ListQuery } from './listQuery.ts';

/** No run has ended yet: how to make one, and where others come from. Null: this page may import nothing. */
export function NoProfiles({ onImport }: { readonly onImport: (() => void) | null }) {
  const socket = useConnection((s) => s.status?.engine.socket ?? null);
  const memory = useConnection((s) => s.status?.store.kind === 'memory');
  return (
    <section className="v-message v-teach" aria-labelledby="no-profiles">
      <h2 id="no-profiles">No profile yet</h2>
      <p>
        Each run leaves one when it ends: what ran, where, how long, how it ended, and all its numbers, per rank and
        over time. Runs of one command stand together, so that a slower one is seen. This makes a run that ends in ten
        seconds:
      </p>
      <Command name="the command" text={pushCommand(socket, '--job demo --every 1s --count 10 steps=1')} />
      {memory ? <p>This engine keeps nothing on disk: its profiles go when it ends.</p> : null}
      <p>Profiles of another engine, and those of the ADMIRE metric proxy, can be brought in:</p>
      {onImport === null ? null : (
        <Button size="xs" variant="default" onClick={onImport}>
          Import…
        </Button>
      )}
      <Command name="the import command" text="./bin/vigie import ~/.proxyprofiles" />
    </section>
  );
}

/** A list without rows because of what was asked for. */
export function NothingFound({ query, onAll }: { readonly query: ListQuery; readonly onAll: () => void }) {
  return (
    <>
      <p>{query.search === '' ? 'There is no run of this command any more.' : 'No run matches.'}</p>
      <Button size="xs" variant="default" onClick={onAll}>
        Show all
      </Button>
    </>
  );
}
