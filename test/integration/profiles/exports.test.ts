/** Exports of a real store through a real engine, read back by the programs that they are for. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  EXPORT_FORMATS,
  ExportEstimate,
  ExportFormat,
  ExportList,
  ExportState,
  NewExport,
} from '../../../src/shared/api/exports.ts';
import { Problem } from '../../../src/shared/errors.ts';
import { requireComponent } from '../../support/components.ts';
import {
  BARRIER,
  GAUGE,
  HOSTILE,
  makeExportStore,
  runStart,
  SECONDS,
  SEND,
  sent,
  SIZES,
} from '../../support/export-store.ts';
import { requireReaders } from '../../support/python.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, withToken, type Here } from '../http/here.ts';

const ALL = SIZES.map((size) => `run=r${size}`).join('&');
/** Ticks of a run: ten of them are missing. */
const TICKS = SECONDS - 10;
/** Every tenth, without the one in the gap. */
const RANK_TICKS = SECONDS / 10 - 1;

let data: string;
let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
  data = join(folder, 'data');
  makeExportStore(data);
});

/** With a copy: one engine may still be closing while the next one opens. */
function here(): Promise<Here> {
  const own = temporaryFolder();
  cpSync(data, join(own, 'data'), { recursive: true });
  return startHere({ data: join(own, 'data') }, own);
}

async function get(where: Here, query: string): Promise<Buffer> {
  const answer = await fetch(`${where.url}/api/v1/export?${query}`, { headers: withToken(where) });
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${answer.status} ${body.toString()}`);
  return body;
}

const save = (name: string, body: Buffer): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, body);
  return path;
};

/** RFC 4180. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  let [cell, quoted] = ['', false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[i++]!;
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',' || c === '\n') {
      rows.at(-1)!.push(cell.replace(/\r$/, ''));
      cell = '';
      if (c === '\n') rows.push([]);
    } else cell += c;
  }
  const [head, ...body] = rows.slice(0, -1);
  return body.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i]!])));
}

describe('CSV', () => {
  test('has each value once, in the order of time, gaps left out; a formula is none', async () => {
    const rows = parseCsv((await get(await here(), 'format=csv&run=r4')).toString());
    const of = (scope: string, metric: string) =>
      rows.filter((row) => row['scope'] === scope && row['metric'] === metric);
    const send = of('run/r4', SEND);
    expect(send).toHaveLength(TICKS);
    const seconds = send.map((row) => (Date.parse(row['time']!) - runStart(1)) / 1000);
    expect(seconds.slice(98, 102)).toEqual([99, 100, 111, 112]);
    expect(send.map((row) => Number(row['value']))).toEqual(seconds.map((second) => sent(4, second)));
    expect(send[0]).toMatchObject({ job: 'job-4', rank: '', node: 'n1', kind: 'counter', unit: 's', min: '', max: '' });
    // Bars and slashes in the name: the apostrophe keeps a spreadsheet from running it.
    expect(of('run/r4', `'${HOSTILE}`)).toHaveLength(TICKS);
    expect(of('run/r4', GAUGE).at(-1)).toMatchObject({ value: '300', min: '299', max: '301', kind: 'gauge' });
    // A gauge that nobody set has no value.
    expect(of('run/r4', 'unset')).toEqual([]);
    const rank = of('rank/r4/3', SEND);
    expect(rank).toHaveLength(RANK_TICKS);
    expect(rank.at(-1)).toMatchObject({ rank: '3', node: 'n1', value: String(sent(1, SECONDS) + 3) });
    expect(new Set(rows.map((row) => row['scope']))).toEqual(
      new Set(['run/r4', ...[0, 1, 2, 3].map((n) => `rank/r4/${n}`)]),
    );
  });

  test('by time, series, resolution; of a node by itself, and of the nodes of a run', async () => {
    const where = await here();
    const [from, to] = [runStart(0) + 200_000, runStart(0) + 209_000];
    const few = parseCsv(
      (await get(where, `format=csv&run=r2&ranks=false&from=${from}&to=${to}&series=${SEND}`)).toString(),
    );
    expect(few.map((row) => row['time'])).toEqual(
      Array.from({ length: 10 }, (_, i) => new Date(from + 1000 * i).toISOString()),
    );
    const node = parseCsv((await get(where, `format=csv&scope=node/n1&select=busy`)).toString());
    expect(node).toHaveLength(SIZES.length * TICKS);
    expect(node[0]).toMatchObject({ scope: 'node/n1', job: '', node: 'n1', metric: 'busy' });
    const nodes = parseCsv((await get(where, 'format=csv&run=r8&ranks=false&nodes=true&series=busy')).toString());
    expect(nodes).toHaveLength(TICKS);
    expect(nodes[0]).toMatchObject({ scope: 'node/n1', job: 'job-8' });
    const minutes = parseCsv(
      (await get(where, `format=csv&run=r2&ranks=false&resolution=1m&series=${SEND}`)).toString(),
    );
    expect(minutes.map((row) => row['time'])).toEqual(
      Array.from({ length: 6 }, (_, i) => new Date(runStart(0) + 60_000 * i).toISOString()),
    );
    expect(minutes.at(-2)).toMatchObject({ avg: '0.5', min: '0.5', max: '0.5', last: String(sent(2, 299)) });
  });
});

