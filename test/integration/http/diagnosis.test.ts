/** The health check, the engine's look at itself, and the support bundle. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { Bundle, bundleText, Diagnosis } from '../../../src/shared/api/diagnosis.ts';
import { startEngine, tokenOf } from '../../support/engine.ts';
import { runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { mountTmpfs, noMount } from '../store/tmpfs.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

/** Seconds; undefined until there is one. */
async function worstDelay({ client }: Here): Promise<number | undefined> {
  const { series } = await client.series(`node/${hostname()}`);
  return series.find((one) => one.name === 'vigie_event_loop_delay_max_seconds')?.value ?? undefined;
}

describe('the health check', () => {
  test('is public and says that all is well', async () => {
    const here = await startHere();
    expect(await ask(here, '/healthz')).toMatchObject({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'ok\n',
    });
  });

  test('says when samples were late, and nothing of what is measured', async () => {
    const here = await startHere();
    // The whole process stands still, as a node does that swaps.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5500);
    const answer = await eventually(async () => {
      const now = await ask(here, '/healthz');
      return now.status === 503 && now;
    });
    expect(answer.body).toBe('ticks: samples are taken late\n');
    // What was pushed is taken nevertheless, and asked for.
    expect((await ask(here, '/api/v1/status', { headers: withToken(here) })).status).toBe(200);
  });

  test('what the event loop was late by is a figure of the node', async () => {
    const here = await startHere({ period: '2s' });
    await eventually(async () => (await worstDelay(here)) !== undefined);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    // Timers are looked at every 250 ms: so much of it may be missed.
    await eventually(async () => ((await worstDelay(here)) ?? 0) >= 1.2);
  });

  test.skipIf(noMount !== null)('says when history is not written, and when it is again', async () => {
    const disk = mountTmpfs(1024);
    const data = join(disk.path, 'data');
    const here = await startHere({ data });
    const fill = join(disk.path, 'fill');
    try {
      writeFileSync(fill, Buffer.alloc(1024 * 1024));
    } catch {
      // Full, which is what was wanted.
    }
    const failing = await eventually(async () => {
      const now = await ask(here, '/healthz');
      return now.status === 503 && now;
    });
    expect(failing.body).toBe('store: history is not written\n');
    const found = Diagnosis.parse((await ask(here, '/api/v1/diagnosis', { headers: withToken(here) })).json());
    expect(found.level).toBe('problem');
    expect(found.checks.filter((check) => check.level === 'problem').map((check) => check.id)).toEqual(
      expect.arrayContaining(['store', 'space']),
    );
    rmSync(fill);
    await eventually(async () => (await ask(here, '/healthz')).status === 200, { timeout: 60_000 });
  });
});

test('an engine in order has no problem, and a diagnosis needs the token', async () => {
  const here = await startHere({ data: join(temporaryFolder(), 'data') });
  expect((await ask(here, '/api/v1/diagnosis')).status).toBe(401);
  expect((await ask(here, '/api/v1/bundle')).status).toBe(401);
  const { checks } = Diagnosis.parse((await ask(here, '/api/v1/diagnosis', { headers: withToken(here) })).json());
  // The machine may have its own: a full disk, an old proxy. The engine has none.
  expect(checks.filter((check) => check.area === 'engine' && check.level === 'problem')).toEqual([]);
  expect(checks.filter((check) => check.area === 'sockets' && check.level !== 'ok')).toEqual([]);
  expect(checks.filter((check) => check.area === 'files' && check.level !== 'ok')).toEqual([]);
  expect(new Set(checks.map((check) => check.area))).toEqual(
    new Set(['engine', 'sockets', 'port', 'files', 'disk', 'limits', 'clock', 'versions']),
  );
});

/** In every name that is planted, and in no word of ours. */
const PLANTED = 'zinnia';

