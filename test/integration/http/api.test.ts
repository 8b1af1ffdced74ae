import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { API_VERSION } from '../../../src/shared/api/status.ts';
import { Problem } from '../../../src/shared/errors.ts';
import { Profile } from '../../../src/shared/api/profiles.ts';
import { RangeResult } from '../../../src/shared/api/query.ts';
import { RunList } from '../../../src/shared/api/runs.ts';
import { NodeList } from '../../../src/shared/api/nodes.ts';
import { SeriesList } from '../../../src/shared/api/series.ts';
import { Status } from '../../../src/shared/api/status.ts';
import type { EngineError } from '../../../src/client/http.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

/** Runs one job from its first value to its end; gives the run as it ended. */
async function runJob(
  here: Here,
  jobid: string,
  values: Record<string, number>,
  extra: { command?: string; start_time?: number } = {},
) {
  const pusher = await here.pusher();
  pusher.job({ jobid, command: './a.out', size: 1, ...extra });
  for (const [name, by] of Object.entries(values)) {
    pusher.describeCounter(name, `doc of ${name}`);
    pusher.increase(name, by);
  }
  const live = await eventually(async () =>
    (await here.client.runs({ state: 'live' })).runs.find((run) => run.jobid === jobid && run.series > 0),
  );
  await pusher.close();
  return eventually(async () => (await here.client.runs({ state: 'ended' })).runs.find((run) => run.id === live.id));
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: EngineError) => error.code,
  );

describe('status', () => {
  test('says what the engine is and how it does, and only what the schema says', async () => {
    const here = await startHere({ compat: true });
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j' });
    pusher.describeCounter('c_total');
    pusher.increase('c_total', 1);
    pusher.raw('nonsense\0');
    const status = await eventually(async () => {
      const now = Status.strict().parse((await ask(here, '/api/v1/status', { headers: withToken(here) })).json());
      return now.ingest.rejected['malformed_json'] === 1 && now.runs.live === 1 && now;
    });
    expect(status).toMatchObject({
      name: 'vigie',
      api: API_VERSION,
      engine: {
        epoch: 1,
        pid: process.pid,
        data: null,
        socket: here.engine.ready.socket,
        legacy_socket: here.engine.ready.legacy_socket,
        compat: true,
      },
      period: '50ms',
      runs: { live: 1, ended: 0 },
      store: { kind: 'memory', error: null },
      warnings: [expect.stringContaining('--compat') as string],
    });
    expect(status.engine.id).toMatch(/^[0-9a-f]{32}$/);
    expect(status.ingest.connections).toBe(1);
    expect(status.ingest.messages).toBe(3);
    expect(Math.abs(status.time - Date.now())).toBeLessThan(60_000);
  });
});