describe('JSON', () => {
  test('is what was asked for: profiles, and the same values', async () => {
    const text = (await get(await here(), 'format=json&run=r2&run=empty')).toString();
    const { format, about, profiles, samples } = JSON.parse(text) as {
      format: string;
      about: Record<string, unknown>;
      profiles: { run: { id: string }; ranks: unknown[] }[];
      samples: { scope: string; metric: string; times: number[]; value: number[]; min?: number[] }[];
    };
    expect([format, about['resolution']]).toEqual(['vigie-export', 'raw']);
    expect(profiles.map(({ run, ranks }) => [run.id, ranks.length])).toEqual([
      ['r2', 2],
      ['empty', 0],
    ]);
    const mine = samples.filter(({ scope, metric }) => scope === 'run/r2' && metric === BARRIER);
    const times = mine.flatMap((part) => part.times);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times).toHaveLength(TICKS);
    expect(mine.flatMap(({ value }) => value)).toEqual(times.map((time) => (time - runStart(0)) / 8000));
  });
});

describe('Parquet', () => {
  const SCRIPT = `
import sys, json, pyarrow.parquet as pq, pyarrow.compute as pc
table = pq.read_table(sys.argv[1])
rows = table.filter(pc.and_(pc.equal(table['scope'], sys.argv[2]), pc.equal(table['metric'], sys.argv[3])))
print(json.dumps({
  'schema': [str(f.type) + ('' if f.nullable else '!') for f in table.schema], 'names': table.schema.names,
  'rows': table.num_rows, 'about': json.loads(table.schema.metadata[b'vigie']),
  'times': [t.timestamp() for t in rows['time'].to_pylist()], 'value': rows['value'].to_pylist(),
  'min': rows['min'].to_pylist()[:2], 'ranks': sorted(set(table['rank'].to_pylist()), key=lambda r: -1 if r is None else r),
  'metrics': sorted(set(table['metric'].to_pylist()))}))
`;

  test('is read by pyarrow: types, values, names as they are', { timeout: 600_000 }, async (context) => {
    const python = await requireReaders(context);
    const where = await here();
    const file = save('a.parquet', await get(where, `format=parquet&${ALL}`));
    const read = JSON.parse(await python.run(['-c', SCRIPT, file, 'run/r16', SEND])) as Record<string, unknown>;
    const text = 'string!';
    expect(read['names']).toEqual([
      'time',
      'scope',
      'job',
      'rank',
      'node',
      'metric',
      'kind',
      'unit',
      'value',
      'min',
      'max',
    ]);
    expect(read['schema']).toEqual([
      'timestamp[ms, tz=UTC]!',
      text,
      text,
      'int32',
      text,
      text,
      text,
      text,
      'double',
      'double',
      'double',
    ]);
    const times = read['times'] as number[];
    expect(times).toHaveLength(TICKS);
    expect(read['value']).toEqual(times.map((time) => sent(16, time - runStart(3) / 1000)));
    expect(read['min']).toEqual([null, null]);
    expect(read['ranks']).toEqual([null, 0, 1, 2, 3]);
    expect(read['metrics']).toEqual([HOSTILE, BARRIER, SEND, GAUGE].sort());
    expect(read['about']).toMatchObject({ resolution: 'raw', runs: SIZES.map((size) => ({ id: `r${size}` })) });
    const { length } = parseCsv((await get(where, `format=csv&${ALL}`)).toString());
    expect(read['rows']).toBe(length);
  });

  test('of nothing is a table without rows', { timeout: 600_000 }, async (context) => {
    const python = await requireReaders(context);
    const file = save('a.parquet', await get(await here(), 'format=parquet&run=empty'));
    expect(JSON.parse(await python.run(['-c', SCRIPT, file, '', '']))).toMatchObject({ rows: 0 });
  });
});

