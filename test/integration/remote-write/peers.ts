/** Debian's Prometheus and VictoriaMetrics on loopback, as receivers of remote write; killed after the test. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

export type PeerName = 'prometheus' | 'victoria-metrics';

const Matrix = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
    ),
  }),
});

export interface StoredSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** [ms since the epoch, value], in order. */
  readonly values: readonly (readonly [number, number])[];
}

export class Peer {
  readonly #program: string;
  readonly #name: PeerName;
  readonly #folder = temporaryFolder();
  readonly port: number;
  #child: ChildProcess | null = null;

  private constructor(name: PeerName, program: string, port: number) {
    this.#name = name;
    this.#program = program;
    this.port = port;
  }

  static async start(name: PeerName, program: string): Promise<Peer> {
    const peer = new Peer(name, program, await freePort());
    onTestFinished(() => peer.stop('SIGKILL'));
    await peer.start();
    return peer;
  }

  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get writeUrl(): string {
    return `${this.base}/api/v1/write`;
  }

  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    mkdirSync(data, { recursive: true });
    const config = join(this.#folder, 'prometheus.yml');
    writeFileSync(config, 'scrape_configs: []\n');
    const args =
      this.#name === 'prometheus'
        ? [
            ...[`--config.file=${config}`, `--storage.tsdb.path=${data}`, '--web.enable-remote-write-receiver'],
            `--web.listen-address=127.0.0.1:${this.port}`,
          ]
        : [
            ...[`-storageDataPath=${data}`, `-httpListenAddr=127.0.0.1:${this.port}`],
            ...['-search.latencyOffset=0s', '-search.disableCache', '-retentionPeriod=100y'],
          ];
    const child = spawn(this.#program, args, { cwd: this.#folder, stdio: 'ignore' });
    this.#child = child;
    const ready = this.#name === 'prometheus' ? '/-/ready' : '/health';
    await eventually(async () => (await fetch(`${this.base}${ready}`)).ok, { timeout: 60_000 });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Samples as they are stored, of the last `minutes`. */
  async stored(selector: string, minutes = 60): Promise<StoredSeries[]> {
    const query = new URLSearchParams({ query: `${selector}[${minutes}m]`, nocache: '1' });
    const answer = await fetch(`${this.base}/api/v1/query?${query.toString()}`);
    if (!answer.ok) throw new Error(await answer.text());
    return Matrix.parse(await answer.json()).data.result.map(({ metric, values }) => ({
      metric,
      // VictoriaMetrics gives the end of a series, too, as a NaN.
      values: values.flatMap(([time, value]) =>
        value === 'NaN' ? [] : [[Math.round(1000 * time), Number(value)] as const],
      ),
    }));
  }
}
