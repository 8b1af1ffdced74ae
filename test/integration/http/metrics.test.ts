import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireComponent } from '../../support/components.ts';
import { freePort } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { readExposition } from '../../unit/engine/http/read-exposition.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

const OPEN = { accept: 'application/openmetrics-text; version=1.0.0' };

async function pushSome(here: Here): Promise<void> {
  const pusher = await here.pusher();
  pusher.job({ jobid: 'job-1', command: './a.out' });
  pusher.describeCounter('steps_total', 'Steps done,\nall of them');
  pusher.describeCounter('mpi___hits___mpi_send{comm="a\\"b"}', 'Sends');
  pusher.describeGauge('temperature', 'Degrees');
  pusher.describeGauge('unset', 'Nobody sets it');
  pusher.describeCounter('evil"}\u202e 1', '# TYPE up gauge\u0000');
  pusher.increase('steps_total', 1234.5);
  pusher.increase('mpi___hits___mpi_send{comm="a\\"b"}', 7);
  pusher.increase('evil"}\u202e 1', 1);
  pusher.set('temperature', { min: 40, max: 60, hits: 4, total: 200 });
  await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]?.series === 5);
}

describe('/metrics', () => {
  test('is Prometheus text, valid, with values where the old proxy had times', async () => {
    const here = await startHere();
    await pushSome(here);
    for (const path of ['/metrics', '/metrics/', '/metrics?job=main', '/metrics/?job=job-1']) {
      const answer = await ask(here, path, { headers: withToken(here) });
      expect([answer.status, answer.type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      const families = new Map(readExposition(answer.body, false).map((f) => [f.name, f]));
      expect(families.get('steps_total')).toMatchObject({
        type: 'counter',
        help: 'Steps done,\nall of them',
        series: [{ value: 1234.5 }],
      });
      expect(families.get('mpi___hits___mpi_send')!.series[0]!.labels).toEqual(new Map([['comm', 'a"b']]));
      expect(families.get('temperature')).toMatchObject({ type: 'gauge', series: [{ value: 50 }] });
      expect(families.has('unset')).toBe(false);
      expect([...families.keys()].some((name) => name.startsWith('proxy_cpu'))).toBe(true);
      // The time of day would be far above anything here.
      expect(families.get('steps_total')!.series[0]!.value).toBeLessThan(1e6);
    }
  });

  test('is OpenMetrics for who asks for it, with the same names', async () => {
    const here = await startHere({ node: false });
    await pushSome(here);
    const text = await ask(here, '/metrics?job=job-1', { headers: withToken(here) });
    const open = await ask(here, '/metrics?job=job-1', { headers: { ...withToken(here), ...OPEN } });
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const names = (body: string, isOpen: boolean) =>
      readExposition(body, isOpen)
        .flatMap((f) => f.series.map((s) => s.name))
        .toSorted();
    expect(names(open.body, true)).toEqual(names(text.body, false));
    const families = new Map(readExposition(open.body, true).map((f) => [f.name, f.type]));
    expect([families.get('steps'), families.get('mpi___hits___mpi_send'), families.get('temperature')]).toEqual([
      'counter',
      'unknown',
      'gauge',
    ]);
    expect(open.body.endsWith('\n# EOF\n')).toBe(true);
  });

  test('passes promtool with the sources of this machine', async (context) => {
    const promtool = requireComponent('promtool', context);
    const here = await startHere();
    await pushSome(here);
    const { body } = await ask(here, '/metrics', { headers: withToken(here) });
    const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: body, encoding: 'utf8' });
    expect([0, 3], stderr).toContain(status);
  });

  test('HEAD has the size and type of GET', async () => {
    const here = await startHere();
    const head = await ask(here, '/metrics', { method: 'HEAD', headers: withToken(here) });
    expect([head.status, head.type, head.body]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8', '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
  });
});

/** Passes requests on with another Accept header: this Prometheus cannot be told to ask for the text format. */
async function startPlain(here: Here): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { authorization = '' } = incoming.headers;
    ask(here, incoming.url!, { headers: { authorization, accept: 'text/plain;version=0.0.4' } }).then(
      (answer) => outgoing.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body),
      () => outgoing.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Queried {
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

/** A real Prometheus that scrapes the engine each second; gives its base URL. */
async function startPrometheus(program: string, here: Here, plain: string): Promise<string> {
  const folder = temporaryFolder();
  const port = await freePort();
  mkdirSync(join(folder, 'data'));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `scrape_configs:
  - job_name: vigie
    scrape_interval: 1s
    scrape_timeout: 1s
    authorization: { credentials_file: '${here.engine.ready.token_file}' }
    static_configs: [{ targets: ['${new URL(here.url).host}'] }]
  - job_name: plain
    scrape_interval: 1s
    scrape_timeout: 1s
    authorization: { credentials_file: '${here.engine.ready.token_file}' }
    static_configs: [{ targets: ['${plain}'] }]
`,
  );
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  onTestFinished(async () => {
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${stderr}`);
      return (await fetch(`${url}/-/ready`)).ok;
    },
    { timeout: 50_000, interval: 200 },
  );
  return url;
}

const query = async (url: string, expression: string): Promise<Queried['data']['result']> =>
  ((await (await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)).json()) as Queried).data.result;

test('a real Prometheus scrapes it with the token file, in the format of its choice, and has what was pushed', async (context) => {
  const program = requireComponent('prometheus', context);
  const here = await startHere({ period: '200ms' });
  await pushSome(here);
  const url = await startPrometheus(program, here, await startPlain(here));
  const value = async (expression: string): Promise<number | undefined> => {
    const [found] = await query(url, expression);
    return found && Number(found.value[1]);
  };
  for (const job of ['vigie', 'plain']) {
    const steps = await eventually(() => value(`steps_total{job="${job}"}`), { timeout: 50_000, interval: 200 });
    expect(steps).toBe(1234.5);
    expect(await value(`mpi___hits___mpi_send{comm="a\\"b",job="${job}"}`)).toBe(7);
    expect(await value(`temperature{job="${job}"}`)).toBe(50);
    expect(await value(`{vigie_name=~"evil.*",job="${job}"}`)).toBe(1);
    expect(await query(url, `unset{job="${job}"}`)).toEqual([]);
    expect((await query(url, `{__name__=~"proxy_memory_.*",job="${job}"}`)).length).toBeGreaterThan(0);
    expect(await value(`up{job="${job}"}`)).toBe(1);
  }
  const { data } = (await (await fetch(`${url}/api/v1/targets`)).json()) as {
    data: { activeTargets: { health: string; lastError: string }[] };
  };
  expect(data.activeTargets.map(({ health, lastError }) => [health, lastError])).toEqual([
    ['up', ''],
    ['up', ''],
  ]);
  const meta = (await (await fetch(`${url}/api/v1/targets/metadata?metric=temperature`)).json()) as {
    data: { type: string; help: string }[];
  };
  expect(meta.data[0]).toMatchObject({ type: 'gauge', help: 'Degrees' });
  // This Prometheus asks for OpenMetrics, where the family of a counter has no _total.
  const steps = (await (await fetch(`${url}/api/v1/targets/metadata?metric=steps`)).json()) as {
    data: { type: string; help: string }[];
  };
  expect(steps.data[0]).toMatchObject({ type: 'counter', help: 'Steps done,\nall of them' });
});