describe('runs', () => {
  test('are live with their description, then ended with their last values', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({
      jobid: 'job/1',
      command: './a.out -n 5',
      size: 4,
      nodelist: 'n[1-4]',
      partition: 'debug',
      cluster: 'c',
      run_dir: '/tmp',
      start_time: 1_795_188_214,
    });
    pusher.describeCounter('steps_total', 'Steps');
    pusher.increase('steps_total', 3);
    const live = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'live' });
      return runs[0]?.headline === 'steps_total' && runs[0];
    });
    expect(live).toMatchObject({
      jobid: 'job/1',
      command: './a.out -n 5',
      size: 4,
      nodelist: 'n[1-4]',
      partition: 'debug',
      cluster: 'c',
      run_dir: '/tmp',
      // Seconds on the way in.
      start_time: 1_795_188_214_000,
      end_time: 0,
      state: 'running',
      ranks: 1,
      clients: 1,
      series: 1,
      scope: `run/${live.id}`,
    });
    expect(live.id).toMatch(/^[\w-]+$/);
    expect(await here.client.run(live.id)).toEqual(live);
    expect((await here.client.profile(live.id)).series[0]).toMatchObject({
      key: 'steps_total',
      value: 3,
      doc: 'Steps',
    });
    expect((await here.client.nodes()).nodes[0]!.runs).toEqual([live.id]);

    await pusher.close();
    const ended = await eventually(async () => {
      const run = await here.client.run(live.id);
      return run.state === 'finished' && run;
    });
    expect(ended).toMatchObject({ jobid: 'job/1', clients: 0, ranks: 1, start_time: live.start_time });
    expect(ended.end_time).toBeGreaterThan(0);
    expect((await here.client.runs({ state: 'live' })).runs).toEqual([]);
    expect((await here.client.runs({ state: 'ended' })).runs).toEqual([ended]);
    const profile = await here.client.profile(live.id);
    expect(Profile.strict().parse(profile)).toEqual(profile);
    expect(profile.run).toEqual(ended);
    expect(profile.ranks).toEqual([{ rank: 0, node: (await here.client.nodes()).nodes[0]!.host, values: [3] }]);
    expect((await here.client.series(live.scope)).series[0]).toMatchObject({ key: 'steps_total', value: 3 });
    expect((await here.client.nodes()).nodes[0]!.runs).toEqual([]);
  });

  test('are listed in pages, newest first, each once; live ones on the first page', async () => {
    const here = await startHere();
    for (let i = 0; i < 7; i++)
      await runJob(here, `job-${i}`, { x_total: 1 }, { start_time: 1_795_188_000_000 + (i % 3) * 1000 });
    const alive = await here.pusher();
    alive.job({ jobid: 'alive' });
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 1);
    const all = (await here.client.runs()).runs;
    expect(all).toHaveLength(8);
    expect(all[0]!.jobid).toBe('alive');
    const starts = all.slice(1).map((run) => run.start_time);
    expect(starts).toEqual(starts.toSorted((a, b) => b - a));

    const paged = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await here.client.runs({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      paged.push(...page.runs);
      cursor = page.next ?? undefined;
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBe(4);
    expect(paged).toEqual(all);

    const profiles = RunList.parse(
      (await ask(here, '/api/v1/profiles?state=live', { headers: withToken(here) })).json(),
    );
    expect(profiles.runs).toEqual(all.slice(1));
  });

  test('are searched in job id, command, node list and cluster, without case', async () => {
    const here = await startHere();
    await runJob(here, 'alpha', { x: 1 }, { command: './Solver --fast' });
    await runJob(here, 'beta', { x: 1 }, { command: './other' });
    const pusher = await here.pusher();
    pusher.job({ jobid: 'gamma', command: 'SOLVER', cluster: 'Big' });
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 1);
    const found = async (search: string) => (await here.client.runs({ search })).runs.map((run) => run.jobid);
    expect(await found('solver')).toEqual(['gamma', 'alpha']);
    expect(await found('BIG')).toEqual(['gamma']);
    expect(await found('eta')).toEqual(['beta']);
    expect(await found('%')).toEqual([]);
    expect(await found("'; DROP TABLE run; --")).toEqual([]);
  });

  test('that nobody knows are not found', async () => {
    const here = await startHere();
    for (const id of ['nosuch', '../status', '..%2f..', 'a/b', '\u0000', '__proto__', 'x'.repeat(256)]) {
      expect(await codeOf(here.client.run(id)), id).toBe('run_not_found');
      expect(await codeOf(here.client.profile(id)), id).toBe('run_not_found');
    }
    expect(await codeOf(here.client.run('x'.repeat(257)))).toBe('bad_request');
  });
});

