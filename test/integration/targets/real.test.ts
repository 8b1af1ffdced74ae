/** Real programs as judges and as targets. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Scope } from '../../../src/engine/live/scope.ts';
import { prometheus } from '../../../src/engine/targets/prometheus.ts';
import { DEFAULT_LIMITS } from '../../../src/engine/targets/type.ts';
import { parseTargetUrl } from '../../../src/engine/targets/url.ts';
import { parseMetric } from '../../../src/shared/model/metric.ts';
import { httpServer } from '../../support/bad-server.ts';
import { requireComponent } from '../../support/components.ts';
import { freePort } from '../../support/launch.ts';
import { hostWith } from '../../support/target-host.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { scan } from '../../unit/engine/targets/scanned.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/targets');
const TEXTS = ['alertmanager.txt', 'node-exporter.txt', 'prometheus.txt', 'pushgateway.txt', 'hostile.txt'];
const typeOf = (file: string): string =>
  file === 'openmetrics.txt' ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';

/** With times of now: Prometheus leaves out others. */
function fixture(file: string): string {
  const now = file === 'openmetrics.txt' ? Date.now() / 1000 : Date.now();
  return readFileSync(join(FIXTURES, file), 'utf8').replace('NOW', String(now));
}

async function start(program: string, args: readonly string[], ready: string): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended: ${stderr}`);
      return (await fetch(ready)).ok;
    },
    { timeout: 60_000, interval: 100 },
  );
}

interface Queried {
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

/** Name and labels as one text that does not depend on their order. Prometheus leaves out empty labels. */
function identity(name: string, labels: Iterable<readonly [string, string]>): string {
  const own = [...labels].filter(([key, value]) => key !== 'job' && key !== 'instance' && value !== '');
  return JSON.stringify([name, own.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** As Prometheus writes it: what reads the same is the same. */
const shown = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Object.is(value, -0) ? '-0' : value === 0 ? '0' : String(value);

describe('promtool', () => {
  test('reads what the scanner reads, and nothing else', { timeout: 120_000 }, async (context) => {
    const promtool = requireComponent('promtool', context);
    const accepted = (text: string): boolean => {
      const { status } = spawnSync(promtool, ['check', 'metrics'], { input: text });
      return status === 0 || status === 3;
    };
    for (const file of TEXTS) expect(accepted(fixture(file)), file).toBe(true);
    const recorded = JSON.parse(fixture('text-grammar.json')) as { text: string; accepted: boolean }[];
    for (const one of recorded) {
      const { status } = spawnSync(promtool, ['check', 'metrics'], { input: Buffer.from(one.text, 'latin1') });
      expect(status === 0 || status === 3, one.text).toBe(one.accepted);
    }
    const word = fc.constantFrom(
      ...[
        'a',
        'b_total',
        ' ',
        '\t',
        '\n',
        '\n',
        '\n',
        '1',
        '2.5',
        '-',
        '+',
        'e3',
        '{',
        '}',
        '=',
        '"',
        ',',
        '\\',
        '\\n',
        '_sum',
      ],
      ...[
        'a 1\n',
        'a{b="c"} 1\n',
        '# TYPE a counter\n',
        '# TYPE a summary\n',
        '# HELP a x\n',
        '# TYPE ',
        '# ',
        'NaN',
        'Inf',
      ],
      ...[
        '{b="c"}',
        '{le="x"}',
        '{b="c",d="e"}',
        'a_bucket{le="1"} 1\n',
        '# TYPE a histogram\n',
        ' 1700000000000',
        'é',
      ],
    );
    const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `${words.join('')}\n`);
    fc.assert(
      fc.property(text, (one) => {
        // Of a histogram's le that is there twice, promtool sees the last one only.
        fc.pre(!/le="[^{}]*le="/.test(one));
        expect(typeof scan(one) !== 'string', JSON.stringify(one)).toBe(accepted(one));
      }),
      { numRuns: 1000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    );
  });
});

describe('Prometheus', () => {
  test('has the same series and values of each recorded answer', { timeout: 240_000 }, async (context) => {
    const program = requireComponent('prometheus', context);
    const files = [...TEXTS, 'openmetrics.txt'];
    const port = await httpServer((request, response) => {
      const file = request.url!.slice(1);
      response.writeHead(200, { 'content-type': typeOf(file) }).end(fixture(file));
    });
    const folder = temporaryFolder();
    const jobs = files.map((file) => ({
      job_name: file,
      metrics_path: `/${file}`,
      honor_labels: true,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    }));
    const config = { global: { scrape_interval: '1s' }, scrape_configs: jobs };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const api = `http://127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${api.slice('http://'.length)}`,
    ];
    await start(program, args, `${api}/-/ready`);
    const query = async (text: string): Promise<Queried['data']['result']> => {
      const answer = await fetch(`${api}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: text }) });
      return ((await answer.json()) as Queried).data.result;
    };
    await eventually(async () => (await query('up == 1')).length === files.length, { timeout: 120_000, interval: 250 });
    for (const file of files) {
      const scanned = scan(fixture(file), file === 'openmetrics.txt' ? 'openmetrics' : 'text');
      if (typeof scanned === 'string') throw new Error(`${file}: ${scanned}`);
      const own = new Map(
        scanned.map(({ name, value }) => {
          const { family, labels } = parseMetric(name);
          return [identity(family, labels), shown(value)];
        }),
      );
      // A series whose own label is called job has it from its text.
      const all = await query(`{__name__!~"up|scrape_.*", instance="127.0.0.1:${port}", job="${file}"}`);
      const theirs = file === 'pushgateway.txt' ? [...all, ...(await query('{job="hpc"}'))] : all;
      const found = new Map(
        theirs.map(({ metric: { __name__: name = '', ...labels }, value }) => [
          identity(name, Object.entries(labels)),
          shown(Number(value[1].replace('+Inf', 'Infinity').replace('-Inf', '-Infinity'))),
        ]),
      );
      expect(Object.fromEntries(found), file).toEqual(Object.fromEntries(own));
    }
  });
});

test('a real node exporter is a target', async (context) => {
  const program = requireComponent('prometheus-node-exporter', context);
  const place = `127.0.0.1:${await freePort()}`;
  await start(program, [`--web.listen-address=${place}`], `http://${place}/metrics`);
  const access = { timeoutMs: 20_000, limits: DEFAULT_LIMITS };
  const { signal } = new AbortController();
  const probe = await prometheus.probe(parseTargetUrl(place), access, signal);
  expect(probe?.url.href).toBe(`http://${place}/metrics`);
  expect(probe?.metrics.find(({ name }) => name === 'node_load1')).toMatchObject({ kind: 'gauge', series: 1 });
  const scope = new Scope('target/node', 'target');
  const filter = { include: ['node_*'], exclude: ['node_scrape_*'] };
  const spec = { id: 'node', url: probe!.url, access, periodMs: 1000, labels: [], filter };
  const session = prometheus.open(spec, hostWith(scope));
  onTestFinished(() => session.close());
  const first = await session.scrape(signal);
  expect(first.refused).toEqual({});
  expect(first.series + first.filtered).toBe(first.samples);
  // Time passes, and this test's own work is seen.
  await eventually(async () => {
    await session.scrape(signal);
    scope.settle();
    const user = scope.find('node_cpu_seconds_total{cpu="0",mode="user"}')!;
    return scope.counters[user.index]! > 0;
  });
  expect(scope.allDefs().every(({ name }) => name.startsWith('node_'))).toBe(true);
});
