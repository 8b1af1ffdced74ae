import { Command } from '../../components/Copy.tsx';
import { pushCommand } from '../../format/shell.ts';
import { useConnection } from '../../state/connection.ts';

/** No job yet: how to make the first one. */
export function NoJobs() {
  const socket = useConnection((s) => s.status?.engine.socket ?? null);
  const legacySocket = useConnection((s) => s.status?.engine.legacy_socket ?? null);
  return (
    <section className="v-message v-teach" aria-labelledby="no-jobs">
      <h2 id="no-jobs">No job yet</h2>
      <p>Push a number from a shell, and a job appears here within a second:</p>
      <Command name="the first command" text={pushCommand(socket, '--job demo steps=1')} />
      <p>For a line that moves, push once a second for a minute:</p>
      <Command name="the loop" text={pushCommand(socket, '--job demo --every 1s --count 60 steps=1')} />
      <p className="v-muted">
        Type them in Vigie’s folder, in which <code>./bin/vigie</code> is; from elsewhere, give its whole path.
      </p>
      {legacySocket === null ? (
        <p>The engine was started without the socket that clients of the ADMIRE metric proxy use.</p>
      ) : (
        <p>
          Any program that uses the client of the ADMIRE metric proxy appears by itself; it finds the engine at{' '}
          <code>{legacySocket}</code>.
        </p>
      )}
    </section>
  );
}