describe('series', () => {
  test('have their place, their meaning and their last value', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j' });
    pusher.describeCounter('mpi___hits___mpi_send', 'Sends');
    pusher.describeGauge('temp{b="2",a="1"}', 'Degrees');
    pusher.describeGauge('unset');
    pusher.increase('mpi___hits___mpi_send', 4);
    pusher.set('temp{b="2",a="1"}', { min: 1, max: 5, hits: 2, total: 6 });
    const run = await eventually(async () =>
      (await here.client.runs({ state: 'live' })).runs.find((one) => one.series === 3),
    );
    const list = await eventually(async () => {
      const now = await here.client.series(run.scope);
      return now.series[0]!.changed > 0 && now;
    });
    expect(SeriesList.strict().parse(list)).toEqual(list);
    expect(list.series).toEqual([
      expect.objectContaining({
        kind: 'counter',
        index: 0,
        name: 'mpi___hits___mpi_send',
        group: 'MPI',
        operation: 'Send',
        quantity: 'calls',
        value: 4,
        gauge: null,
      }),
      expect.objectContaining({
        kind: 'gauge',
        index: 0,
        name: 'temp{b="2",a="1"}',
        key: 'temp{a="1",b="2"}',
        family: 'temp',
        labels: { a: '1', b: '2' },
        value: 3,
        gauge: { min: 1, max: 5, hits: 2, total: 6 },
      }),
      expect.objectContaining({
        name: 'unset',
        value: null,
        gauge: { min: null, max: null, hits: 0, total: 0 },
        changed: expect.any(Number) as number,
      }),
    ]);
  });

  test('come in pages when that is asked for, live or stored, and all at once when it is not', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j' });
    for (let n = 0; n < 5; n++) {
      pusher.describeCounter(`c${n}_total`);
      pusher.increase(`c${n}_total`, n + 1);
    }
    for (let n = 0; n < 3; n++) {
      pusher.describeGauge(`g${n}`);
      pusher.set(`g${n}`, { min: n, max: n, hits: 1, total: n });
    }
    const run = await eventually(async () =>
      (await here.client.runs({ state: 'live' })).runs.find((one) => one.series === 8),
    );
    const page = async (path: string): Promise<SeriesList> => {
      const answer = await ask(here, `/api/v1/series?scope=${run.scope}${path}`, { headers: withToken(here) });
      expect(answer.status).toBe(200);
      return SeriesList.strict().parse(answer.json());
    };
    const inPages = async (limit: number): Promise<string[]> => {
      const keys: string[] = [];
      for (let cursor = ''; ;) {
        const { series, next } = await page(`&limit=${limit}${cursor}`);
        expect(series.length).toBeLessThanOrEqual(limit);
        keys.push(...series.map(({ key }) => key));
        if (!next) return keys;
        cursor = `&cursor=${next}`;
      }
    };
    const check = async (): Promise<void> => {
      const whole = await page('');
      expect(whole).not.toHaveProperty('next');
      const keys = whole.series.map(({ key }) => key);
      expect(keys).toHaveLength(8);
      for (const limit of [1, 3, 4, 5, 8, 100]) expect(await inPages(limit)).toEqual(keys);
    };
    await check();
    for (const wrong of ['&limit=0', '&limit=10001', '&cursor=5', '&cursor=x1', '&cursor=']) {
      const answer = await ask(here, `/api/v1/series?scope=${run.scope}${wrong}`, { headers: withToken(here) });
      expect([wrong, answer.status]).toEqual([wrong, 400]);
    }
    await pusher.close();
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 1);
    await check();
  });

  test('nodes come in pages too', async () => {
    const here = await startHere();
    const list = async (query: string): Promise<NodeList> =>
      NodeList.strict().parse((await ask(here, `/api/v1/nodes${query}`, { headers: withToken(here) })).json());
    const all = await list('');
    expect(all).not.toHaveProperty('next');
    expect(await list('?limit=1')).toMatchObject({ nodes: [{ host: all.nodes[0]!.host }], next: null });
    expect(await list(`?cursor=${encodeURIComponent(all.nodes[0]!.scope)}`)).toEqual({ nodes: [], next: null });
  });

  test('of the node are the sources and the figures of the engine itself', async () => {
    const here = await startHere();
    const [node] = (await here.client.nodes()).nodes;
    const { series } = await eventually(async () => {
      const list = await here.client.series(node!.scope);
      return list.series.length > 20 && list;
    });
    const keys = series.map((s) => s.key);
    expect(keys).toContain('vigie_ingest_messages_total');
    expect(keys.some((key) => key.startsWith('proxy_cpu_'))).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
    const bare = await startHere({ node: false });
    const [own] = (await bare.client.nodes()).nodes;
    expect((await bare.client.series(own!.scope)).series.every((s) => s.key.startsWith('vigie_'))).toBe(true);
  });

  test('of a scope that nobody knows are not found', async () => {
    const here = await startHere();
    for (const scope of ['nosuch', 'run/', 'run/x', 'node/other', 'rank/x/0', 'main', '../../etc']) {
      expect(await codeOf(here.client.series(scope)), scope).toBe('scope_not_found');
    }
  });
});