test('OpenMetrics becomes blocks of Prometheus', async (context) => {
  const promtool = requireComponent('promtool', context);
  const where = await here();
  const body = await get(where, `format=openmetrics&${ALL}&nodes=true`);
  const text = body.toString();
  expect(text.endsWith('# EOF\n')).toBe(true);
  // A family stands together.
  const families = text.split('\n').flatMap((line) => /^# TYPE (\S+) /.exec(line)?.[1] ?? []);
  expect(new Set(families).size).toBe(families.length);
  const blocks = join(temporaryFolder(), 'blocks');
  const file = save('a.om.txt', body);
  execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, blocks], { encoding: 'utf8' });
  const listed = execFileSync(promtool, ['tsdb', 'list', blocks], { encoding: 'utf8' }).trim().split('\n').slice(1);
  const samples = listed.reduce((sum, line) => sum + Number(line.split(/\s{2,}|\t/)[4]), 0);
  expect(samples).toBe(parseCsv((await get(where, `format=csv&${ALL}&nodes=true`)).toString()).length);
  // What reads blocks looks for the log of a server beside them.
  mkdirSync(join(blocks, 'wal'));
  const dump = execFileSync(promtool, ['tsdb', 'dump', `--match={__name__="${SEND}",scope="run/r8"}`, blocks], {
    encoding: 'utf8',
  });
  const values = dump
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ').at(-2)));
  expect(values).toHaveLength(TICKS);
  expect(values.at(-1)).toBe(sent(8, SECONDS));
});

test('a trace is what the Trace Event Format says, a process for each rank', async () => {
  const { traceEvents, displayTimeUnit } = JSON.parse((await get(await here(), 'format=trace&run=r4')).toString()) as {
    displayTimeUnit: string;
    traceEvents: {
      ph: string;
      pid: number;
      tid: number;
      name: string;
      ts?: number;
      dur?: number;
      args: Record<string, unknown>;
    }[];
  };
  expect(displayTimeUnit).toBe('ms');
  for (const { ph, pid, tid, name, ts, dur, args } of traceEvents) {
    expect(['M', 'X', 'C']).toContain(ph);
    expect(Number.isInteger(pid) && Number.isInteger(tid) && typeof name === 'string').toBe(true);
    if (ph !== 'M') expect(Number.isInteger(ts) && ts! >= 0).toBe(true);
    if (ph === 'X') expect(dur! > 0).toBe(true);
    if (ph === 'C') expect(Object.entries(args)).toEqual([['value', expect.any(Number)]]);
  }
  const names = traceEvents.filter(({ name }) => name === 'process_name').map(({ args }) => args['name']);
  expect(names).toEqual(['job-4 (all ranks)', ...[0, 1, 2, 3].map((rank) => `job-4 rank ${rank} on n1`)]);
  const slices = traceEvents.filter(({ ph }) => ph === 'X');
  expect(slices).toMatchObject([{ name: './solve --input <b>&"x"', ts: 0, dur: SECONDS * 1e6 }]);
  const rates = traceEvents.filter(({ pid, name }) => pid === 1 && name === `${SEND} (per s)`);
  // Of the first total it is not known since when it grew.
  expect(rates).toHaveLength(TICKS - 1);
  expect(new Set(rates.map(({ args }) => args['value']))).toEqual(new Set([1]));
});

test("Extra-P reads its lines and finds how the runs' metrics grow", { timeout: 600_000 }, async (context) => {
  const python = await requireReaders(context);
  const body = await get(await here(), `format=extrap&${ALL}`);
  const lines = body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual({
    ...{ params: { size: 8 }, metric: 'time', callpath: 'mpi->time->mpi_send', value: sent(8, SECONDS) },
  });
  // The same fields as what the old proxy writes.
  const golden = readFileSync(
    join(import.meta.dirname, '../../fixtures/proxy/profiles_extrap_scal3.jsonl'),
    'utf8',
  ).split('\n')[0]!;
  expect(Object.keys(lines[0]!)).toEqual(Object.keys(JSON.parse(golden) as object));
  const file = save('a.extrap.jsonl', body);
  const said = await python.run(['-m', 'extrap.extrap.extrapcmd', '--disable-progress', '--json', file]);
  const at = said.indexOf('Callpath: mpi->time->mpi_send');
  const model = /Metric: time[\s\S]*?Model: (.*)/.exec(said.slice(at))?.[1];
  // Seconds of sending grow as the size does.
  const [, factor] = /([\d.]+) \* size\^\(1\)$/.exec(model ?? '') ?? [];
  expect(Number(factor)).toBeCloseTo(0.25 * SECONDS, 6);
});

