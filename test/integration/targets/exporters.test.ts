/** Debian's own Prometheus, node exporter, Pushgateway and Alertmanager as targets of an engine. */

import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NodeList } from '../../../src/shared/api/nodes.ts';
import { SeriesList } from '../../../src/shared/api/series.ts';
import { requireComponent } from '../../support/components.ts';
import { freePort } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { addTarget, metric, send, until } from './support.ts';

const status = (port: number, path: string, method = 'GET', body = ''): Promise<number> =>
  new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', path, method, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });

/** Starts a program and waits until its metrics are there. */
async function started(program: string, args: (port: number, folder: string) => string[]): Promise<number> {
  const port = await freePort();
  const child = spawn(program, args(port, temporaryFolder()), { stdio: 'ignore' });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  });
  await eventually(async () => (await status(port, '/metrics')) === 200, { timeout: 60_000 });
  return port;
}

const alone = (port: number): string[] => [`--web.listen-address=127.0.0.1:${port}`];

/** What each is started with, and a metric of its own. */
const PROGRAMS = [
  ['prometheus-node-exporter', alone, 'node_memory_MemTotal_bytes'],
  [
    'prometheus',
    (port: number, folder: string) => {
      writeFileSync(join(folder, 'p.yml'), 'scrape_configs: []\n');
      return [...alone(port), `--config.file=${folder}/p.yml`, `--storage.tsdb.path=${folder}/d`];
    },
    'prometheus_tsdb_head_series',
  ],
  ['prometheus-pushgateway', alone, 'go_goroutines'],
  [
    'prometheus-alertmanager',
    (port: number, folder: string) => {
      writeFileSync(join(folder, 'a.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
      const files = [`--config.file=${folder}/a.yml`, `--storage.path=${folder}/d`];
      return [...alone(port), '--cluster.listen-address=', ...files];
    },
    'go_goroutines',
  ],
] as const;

for (const [name, args, own] of PROGRAMS) {
  test(`${name} is found by its port, and its metrics are there`, { timeout: 120_000 }, async (context) => {
    const port = await started(requireComponent(name, context), args);
    const here = await startHere({ node: false });
    const { id } = await addTarget(here, { url: `127.0.0.1:${port}`, period: '1s' });
    const up = await until(here, id, ({ state, type }) => state === 'up' && type !== null);
    expect(up).toMatchObject({
      type: 'prometheus',
      url: `http://127.0.0.1:${port}/metrics`,
      reason: null,
      refused: {},
    });
    expect(up.series).toBeGreaterThan(20);
    expect(await eventually(async () => (await metric(here, own)) ?? undefined)).toBeGreaterThanOrEqual(0);
    const { nodes } = NodeList.parse((await send(here, 'GET', '/nodes')).json());
    expect(nodes.some(({ target }) => target === id)).toBe(name === 'prometheus-node-exporter');
  });
}

test('what is pushed to two Pushgateways under one name stays apart', { timeout: 120_000 }, async (context) => {
  const program = requireComponent('prometheus-pushgateway', context);
  const here = await startHere({ node: false });
  for (const value of [3, 4]) {
    const port = await started(program, alone);
    expect(await status(port, '/metrics/job/test', 'PUT', `pushed_value ${value}\n`)).toBe(200);
    const url = `http://127.0.0.1:${port}/metrics`;
    const { id } = await addTarget(here, { url, period: '1s', filter: { include: ['pushed_value'] } });
    await until(here, id, ({ state, series }) => state === 'up' && series === 1);
    const answer = await send(here, 'GET', `/series?scope=${encodeURIComponent(`target/${id}`)}`);
    const { series } = SeriesList.parse(answer.json());
    expect(series.map(({ key, gauge }) => [key, gauge])).toEqual([
      ['pushed_value{job="test"}', { min: value, max: value, hits: 1, total: value }],
    ]);
  }
});