describe('query', () => {
  async function running(here: Here): Promise<{ scope: string; from: number }> {
    const pusher = await here.pusher();
    const from = Date.now() - 1;
    pusher.job({ jobid: 'j' });
    pusher.describeCounter('c_total');
    pusher.describeCounter('d_total');
    pusher.describeGauge('g');
    const timer = setInterval(() => {
      pusher.increase('c_total', 2);
      pusher.set('g', 5);
    }, 10);
    try {
      const run = await eventually(async () =>
        (await here.client.runs({ state: 'live' })).runs.find((one) => one.series === 3),
      );
      await eventually(
        async () => (await here.client.query({ scope: run.scope, from, to: Date.now() + 1000 })).times.length >= 12,
      );
      return { scope: run.scope, from };
    } finally {
      clearInterval(timer);
    }
  }

  test('gives each sample, or buckets that hide no spike, of the series asked for', async () => {
    const here = await startHere();
    const { scope, from } = await running(here);
    // Both questions are about the same samples: up to the last one that is there now.
    const now = await here.client.query({ scope, from, to: Date.now() + 1000 });
    const to = now.times.at(-1)! + 0.5;
    const raw = await here.client.query({ scope, from, to });
    expect(RangeResult.strict().parse(raw)).toEqual(raw);
    expect(raw.step).toBe(0);
    expect(raw.series.map((s) => s.key).toSorted()).toEqual(['c_total', 'd_total', 'g']);
    expect(raw.times).toEqual([...new Set(raw.times)].toSorted((a, b) => a - b));
    for (const series of raw.series)
      for (const column of [series.min, series.avg, series.max, series.last])
        expect(column).toHaveLength(raw.times.length);
    const totals = raw.series.find((s) => s.key === 'c_total')!.last.filter((v) => v !== null);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    expect(
      raw.series
        .find((s) => s.key === 'g')!
        .last.filter((v) => v !== null)
        .every((v) => v === 5),
    ).toBe(true);

    const few = await here.client.query({ scope, series: ['c_total'], from, to, maxPoints: 4 });
    expect(few.step).toBeGreaterThan(0);
    expect(few.times.length).toBeLessThanOrEqual(4);
    expect(few.series.map((s) => s.key)).toEqual(['c_total']);
    const rates = (column: (number | null)[]) => column.filter((v) => v !== null);
    const { max } = raw.series.find((s) => s.key === 'c_total')!;
    expect(Math.max(...rates(few.series[0]!.max))).toBeCloseTo(Math.max(...rates(max)), 6);
    expect(rates(few.series[0]!.last).at(-1)).toBe(totals.at(-1));
  });

  test('knows other spellings, leaves out keys that nobody knows, and is empty where nothing was', async () => {
    const here = await startHere();
    const { scope, from } = await running(here);
    const to = Date.now() + 1000;
    expect((await here.client.query({ scope, series: ['nosuch', 'g'], from, to })).series.map((s) => s.key)).toEqual([
      'g',
    ]);
    expect((await here.client.query({ scope, series: ['nosuch'], from, to })).series).toEqual([]);
    const before = await here.client.query({ scope, from: 1, to: 2 });
    expect([before.from, before.to, before.times]).toEqual([1, 2, []]);
  });

  test.each([
    ['from=2&to=1', 'later'],
    ['from=1&to=1', 'later'],
    ['from=-1&to=1', 'from'],
    ['from=a&to=1', 'from'],
    ['from=1&to=1e400', 'to'],
    ['from=1&to=NaN', 'to'],
    ['from=1', 'to'],
    ['to=1', 'from'],
    ['from=1&to=2&maxPoints=1', 'maxPoints'],
    ['from=1&to=2&maxPoints=1e9', 'maxPoints'],
    ['from=1&to=2&maxPoints=2.5', 'maxPoints'],
    ['from=1&from=2&to=3', 'from'],
    [`from=1&to=2&series=${'x'.repeat(4097)}`, 'series'],
    [`from=1&to=2${'&series=x'.repeat(2001)}`, 'series'],
    ['from=1&to=2&scope=', 'scope'],
  ])('refuses parameters and says what is wrong: %#', async (parameters, named) => {
    const here = await startHere();
    const scope = parameters.includes('scope=') ? '' : '&scope=node%2Fx';
    const answer = await ask(here, `/api/v1/query?${parameters}${scope}`, { headers: withToken(here) });
    expect(answer.status).toBe(400);
    const problem = Problem.parse(answer.json());
    expect(problem.code).toBe('bad_request');
    expect(problem.detail).toContain(named);
  });

  test('of a scope that nobody knows is not found', async () => {
    const here = await startHere();
    expect(await codeOf(here.client.query({ scope: 'run/nosuch', from: 1, to: 2 }))).toBe('scope_not_found');
  });
});

