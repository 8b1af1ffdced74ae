/** What targets are in tests of the page: a real node exporter, and a fleet of small servers on loopback. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { findProgram } from '../../scripts/lib/components.mjs';
import { freePort } from '../support/launch.ts';
import { eventually } from '../support/wait.ts';

export interface Exporter {
  /** `HOST:PORT`, as people type it. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Debian's node exporter on loopback. */
export async function startExporter(port?: number): Promise<Exporter> {
  const address = `127.0.0.1:${port ?? (await freePort())}`;
  const child: ChildProcess = spawn(findProgram('prometheus-node-exporter')!, [`--web.listen-address=${address}`], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await eventually(async () => (await fetch(`http://${address}/metrics`)).ok);
  return {
    address,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A node as an exporter tells it; its load is the last number of its address. */
const page = (load: number, seconds: number): string => `# TYPE node_load1 gauge
node_load1 ${load}
# TYPE node_memory_MemTotal_bytes gauge
node_memory_MemTotal_bytes 8e9
# TYPE node_memory_MemAvailable_bytes gauge
node_memory_MemAvailable_bytes 2e9
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} ${1000 + 0.75 * seconds}
node_cpu_seconds_total{cpu="0",mode="user"} ${1000 + 0.25 * seconds}
`;

export interface Fleet {
  readonly port: number;
  stop(): Promise<void>;
}

/** Nodes 127.0.1.1 to 127.0.1.COUNT, all on one port. */
export async function startFleet(count: number): Promise<Fleet> {
  const started = performance.now();
  const servers: Server[] = [];
  const port = await freePort();
  for (let i = 1; i <= count; i++) {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(page(i, (performance.now() - started) / 1000));
    });
    server.listen(port, `127.0.1.${i}`);
    await once(server, 'listening');
    servers.push(server);
  }
  return {
    port,
    async stop() {
      await Promise.all(
        servers.map(async (server) => {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}
