import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { golden, goldenText } from '../../support/recording.ts';
import { shapeOf, shapeOfValues } from '../../support/shape.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Ask, type Here } from './here.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

const send = (here: Here, path: string, more: Ask = {}): Promise<Answer> =>
  ask(here, path, { ...more, headers: { ...withToken(here), ...more.headers } });
const json = async <T = unknown>(here: Here, path: string, more: Ask = {}): Promise<T> => {
  const answer = await send(here, path, more);
  expect([answer.status, answer.type], `${path}: ${answer.body.slice(0, 200)}`).toEqual([200, JSON_TYPE]);
  return answer.json() as T;
};
const post = (body: unknown): Ask => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const refusal = { operation: expect.any(String) as string, success: false };

interface Job {
  readonly counters: readonly { name: string; doc: string; ctype: { Counter?: { value: number } } }[];
}
const counterOf = async (here: Here, name: string): Promise<{ value: number | undefined; doc: string } | undefined> => {
  const found = (await json<Job>(here, '/job/?job=main')).counters.find((counter) => counter.name === name);
  return found && { value: found.ctype.Counter?.value, doc: found.doc };
};

describe('/push, /set and /accumulate', () => {
  test('with POST and a body, as recorded', async () => {
    const here = await startHere();
    const key = 'gold_http_post';
    expect(await json(here, '/push', post({ key, value: '0', doc: 'posted' }))).toEqual(golden('push_post.json'));
    expect(await counterOf(here, key)).toEqual({ value: 0, doc: 'posted' });
    expect(await json(here, '/accumulate', post({ key, value: '3' }))).toEqual(golden('accumulate_post.json'));
    expect(await json(here, '/accumulate/', post({ key, value: 0.5 }))).toEqual(golden('accumulate_post.json'));
    expect((await counterOf(here, key))?.value).toBe(3.5);
    expect(await json(here, '/set', post({ key, value: '5e1' }))).toEqual(golden('set.json'));
    expect((await counterOf(here, key))?.value).toBe(50);
    // Again, with another description: nothing is lost.
    expect(await json(here, '/push', post({ key, value: '0', doc: 'other' }))).toEqual(golden('push_post.json'));
    expect(await counterOf(here, key)).toEqual({ value: 50, doc: 'posted' });
    // With the parameters in the URL.
    expect(await json(here, `/set?key=${key}&value=1`, { method: 'POST' })).toEqual(golden('set.json'));
    expect((await counterOf(here, key))?.value).toBe(1);
  });

  test('with GET for those whom --compat lets in, as recorded', async () => {
    const here = await startHere({ compat: true });
    const get = async (path: string): Promise<unknown> => (await ask(here, path)).json();
    expect(await get('/push?key=gold_http_counter&doc=from%20http')).toEqual(golden('push.json'));
    expect(await get('/set?key=gold_http_counter&value=5')).toEqual(golden('set.json'));
    expect(await get('/accumulate?key=gold_http_counter&value=2.5')).toEqual(golden('accumulate.json'));
    expect(await counterOf(here, 'gold_http_counter')).toEqual({ value: 7.5, doc: 'from http' });
    const refused = await ask(here, '/set?key=nosuch&value=1');
    expect([refused.status, refused.json()]).toEqual([400, golden('set_unknown.json')]);
    const { host } = (await here.client.nodes()).nodes[0]!;
    const ofNode = await json<Job>(here, `/job/?job=${encodeURIComponent(`Node: ${host}`)}`);
    expect(ofNode.counters.some((counter) => counter.name === 'gold_http_counter')).toBe(true);
  });

  test('nothing changes on GET without --compat, nor on HEAD', async () => {
    const here = await startHere();
    for (const path of ['/push?key=x', '/set?key=x&value=1', '/accumulate?key=x&value=1']) {
      const answer = await send(here, path);
      expect([answer.status, answer.headers['allow']], path).toEqual([405, 'POST']);
      expect((await ask(here, path)).status).toBe(401);
    }
    expect(await counterOf(here, 'x')).toBeUndefined();
    const open = await startHere({ compat: true });
    expect((await send(open, '/push?key=x', { method: 'HEAD' })).status).toBe(405);
    expect(await counterOf(open, 'x')).toBeUndefined();
    // On the engine's own socket, too.
    expect((await ask({ socketPath: here.engine.ready.socket }, '/push?key=x')).status).toBe(405);
    expect((await ask({ socketPath: open.engine.ready.socket }, '/push?key=x')).status).toBe(200);
  });

  test('a page of another site cannot make a browser change anything', async () => {
    const here = await startHere({ compat: true });
    const headers: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { referer: 'http://evil.example/page' },
      { referer: 'nonsense' },
      { origin: 'http://evil.example' },
      { host: 'evil.example' },
    ];
    for (const header of headers) {
      const answer = await ask(here, '/push?key=x', { headers: header });
      expect([answer.status, JSON.stringify(header)]).toEqual([403, JSON.stringify(header)]);
    }
    expect(await counterOf(here, 'x')).toBeUndefined();
    const { host } = new URL(here.url);
    for (const header of [{ 'sec-fetch-site': 'none' }, { referer: `http://${host}/ui/jobs` }] as const) {
      expect((await ask(here, '/push?key=x', { headers: header })).status).toBe(200);
    }
  });

  test.each([
    ['missing parameters', '/set', {}],
    ['no value', '/accumulate', { key: 'known' }],
    ['no key', '/push', { doc: 'x' }],
    ['an empty key', '/push', { key: '' }],
    ['a value that is no number', '/set', { key: 'known', value: 'many' }],
    ['an empty value', '/set', { key: 'known', value: '' }],
    ['blanks', '/set', { key: 'known', value: ' ' }],
    ['hexadecimal', '/set', { key: 'known', value: '0x10' }],
    ['null', '/set', { key: 'known', value: null }],
    ['NaN', '/set', { key: 'known', value: 'NaN' }],
    ['a number too large', '/set', { key: 'known', value: '1e999' }],
    ['a negative number', '/accumulate', { key: 'known', value: -1 }],
    ['a list', '/set', []],
    ['a text', '/set', '"text"'],
    ['half a body', '/set', '{"key":'],
    ['a control character', '/push', { key: 'a\nb' }],
    ['a name without end', '/push', { key: 'x'.repeat(5000) }],
    ['a name of the node itself', '/push', { key: 'proxy_memory_used_bytes' }],
    ['a name nobody pushed', '/accumulate', { key: 'nosuch', value: 1 }],
  ])('%s: refused, and the engine goes on', async (_name, path, body) => {
    const here = await startHere();
    await json(here, '/push', post({ key: 'known', doc: '' }));
    await json(here, '/set', post({ key: 'known', value: 2 }));
    const answer = await send(here, path, post(body));
    expect([answer.status, answer.type, answer.json()]).toEqual([400, JSON_TYPE, refusal]);
    expect((await counterOf(here, 'known'))?.value).toBe(2);
  });

  test('another type than JSON is refused in the same shape', async () => {
    const here = await startHere();
    const answer = await send(here, '/set', { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' });
    expect([answer.status, answer.json()]).toEqual([400, refusal]);
  });

  test('a sum without end is refused, and what programs count is not changed', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.describeCounter('mine_total');
    pusher.increase('mine_total', 5);
    await eventually(async () => (await counterOf(here, 'mine_total'))?.value === 5);
    const foreign = await send(here, '/set', post({ key: 'mine_total', value: 1 }));
    expect(foreign.json()).toEqual({ operation: 'No such key mine_total cannot set it', success: false });
    // Beside it, once it is pushed.
    await json(here, '/push', post({ key: 'mine_total' }));
    await json(here, '/set', post({ key: 'mine_total', value: 100 }));
    await json(here, '/set', post({ key: 'mine_total', value: 1 }));
    expect((await counterOf(here, 'mine_total'))?.value).toBe(6);
    await json(here, '/push', post({ key: 'big' }));
    await json(here, '/set', post({ key: 'big', value: 1.7e308 }));
    const over = await send(here, '/accumulate', post({ key: 'big', value: 1.7e308 }));
    expect([over.status, over.json()]).toEqual([400, refusal]);
    expect((await counterOf(here, 'big'))?.value).toBe(1.7e308);
    const { body } = await send(here, '/metrics');
    expect(body).not.toContain('Inf');
  });

  test('both spellings of a name are one counter', async () => {
    const here = await startHere();
    await json(here, '/push', post({ key: 'x{b="1",a="2"}' }));
    await json(here, '/accumulate', post({ key: 'x{a="2",b="1"}', value: 3 }));
    expect((await counterOf(here, 'x{b="1",a="2"}'))?.value).toBe(3);
  });
});