test('no parameter, however hostile, makes the engine fail', async () => {
  const here = await startHere();
  const headers = withToken(here);
  const { scope } = (await here.client.nodes()).nodes[0]!;
  const name = fc.constantFrom(
    'scope',
    'series',
    'from',
    'to',
    'maxPoints',
    'limit',
    'cursor',
    'search',
    'state',
    '__proto__',
    'constructor',
    'job',
    'jobid',
    'a[b]',
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '',
      '0',
      '1',
      '-1',
      '1e308',
      '9007199254740993',
      'null',
      '[]',
      '{}',
      "' OR 1=1",
      '\u0000',
      '__proto__',
      scope,
      'a{',
      '1_1',
      '1e999_1',
      '-1_1',
    ),
  );
  const path = fc.constantFrom(
    '/api/v1/runs',
    '/api/v1/query',
    '/api/v1/series',
    '/api/v1/profiles',
    '/api/v1/runs/x',
    '/api/v1/runs/x/ranks',
    '/job',
    '/metrics',
    '/get',
  );
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.array(fc.tuple(name, value), { maxLength: 5 }),
      fc.boolean(),
      async (where, parameters, encoded) => {
        const query = parameters
          .map(([k, v]) => `${k}=${encoded ? encodeURIComponent(v.toWellFormed()) : v.replace(/[^!-~]/g, '%ff')}`)
          .join('&');
        const answer = await ask(here, `${where}?${query}`, { headers });
        expect(answer.status, `${where}?${query}: ${answer.body}`).toBeLessThan(500);
        if (answer.type.includes('json')) answer.json();
      },
    ),
    { numRuns: 400 },
  );
  expect((await here.client.status()).name).toBe('vigie');
  expect(here.log.filter(({ level }) => level >= 50)).toEqual([]);
});

