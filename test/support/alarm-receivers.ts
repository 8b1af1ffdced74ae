/** Those whom alarms are told: Debian's Alertmanager and a mail server, both on loopback. The caller stops them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { z } from 'zod';
import { closedPort } from './bad-server.ts';
import { temporaryFolder } from './tmp.ts';
import { eventually } from './wait.ts';

const CONFIG = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n';

const Alerts = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: z.string(),
    endsAt: z.string(),
    status: z.object({ state: z.string() }),
  }),
);
type Alerts = z.infer<typeof Alerts>;

export interface Alertmanager {
  readonly base: string;
  /** Those that it holds active. */
  alerts(): Promise<Alerts>;
  stop(): Promise<void>;
}

/** It remembers nothing of an earlier one at that port. */
export async function startAlertmanager(at?: number): Promise<Alertmanager> {
  const port = at ?? (await closedPort());
  const folder = temporaryFolder();
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const base = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${base}/-/ready`)).ok, { timeout: 60_000 });
  return {
    base,
    alerts: async () => Alerts.parse(await (await fetch(`${base}/api/v2/alerts?active=true`)).json()),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

export interface MailServer {
  readonly port: number;
  /** Messages as they came, headers and all, oldest first. */
  readonly mails: readonly string[];
  stop(): Promise<void>;
}

/** Takes all mail, without TLS. */
export async function startMailServer(): Promise<MailServer> {
  const mails: string[] = [];
  const server = new SMTPServer({
    ...{ logger: false, authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true },
    onData(stream, _session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString('utf8'));
        callback(null, 'queued');
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