describe('the support bundle', () => {
  test('has none of the names and secrets, from the engine, by the command, and without an engine', async () => {
    const folder = temporaryFolder();
    const home = join(folder, `${PLANTED}home`);
    const data = join(home, `${PLANTED} data`);
    mkdirSync(data, { recursive: true, mode: 0o700 });
    // A warning that names the path.
    writeFileSync(join(data, 'vigie.sqlite'), 'not a database, and long enough to be looked at'.repeat(100));
    const config = join(folder, 'config.yaml');
    writeFileSync(config, `allow_hosts: [login.${PLANTED}-cluster.example]\n`);
    const env = { HOME: home, USER: `${PLANTED}user`, LOGNAME: `${PLANTED}user` };
    const engine = await startEngine({ folder, env, args: ['--data', data, '--config', config, '--period', '50ms'] });
    const job = {
      command: `./${PLANTED}-solver --input /scratch/${PLANTED} project/in.dat`,
      nodelist: `${PLANTED}[01-04],${PLANTED}gpu9`,
      partition: `${PLANTED}part`,
      cluster: `${PLANTED}cluster`,
      run_dir: `/scratch/${PLANTED} project`,
    };
    const { socket } = engine.ready;
    const client = new EngineClient({ socket: socket! });
    const ended = await Pusher.connect(socket!);
    ended.job({ jobid: `${PLANTED} 17`, ...job });
    ended.describeCounter(`${PLANTED}_steps_total`, `${PLANTED} words`);
    await ended.close();
    const live = await Pusher.connect(socket!);
    live.job({ jobid: `${PLANTED}_18`, ...job });
    live.describeCounter(`${PLANTED}_steps_total`, `${PLANTED} words`);
    const jobless = await Pusher.connect(socket!);
    jobless.describeCounter(`${PLANTED}_of_the_node_total`, '');
    await eventually(async () => {
      const { runs } = await client.runs();
      return runs.length === 2 && runs.some((run) => run.state === 'finished') && engine.stderr().includes('finished');
    });
    await eventually(async () => (await client.status()).ingest.messages >= 5);

    const token = tokenOf(engine);
    const overHttp = await new EngineClient({ url: engine.url, token }).json('/bundle');
    const byCommand = await runVigie(['bundle', '-', '--socket', socket!], { folder, env });
    live.destroy();
    jobless.destroy();
    await engine.stop();
    const alone = await runVigie(['bundle', '-', '--data', data, '--socket', socket!], { folder, env });

    const bundles = [overHttp, JSON.parse(byCommand.stdout), JSON.parse(alone.stdout)].map((each) =>
      Bundle.parse(each),
    );
    expect(bundles.map((bundle) => bundle.made_by)).toEqual(['engine', 'engine', 'command']);
    for (const bundle of bundles) {
      const text = bundleText(bundle);
      expect(JSON.parse(text)).toEqual(bundle);
      expect(text).not.toMatch(new RegExp(PLANTED, 'i'));
      expect(text).not.toContain(token);
      expect(text).not.toContain(folder);
      expect(text).not.toMatch(new RegExp(`(?<![a-z0-9])${hostname().replaceAll('.', '\\.')}(?![a-z0-9])`, 'i'));
      expect(text).toMatch(/path-\d/);
    }

    // What helps is there.
    const [made] = bundles;
    expect(made?.status).toMatchObject({ engine: { host: expect.stringMatching(/^host-\d+$/) } });
    expect(made?.status?.['warnings']).toEqual([expect.stringMatching(/^the database was damaged .*path-\d/)]);
    expect(made?.log.map((line) => line.text)).toContainEqual(expect.stringMatching(/^run finished \(job job-\d+\)$/));
    const messages = made?.metrics?.series.find((one) => one.key === 'vigie_ingest_messages_total');
    expect(messages?.last.at(-1)).toBeGreaterThanOrEqual(5);
    expect(made?.metrics?.series.every((one) => one.key.startsWith('vigie_'))).toBe(true);
    expect(made?.configuration).toMatchObject({ period: '50ms', allow_hosts: 1, limits: { runs: 10_000 } });
    expect(alone.stderr).toBe('');
    expect(bundles[2]).toMatchObject({ status: null, metrics: null, log: [] });
  });
});