describe('openapi.json', () => {
  interface Schema {
    readonly $ref?: string;
    readonly [key: string]: unknown;
  }
  interface Operation {
    readonly summary?: string;
    readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
    readonly responses: Readonly<
      Record<string, { description: string; content?: Readonly<Record<string, { schema: Schema }>> }>
    >;
  }
  interface Document {
    readonly openapi: string;
    readonly info: { title: string; version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: {
      securitySchemes: Readonly<Record<string, unknown>>;
      schemas?: Readonly<Record<string, unknown>>;
    };
    readonly security: readonly Readonly<Record<string, unknown>>[];
  }

  test('describes every route below /api/v1, and is OpenAPI 3.1', async () => {
    const here = await startHere();
    const document = (await ask(here, '/api/v1/openapi.json', { headers: withToken(here) })).json() as Document;
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toEqual({ title: 'Vigie engine', version: `${API_VERSION.major}.${API_VERSION.minor}` });
    expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
    expect(document.security).toEqual([{ token: [] }]);
    const begun = ['remove', 'start', 'stop', 'upgrade'];
    const work = ['cancel', ...begun];
    expect(Object.keys(document.paths).toSorted()).toEqual([
      '/api/v1/alarms',
      '/api/v1/alarms/acknowledge',
      '/api/v1/alarms/history',
      '/api/v1/alarms/packs',
      '/api/v1/alarms/packs/{id}',
      '/api/v1/alarms/preview',
      '/api/v1/alarms/rules',
      '/api/v1/alarms/rules/export',
      '/api/v1/alarms/rules/import',
      '/api/v1/alarms/rules/{id}',
      '/api/v1/audit',
      '/api/v1/bundle',
      '/api/v1/channels',
      '/api/v1/channels/deliveries',
      '/api/v1/channels/routes',
      '/api/v1/channels/test',
      '/api/v1/channels/{id}',
      '/api/v1/connections',
      '/api/v1/connections/hosts',
      '/api/v1/connections/prompts',
      '/api/v1/connections/prompts/{id}',
      '/api/v1/connections/{id}',
      '/api/v1/connections/{id}/connect',
      '/api/v1/connections/{id}/disconnect',
      ...work.map((one) => `/api/v1/connections/{id}/engine/${one}`),
      '/api/v1/connections/{id}/forwards',
      '/api/v1/connections/{id}/forwards/{forward}',
      '/api/v1/connections/{id}/log',
      '/api/v1/connections/{id}/secrets',
      '/api/v1/diagnosis',
      '/api/v1/engines',
      '/api/v1/engines/{engine}/*',
      '/api/v1/export',
      '/api/v1/export/estimate',
      '/api/v1/exports',
      '/api/v1/exports/file',
      '/api/v1/exports/{id}',
      '/api/v1/families',
      '/api/v1/labels',
      '/api/v1/labels/{name}',
      '/api/v1/nodes',
      '/api/v1/openapi.json',
      '/api/v1/profiles',
      '/api/v1/profiles/change',
      '/api/v1/profiles/compare',
      '/api/v1/profiles/delete',
      '/api/v1/profiles/groups',
      '/api/v1/profiles/import',
      '/api/v1/profiles/restore',
      '/api/v1/profiles/rules',
      '/api/v1/profiles/rules/preview',
      '/api/v1/profiles/{id}',
      '/api/v1/profiles/{id}/analysis',
      '/api/v1/profiles/{id}/heatmap',
      '/api/v1/profiles/{id}/marks',
      '/api/v1/query',
      '/api/v1/query/merge',
      '/api/v1/runs',
      '/api/v1/runs/{id}',
      '/api/v1/runs/{id}/ranks',
      '/api/v1/series',
      '/api/v1/silences',
      '/api/v1/silences/preview',
      '/api/v1/silences/{id}',
      '/api/v1/status',
      '/api/v1/store/keeps',
      '/api/v1/store/keeps/{id}',
      '/api/v1/store/retention',
      '/api/v1/targets',
      ...['bulk', 'export', 'import', 'probe', '{id}', '{id}/restore', '{id}/scrape'].map(
        (end) => `/api/v1/targets/${end}`,
      ),
      '/api/v1/tokens',
      '/api/v1/tokens/{name}',
      '/api/v1/whoami',
    ]);
    const others: Readonly<Record<string, string[]>> = {
      ...Object.fromEntries(
        ['acknowledge', 'packs/{id}', 'preview', 'rules/import'].map((end) => [`/api/v1/alarms/${end}`, ['post']]),
      ),
      '/api/v1/alarms/rules': ['get', 'post'],
      '/api/v1/alarms/rules/{id}': ['delete', 'get', 'patch'],
      '/api/v1/channels': ['get', 'post'],
      '/api/v1/channels/routes': ['get', 'put'],
      '/api/v1/channels/test': ['post'],
      '/api/v1/channels/{id}': ['delete', 'get', 'patch'],
      '/api/v1/connections': ['get', 'post'],
      '/api/v1/connections/{id}': ['delete', 'get', 'patch'],
      '/api/v1/connections/{id}/forwards/{forward}': ['delete'],
      '/api/v1/connections/{id}/secrets': ['delete'],
      ...Object.fromEntries(work.map((one) => [`/api/v1/connections/{id}/engine/${one}`, ['post']])),
      ...Object.fromEntries(
        ['prompts/{id}', '{id}/connect', '{id}/disconnect', '{id}/forwards'].map((end) => [
          `/api/v1/connections/${end}`,
          ['post'],
        ]),
      ),
      '/api/v1/engines/{engine}/*': ['delete', 'get', 'patch', 'post', 'put'],
      '/api/v1/exports': ['get', 'post'],
      '/api/v1/exports/{id}': ['delete', 'get'],
      ...Object.fromEntries(
        ['change', 'compare', 'delete', 'restore', 'rules/preview'].map((end) => [`/api/v1/profiles/${end}`, ['post']]),
      ),
      '/api/v1/profiles/import': ['get', 'post'],
      '/api/v1/profiles/rules': ['get', 'put'],
      '/api/v1/profiles/{id}': ['delete', 'get', 'patch'],
      '/api/v1/silences': ['get', 'post'],
      '/api/v1/silences/preview': ['post'],
      '/api/v1/silences/{id}': ['delete', 'get'],
      '/api/v1/store/keeps': ['get', 'post'],
      '/api/v1/store/keeps/{id}': ['delete'],
      '/api/v1/store/retention': ['get', 'put'],
      '/api/v1/targets': ['get', 'post'],
      '/api/v1/targets/{id}': ['delete', 'get', 'patch'],
      ...Object.fromEntries(
        ['bulk', 'import', 'probe', '{id}/restore', '{id}/scrape'].map((end) => [`/api/v1/targets/${end}`, ['post']]),
      ),
      '/api/v1/tokens': ['get', 'post'],
      '/api/v1/tokens/{name}': ['delete'],
    };
    for (const [path, operations] of Object.entries(document.paths)) {
      expect(
        Object.keys(operations)
          .filter((method) => method !== 'head')
          .toSorted(),
        path,
      ).toEqual(others[path] ?? ['get']);
      const get = operations['get'] ?? operations['delete'] ?? operations['post']!;
      expect(get.summary, path).toBeTruthy();
      // The parameters in the path are declared, and no others.
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        (get.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name),
        path,
      ).toEqual(inPath);
      for (const parameter of get.parameters ?? []) {
        expect(['path', 'query']).toContain(parameter.in);
        expect(typeof parameter.schema, `${path} ${parameter.name}`).toBe('object');
        if (parameter.in === 'path') expect(parameter.required).toBe(true);
      }
      const statuses: Readonly<Record<string, string>> = {
        ...Object.fromEntries(begun.map((one) => [`/api/v1/connections/{id}/engine/${one}`, '202'])),
        '/api/v1/connections/prompts/{id}': '204',
        '/api/v1/connections/{id}/forwards': '201',
        '/api/v1/connections/{id}/secrets': '200',
        '/api/v1/targets/{id}/scrape': '204',
      };
      const done = statuses[path] ?? (others[path]?.join() === 'delete' ? '204' : '200');
      expect(Object.keys(get.responses), path).toEqual([done, 'default']);
      for (const [status, response] of Object.entries(get.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$|^default$/);
        expect(typeof response.description).toBe('string');
        const type = status.startsWith('2') ? 'application/json' : 'application/problem+json';
        const bytes = ['/api/v1/engines/{engine}/*', '/api/v1/export', '/api/v1/exports/file', '/api/v1/openapi.json'];
        if (bytes.includes(path) && status === '200') continue;
        if (status === '204') continue;
        expect(Object.keys(response.content![type]!.schema).length, path).toBeGreaterThan(0);
      }
    }
    const query = document.paths['/api/v1/query']!['get']!.parameters!;
    expect(Object.fromEntries(query.map((p) => [p.name, p.required ?? false]))).toEqual({
      ...{ select: false, family: false, step: false, functions: false },
      from: true,
      to: true,
      scope: true,
      series: false,
      maxPoints: false,
    });
    // References lead somewhere.
    for (const [, ref] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      const target = ref!
        .split('/')
        .slice(1)
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect(target, ref).toBeDefined();
    }
  });
});
