import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { run, serve, vigie, within } from './child.ts';
import { startHere } from '../http/here.ts';

describe('vigie push', () => {
  test('makes a run with the values, on the engine socket and on the legacy one', async () => {
    const here = await startHere();
    const { socket, legacy_socket: legacy } = here.engine.ready;
    for (const [i, path] of [socket, legacy!].entries()) {
      const jobid = `job-${i}`;
      const { code, stdout, stderr } = await run(
        [
          'push',
          `--socket=${path}`,
          `--job=${jobid}`,
          '--command=./a.out',
          '--size=4',
          '--doc=Steps',
          'steps_total=3',
          'bytes{dir="in"}=4096',
          'frac=0.5',
        ],
        { cwd: here.folder },
      );
      expect([code, stdout, stderr]).toEqual([0, '', '']);
      const ended = await eventually(async () =>
        (await here.client.runs({ state: 'ended' })).runs.find((r) => r.jobid === jobid),
      );
      expect(ended).toMatchObject({ state: 'finished', command: './a.out', size: 4, run_dir: here.folder, ranks: 1 });
      const { series } = await here.client.profile(ended.id);
      expect(series.map((s) => [s.key, s.kind, s.value, s.doc])).toEqual([
        ['steps_total', 'counter', 3, 'Steps'],
        ['bytes{dir="in"}', 'counter', 4096, 'Steps'],
        ['frac', 'counter', 0.5, 'Steps'],
      ]);
    }
    const gauge = await run(['push', `--socket=${socket}`, '--job=g', '--gauge', 'temperature=-4.5', 'x=1e3']);
    expect(gauge.code).toBe(0);
    const ended = await eventually(async () =>
      (await here.client.runs({ state: 'ended' })).runs.find((r) => r.jobid === 'g'),
    );
    expect((await here.client.profile(ended.id)).series.map((s) => [s.key, s.kind, s.value])).toEqual([
      ['temperature', 'gauge', -4.5],
      ['x', 'gauge', 1000],
    ]);
    expect((await here.client.status()).ingest.rejected).toEqual({});
  });

  test('finds the engine by the environment', async () => {
    const here = await startHere();
    for (const [i, name] of ['VIGIE_SOCKET', 'PROXY_PATH'].entries()) {
      const { code } = await run(['push', `--job=e${i}`, 'x_total=1'], { env: { [name]: here.engine.ready.socket } });
      expect(code).toBe(0);
      await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.some((r) => r.jobid === `e${i}`));
    }
  });

  test.each([
    [['steps'], 'expected NAME=VALUE with a number'],
    [['steps='], 'expected NAME=VALUE with a number'],
    [['=1'], 'expected NAME=VALUE with a number'],
    [['steps=many'], 'expected NAME=VALUE with a number'],
    [['steps=NaN'], 'expected NAME=VALUE with a number'],
    [['steps=Infinity'], 'expected NAME=VALUE with a number'],
    [['steps=1', 'x=y'], 'expected NAME=VALUE with a number'],
    [[`${'x'.repeat(1025)}=1`], 'the metric name is not accepted (name_too_long)'],
    [['a\nb=1'], 'the metric name is not accepted (name_control_character)'],
    [['steps=-1'], 'a counter only grows; use --gauge'],
    [[], "missing required argument 'NAME=VALUE'"],
    [['x=1', '--job=main'], 'the job id is not accepted (jobid_reserved)'],
    [['x=1', '--job='], 'the job id is not accepted (jobid_empty)'],
    [['x=1', '--size=0'], 'expected a whole number from 1 on'],
    [['x=1', '--size=two'], 'expected a whole number from 1 on'],
    [['x=1', '--every=1'], 'expected a duration from 1ms to 1d'],
    [['x=1', '--every=0s'], 'expected a duration from 1ms to 1d'],
    [['x=1', '--every=2d'], 'expected a duration from 1ms to 1d'],
    [['x=1', '--every=1s', '--count=0'], 'expected a whole number from 1 on'],
    [['x=1', '--count=2'], '--count says how often to push: it needs --every'],
  ])('%j is refused with words', async (args, words) => {
    const { code, stdout, stderr } = await run(['push', '--job=j', '--socket=/nonexistent', ...args]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('without a job it says so', async () => {
    const { code, stderr } = await run(['push', 'x=1']);
    expect(code).toBe(1);
    expect(stderr).toContain("required option '--job <id>' not specified");
  });

  test('without an engine it names the socket and the command that starts one', async () => {
    const path = join(temporaryFolder(), 'none.socket');
    const { code, stderr } = await run(['push', '--job=j', `--socket=${path}`, 'x=1']);
    expect(code).toBe(1);
    expect(stderr).toBe(`vigie: ${path}: no engine listens there; start one with \`vigie serve\`\n`);
  });
});

describe('vigie push --every', () => {
  const ended = (here: Awaited<ReturnType<typeof startHere>>, jobid: string) =>
    eventually(
      async () => {
        const { runs } = await here.client.runs({ state: 'ended' });
        return runs.find((one) => one.jobid === jobid);
      },
      { timeout: 20_000 },
    );

  test('--count times over one connection: one run, one rank', async () => {
    const here = await startHere();
    const { socket } = here.engine.ready;
    const exit = await run(['push', `--socket=${socket}`, '--job=n', '--every=20ms', '--count=5', 'steps=2']);
    expect(exit).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    const one = await ended(here, 'n');
    expect(one.ranks).toBe(1);
    expect((await here.client.profile(one.id)).series.map((s) => s.value)).toEqual([10]);
    expect((await here.client.runs()).runs).toHaveLength(1);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('without --count until %s, which ends it in order', async (signal) => {
    const here = await startHere();
    const pushing = vigie(['push', `--socket=${here.engine.ready.socket}`, '--job=n', '--every=20ms', 'steps=1']);
    await eventually(
      async () => {
        const live = (await here.client.runs({ state: 'live' })).runs[0];
        return live && ((await here.client.series(live.scope)).series[0]?.value ?? 0) >= 3;
      },
      { timeout: 20_000 },
    );
    pushing.child.kill(signal);
    expect(await pushing.exited).toEqual({ code: 0, signal: null });
    expect((await ended(here, 'n')).state).toBe('finished');
  });

  test('an engine that is killed meanwhile ends it with words', async () => {
    const folder = temporaryFolder();
    const engine = await serve([...within(folder), '--memory']);
    const pushing = vigie(['push', `--socket=${engine.ready.socket}`, '--job=n', '--every=20ms', 'steps=1']);
    await eventually(async () => (await engine.client.runs({ state: 'live' })).runs[0]?.series === 1, {
      timeout: 20_000,
    });
    await engine.stop('SIGKILL');
    expect(await pushing.exited).toEqual({ code: 1, signal: null });
    expect(pushing.stderr()).toMatch(/^vigie: .+\n$/);
  });
});

describe('vigie push tells of a loss', () => {
  test.each([
    ['gauge', [], 'nothing was counted for it'],
    ['counter', ['--gauge'], 'nothing was set for it'],
  ] as const)('a name that is a %s in this job', async (kind, flags, words) => {
    const here = await startHere();
    const other = await here.pusher();
    other.job({ jobid: 'j' });
    if (kind === 'gauge') other.describeGauge('b{y="2",x="1"}');
    else other.describeCounter('b{y="2",x="1"}');
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]?.series === 1);
    const { code, stderr } = await run([
      'push',
      `--socket=${here.engine.ready.socket}`,
      '--job=j',
      ...flags,
      'a=1',
      'b{x="1",y="2"}=1',
    ]);
    expect(stderr).toBe(`vigie: b{x="1",y="2"} is a ${kind} in this job; ${words}\n`);
    expect(code).toBe(1);
  });

  test('a connection that breaks', async () => {
    const path = join(temporaryFolder(), 's');
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onTestFinished(() => void server.close());
    const { code, stderr } = await run(['push', `--socket=${path}`, '--job=j', 'x=1']);
    expect(code).toBe(1);
    expect(stderr).toContain(`vigie: ${path}: the connection broke before everything was handed over`);
  });

  test('a socket that does not speak HTTP, and does not even answer, is pushed to', async () => {
    const path = join(temporaryFolder(), 's');
    let text = '';
    const server = createServer((socket) => void socket.on('data', (bytes: Buffer) => (text += bytes.toString())));
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onTestFinished(() => void server.close());
    const { code, stderr } = await run(['push', `--socket=${path}`, '--job=j', 'x=1']);
    expect([code, stderr]).toEqual([0, '']);
    expect(text).toContain('"x"');
  });
});