describe('jobs', () => {
  test('the sums and all of them, as recorded, with and without a slash', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid: 'live-1', command: './live' });
    pusher.describeCounter('x_total');
    pusher.increase('x_total', 1);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.some((run) => run.series === 1));
    const { host } = (await here.client.nodes()).nodes[0]!;
    const answers = [
      ['/job', 'job_all.json'],
      ['/job/?job=main', 'job_main.json'],
      [`/job/?job=${encodeURIComponent(`Node: ${host}`)}`, 'job_node.json'],
    ] as const;
    for (const [path, file] of answers) {
      expect(shapeOf(await json(here, path)), path).toEqual(shapeOf(golden(file)));
      const other = path.includes('/?') ? path.replace('/?', '?') : `${path}/`;
      expect(shapeOf(await json(here, other)), other).toEqual(shapeOf(golden(file)));
    }
  });

  test('the lines of /metrics, but for the time where scrapers read the value', async () => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid: 'live-1' });
    pusher.describeCounter('mpi___hits___mpi_allreduce', 'doc of mpi___hits___mpi_allreduce');
    pusher.increase('mpi___hits___mpi_allreduce', 400);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs.some((run) => run.series === 1));
    const lines = (await send(here, '/metrics?job=live-1')).body.split('\n');
    const recorded = goldenText('metrics_job.txt')
      .split('\n')
      .filter((line) => line.includes('mpi___hits___mpi_allreduce'));
    expect(recorded).toHaveLength(3);
    for (const line of recorded) expect(lines).toContain(line.replace(/^(\w+) \d+ (\S+)$/, '$1 $2'));
  });
});

