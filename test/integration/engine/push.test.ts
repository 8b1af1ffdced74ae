import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { run } from './child.ts';
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