describe('a report', () => {
  test('is one page: what ran, slow parts, ranks, plots; names are text', async () => {
    const page = (await get(await here(), `format=html&${ALL}`)).toString();
    expect(page.startsWith('<!doctype html>') && page.trimEnd().endsWith('</html>')).toBe(true);
    expect(page).toContain(`content="default-src 'none';`);
    expect(page).not.toMatch(/<(?:script|img|link|iframe|object|b>)|\son\w+="|https?:/i);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toContain('MPI Barrier');
    expect(page.match(/<svg /g)!.length).toBeGreaterThanOrEqual(SIZES.length);
    const empty = (await get(await here(), 'format=html&run=empty')).toString();
    expect(empty).toContain('This run has told no values.');
  });
});

describe('the interface', () => {
  const problem = async (where: Here, query: string) => {
    const answer = await fetch(`${where.url}/api/v1/export?${query}`, { headers: withToken(where) });
    return [answer.status, Problem.parse(await answer.json()).code];
  };

  test('refuses what cannot be, before a byte is sent', async () => {
    const where = await here();
    expect(await problem(where, 'format=csv')).toEqual([400, 'bad_request']);
    expect(await problem(where, 'format=doc&run=r2')).toEqual([400, 'bad_request']);
    expect(await problem(where, 'format=csv&run=nothing')).toEqual([404, 'run_not_found']);
    expect(await problem(where, 'format=csv&scope=node/nobody')).toEqual([404, 'scope_not_found']);
    expect(await problem(where, 'format=csv&run=r2&from=2&to=1')).toEqual([400, 'bad_request']);
    expect(await problem(where, 'format=csv&run=r2&select=%7Bx')).toEqual([400, 'bad_request']);
    expect(await problem(where, 'format=html&scope=node/n1')).toEqual([400, 'bad_request']);
    expect(await problem(where, 'format=extrap&run=empty')).toEqual([400, 'bad_request']);
    const noToken = await fetch(`${where.url}/api/v1/export?format=csv&run=r2`);
    expect(noToken.status).toBe(401);
    await noToken.text();
  });

  test('says how much it would be, how far it is, and what it was', async () => {
    const where = await here();
    const headers = withToken(where);
    const asked = await fetch(`${where.url}/api/v1/export/estimate?format=csv&run=r2&ranks=false`, { headers });
    const estimate = ExportEstimate.parse(await asked.json());
    expect(estimate).toMatchObject({ runs: 1, scopes: 1, series: 5, resolution: 'raw', notes: [] });
    expect(estimate.samples).toBe(5 * TICKS);
    await get(where, 'format=csv&run=r2&ranks=false&id=chosen-by-me');
    const state = await fetch(`${where.url}/api/v1/exports/chosen-by-me`, { headers });
    expect(ExportState.parse(await state.json())).toMatchObject({
      ...{ state: 'done', done: 5 * TICKS, total: 5 * TICKS, error: null, name: 'vigie-job-2-2027-01-15T080000.csv' },
    });
    const list = ExportList.parse(await (await fetch(`${where.url}/api/v1/exports`, { headers })).json());
    expect(list.exports.map(({ id }) => id)).toEqual(['chosen-by-me']);
    const none = await fetch(`${where.url}/api/v1/exports/never-heard-of`, { headers });
    expect([none.status, Problem.parse(await none.json()).code]).toEqual([404, 'export_not_found']);
  });

  test.each(ExportFormat.options)(
    'foretells the size of %s within a factor of two',
    { timeout: 60_000 },
    async (format) => {
      const where = await here();
      const asked = [`format=${format}&${ALL}`];
      const { of } = EXPORT_FORMATS[format];
      asked.push(of === 'samples' ? 'format=F&run=r8&ranks=false' : 'format=F&run=r4&run=r16');
      if (of === 'samples') asked.push('format=F&run=r32&resolution=1m', 'format=F&scope=node/n1');
      for (const one of asked) {
        const query = one.replace('format=F', `format=${format}`);
        const answer = await fetch(`${where.url}/api/v1/export/estimate?${query}`, { headers: withToken(where) });
        const { bytes } = ExportEstimate.parse(await answer.json());
        const { length } = await get(where, query);
        expect(bytes / length, query).toBeGreaterThan(0.5);
        expect(bytes / length, query).toBeLessThan(2);
      }
    },
  );

  test('gives a page a link that works once, without a token', async () => {
    const where = await here();
    const made = await fetch(`${where.url}/api/v1/exports`, {
      ...{ method: 'POST', headers: { ...withToken(where), 'content-type': 'application/json' } },
      body: JSON.stringify({ format: 'csv', run: ['r2'], ranks: false }),
    });
    const { path, name } = NewExport.parse(await made.json());
    const first = await fetch(where.url + path);
    expect(first.headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
    expect(parseCsv(await first.text())).toHaveLength(4 * TICKS);
    const second = await fetch(where.url + path);
    expect(second.status).toBe(404);
    await second.text();
  });

  test('is ended by who asked for it, and by those who control', async () => {
    const where = await here();
    const made = await fetch(`${where.url}/api/v1/tokens`, {
      ...{ method: 'POST', headers: { ...withToken(where), 'content-type': 'application/json' } },
      body: JSON.stringify({ name: 'viewer', role: 'view' }),
    });
    const { token } = (await made.json()) as { token: string };
    const [view, control] = [{ authorization: `Bearer ${token}` }, withToken(where)];
    // Nobody reads on: they stay under way.
    const begin = async (id: string, headers: { authorization: string }) =>
      fetch(`${where.url}/api/v1/export?format=trace&${ALL}&id=${id}`, { headers });
    const stop = async (id: string, headers: { authorization: string }) => {
      const answer = await fetch(`${where.url}/api/v1/exports/${id}`, { method: 'DELETE', headers });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    const owners = await begin('of-the-owner', control);
    expect(await stop('of-the-owner', view)).toEqual([403, 'forbidden_role']);
    expect(await stop('of-the-owner', control)).toEqual([200, undefined]);
    const viewers = await begin('of-the-viewer', view);
    expect(await stop('of-the-viewer', view)).toEqual([200, undefined]);
    for (const answer of [owners, viewers]) await answer.body?.cancel();
  });

  test('is ended before it has begun to write, too', async () => {
    const where = await here();
    const headers = withToken(where);
    const url = `${where.url}/api/v1/exports/ended-early`;
    const answer = fetch(`${where.url}/api/v1/export?format=trace&${ALL}&id=ended-early`, { headers });
    await eventually(async () => {
      const stopped = await fetch(url, { method: 'DELETE', headers });
      await stopped.text();
      return stopped.status === 200;
    });
    await answer.then((one) => one.text()).catch(() => undefined);
    const state = ExportState.parse(await (await fetch(url, { headers })).json());
    expect(state).toMatchObject({ state: 'cancelled', bytes: 0 });
  });

  test('HEAD makes no file, and uses up no link', async () => {
    const where = await here();
    const headers = withToken(where);
    const made = await fetch(`${where.url}/api/v1/exports`, {
      ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
      body: JSON.stringify({ format: 'csv', run: ['r2'], ranks: false }),
    });
    const { path } = NewExport.parse(await made.json());
    for (const each of [path, `/api/v1/export?format=csv&${ALL}`]) {
      expect((await fetch(where.url + each, { method: 'HEAD', headers })).status).toBe(200);
    }
    const list = ExportList.parse(await (await fetch(`${where.url}/api/v1/exports`, { headers })).json());
    expect(list.exports).toEqual([]);
    expect(parseCsv(await (await fetch(where.url + path)).text())).toHaveLength(4 * TICKS);
  });

  test('a run that lives is exported up to now; a store in memory, too', async () => {
    const where = await startHere({ memory: true });
    const pusher = await where.pusher();
    pusher.job({ jobid: 'j', size: 2 });
    pusher.describeCounter('steps_total');
    pusher.increase('steps_total', 7);
    const run = await eventually(async () =>
      (await where.client.runs({ state: 'live' })).runs.find((one) => one.series > 0),
    );
    await eventually(async () => parseCsv((await get(where, `format=csv&run=${run.id}`)).toString()).length > 2);
    for (const format of ExportFormat.options) {
      if (format === 'extrap') continue;
      expect((await get(where, `format=${format}&run=${run.id}`)).length).toBeGreaterThan(100);
    }
    const rows = parseCsv((await get(where, `format=csv&run=${run.id}`)).toString());
    expect(rows.at(-1)).toMatchObject({ job: 'j', metric: 'steps_total', value: '7' });
  });
});