describe('one engine alone', () => {
  test('its period, its tree and its targets, as recorded', async () => {
    const here = await startHere({ period: '1s' });
    for (const slash of ['', '/']) {
      expect(await json(here, `/period${slash}`)).toEqual(golden('period.json'));
      const self = `${hostname()}:${new URL(here.url).port}`;
      expect(await json(here, `/topo${slash}`)).toEqual([[self, self]]);
      expect(shapeOf([[self, self]])).toEqual(shapeOf(golden('topo.json')));
      const list = await json<{ target_url: string; last_scrape: number; period: number }[]>(
        here,
        `/join/list${slash}`,
      );
      expect(shapeOf(list)).toEqual(shapeOf(golden('join_list.json')));
      expect(list).toMatchObject([{ target_url: '/system', ttype: 'System', period: 1000 }]);
      expect(Math.abs(list[0]!.last_scrape - Date.now() / 1000)).toBeLessThan(600);
    }
    const bare = await startHere({ node: false, period: '250ms' });
    expect(await json(bare, '/join/list')).toEqual([]);
    expect(await json(bare, '/period')).toEqual({ operation: '250', success: true });
    const hidden = await startHere({ listen: 'off' });
    const topo = await ask({ socketPath: hidden.engine.ready.socket }, '/topo');
    expect(topo.json()).toEqual([[hostname(), hostname()]]);
  });

  test('what another proxy looks for before it reads jobs from here', async () => {
    const here = await startHere({ compat: true });
    const answer = await ask(here, '/is_admire_proxy.html');
    expect([answer.status, answer.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.body).toContain('<html>');
  });

  test.each([
    ['/leave?from=x:1', 200, 'leave_unknown.json'],
    ['/remove?from=a:1&target=b:1', 400, 'remove_unknown.json'],
    ['/disconnect?target=b:1', 400, 'disconnect_unknown.json'],
    ['/join?to=http://x:1', 400, 'join_http.json'],
    ['/alarms/del?targetjob=live-1&name=a2', 400, 'alarms_del_unknown.json'],
    ['/model/plot?jobid=scal-4&metric=mpi___hits___mpi_allreduce&start=1&end=10&step=2', 400, 'model_plot.json'],
    ['/queue/model?job=1', 400, 'queue_model.json'],
  ])('%s as recorded', async (path, status, file) => {
    const here = await startHere({ compat: true });
    const answer = await send(here, path);
    expect([answer.status, answer.type, answer.json()]).toEqual([status, JSON_TYPE, golden(file)]);
  });

  test.each([
    '/join',
    '/join/multiple',
    '/join/zzz',
    '/pivot',
    '/leave',
    '/alarms/add',
    '/alarms/zzz',
    '/model/get?jobid=x',
    '/model/ftio',
    '/ftio/args',
    '/ftio/logs',
    '/ftio/port',
    '/queue/list',
  ])('%s is refused in the old shape', async (path) => {
    const here = await startHere({ compat: true });
    const answer = await send(here, path);
    expect([answer.status, answer.type, answer.json()]).toEqual([400, JSON_TYPE, refusal]);
  });

  test('a target where nothing answers is refused with the words that are recorded', async () => {
    const here = await startHere({ compat: true });
    const answer = await send(here, '/join?to=127.0.0.1:1');
    expect([answer.status, answer.json()]).toEqual([400, golden('join_bad.json')]);
  });
});

describe('how a command scales', () => {
  /** One finished job of a size. */
  async function measure(here: Here, size: number, counters: Readonly<Record<string, number>>): Promise<void> {
    const pusher = await here.pusher();
    pusher.job({ jobid: `scal-${size}`, command: './scal -n 100', size });
    for (const [name, value] of Object.entries(counters)) {
      pusher.describeCounter(name);
      pusher.increase(name, value);
    }
    pusher.describeGauge('app_temp');
    pusher.set('app_temp', { min: size, max: 3 * size, hits: 2, total: 4 * size });
    await pusher.close();
    await eventually(async () =>
      (await here.client.runs({ state: 'ended' })).runs.some((run) => run.jobid === `scal-${size}`),
    );
  }
  async function measureAll(here: Here): Promise<void> {
    for (const size of [8, 2, 4]) {
      await measure(here, size, {
        mpi___hits___mpi_allreduce: 100 * size,
        mpi___time___mpi_allreduce: size / 10,
        strace___size___read: 4096 * size,
        total___mpi___hits___total: 100 * size,
        has_started: 1,
        never_moves: 0,
        ...(size === 4 ? { only_once: 1 } : {}),
      });
    }
    const other = await here.pusher();
    other.job({ jobid: 'other', command: './other', size: 16 });
    other.describeCounter('has_started');
    other.increase('has_started', 7);
    await other.close();
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 4);
  }

  test('/profiles/points: size and value of each metric, smallest first', async () => {
    const here = await startHere();
    await measureAll(here);
    const points = await json<Record<string, [number, number][]>>(here, '/profiles/points?jobid=scal-4');
    for (const file of ['profiles_points.json', 'profiles_points_scal2.json'])
      expect(shapeOfValues(points)).toEqual(shapeOfValues(golden(file)));
    expect(points).toMatchObject({
      mpi___hits___mpi_allreduce: [
        [2, 200],
        [4, 400],
        [8, 800],
      ],
      app_temp: [
        [2, 4],
        [4, 8],
        [8, 16],
      ],
      only_once: [[4, 1]],
    });
    expect(points['walltime']!.map(([size]) => size)).toEqual([2, 4, 8]);
    expect(Object.keys(points).some((name) => name.startsWith('proxy_'))).toBe(true);
    expect(points).not.toHaveProperty('never_moves');
    expect(await json(here, '/profiles/points/?jobid=scal-8')).toEqual(points);
  });

  test('/profiles/extrap: JSON lines for Extra-P, of what each job has', async () => {
    const here = await startHere();
    await measureAll(here);
    for (const path of ['/profiles/extrap?jobid=scal-2', '/model/download?jobid=scal-2']) {
      const answer = await send(here, path);
      expect([answer.status, answer.type]).toEqual([200, 'text/plain; charset=utf-8']);
      const lines = linesOf(answer.body);
      const recorded = linesOf(goldenText('profiles_extrap_scal3.jsonl'));
      expect(shapeOf(lines)).toEqual(shapeOf(recorded));
      // Of a metric the same quantity and call path as recorded.
      const names = ({ metric, callpath }: Line): string => `${metric} ${callpath}`;
      const ours = new Set(lines.map(names));
      for (const line of recorded) if (!['has_finished'].includes(line.callpath)) expect(ours).toContain(names(line));
      expect(lines.filter(({ callpath }) => callpath === 'mpi->time->mpi_allreduce')).toEqual(
        [2, 4, 8].map((size) => ({
          params: { size },
          metric: 'time',
          callpath: 'mpi->time->mpi_allreduce',
          value: size / 10,
        })),
      );
      expect(answer.body).not.toContain('only_once');
      expect(answer.body).not.toContain('never_moves');
    }
  });

  test.each(['/profiles/points', '/profiles/extrap', '/model/download'])('%s of nobody', async (path) => {
    const here = await startHere();
    const answer = await send(here, `${path}?jobid=nosuch`);
    expect([answer.status, answer.json()]).toEqual([400, golden('model_get_unknown.json')]);
    const missing = await send(here, path);
    expect([missing.status, missing.json()]).toEqual([400, refusal]);
  });
});

interface Line {
  readonly metric: string;
  readonly callpath: string;
}
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
