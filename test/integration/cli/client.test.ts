/** `vigie client`, as one types it, beside a running engine. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import type { TimedValue } from '../../../src/cli/client-changes.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { startEngine, type Engine } from '../../support/engine.ts';
import { ensureBuilt, runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const READ = 'calls_total{name="read"}';
const WRITE = 'calls_total{name="write"}';
const root = path.join(import.meta.dirname, '..', '..', '..');

interface Bench {
  readonly folder: string;
  readonly engine: Engine;
  readonly socket: string;
  readonly pusher: Pusher;
  vigie(...args: string[]): ReturnType<typeof runVigie>;
}

/** An engine without metrics of its node, and a client that has pushed 5 reads and 2.5 as a gauge. */
async function bench(...args: string[]): Promise<Bench> {
  const folder = temporaryFolder();
  const engine = await startEngine({ folder, args: ['--memory', '--no-node', ...args] });
  const socket = engine.ready.socket!;
  const pusher = await Pusher.connect(socket);
  onTestFinished(() => pusher.destroy());
  pusher.job({ jobid: 'j' });
  pusher.describeCounter(READ, 'Calls, by name');
  pusher.describeCounter(WRITE, 'Calls, by name');
  pusher.describeGauge('load', 'How much');
  pusher.increase(READ, 5);
  pusher.set('load', { min: 2, max: 3, hits: 2, total: 5 });
  const vigie: Bench['vigie'] = (...words) => runVigie(['client', '-u', socket, ...words], { folder });
  await eventually(async () => (await vigie('-g', 'load', '-f', 'json')).stdout.includes('2.5'));
  return { folder, engine, socket, pusher, vigie };
}

const values = (json: string): TimedValue[] => JSON.parse(json) as TimedValue[];

/** `vigie client` that runs until it is told to end. */
async function tracking({ folder, socket }: Pick<Bench, 'folder' | 'socket'>, ...args: string[]) {
  await ensureBuilt('engine');
  const child = spawn(path.join(root, 'bin', 'vigie'), ['client', '-u', socket, ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder, VIGIE_SKIP_BUILD: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const closed = once(child, 'close');
  return {
    child,
    said,
    end: async (signal: NodeJS.Signals | null = 'SIGINT'): Promise<unknown> => {
      if (signal !== null) child.kill(signal);
      return (await closed)[0];
    },
  };
}

describe('once', () => {
  test('lists metrics, shows values and finds some by name', async () => {
    const before = Date.now() / 1000;
    const { vigie, folder } = await bench();
    const listed = await vigie('-l', '-f', 'json');
    expect([listed.code, listed.stderr]).toEqual([0, '']);
    expect(JSON.parse(listed.stdout)).toEqual(
      expect.arrayContaining([
        { name: READ, doc: 'Calls, by name', type: 'TAU_METRIC_COUNTER' },
        { name: 'load', doc: 'How much', type: 'TAU_METRIC_GAUGE' },
      ]),
    );
    expect((await vigie('--list')).stdout).toContain(` • ${READ} (TAU_METRIC_COUNTER) :\n   Calls, by name\n`);

    const all = values((await vigie('-v', '-f', 'json')).stdout);
    const shown = all.filter(({ name }) => [READ, WRITE, 'load'].includes(name));
    // The one at 0 is not shown.
    expect(shown.map(({ name, value }) => [name, value])).toEqual([
      [READ, 5],
      ['load', 2.5],
    ]);
    for (const { ts } of shown) {
      expect(ts).toBeGreaterThan(before);
      expect(ts).toBeLessThan(Date.now() / 1000 + 1);
    }

    // In the order asked for, without the quotes that a shell takes away, zeros too.
    const some = await vigie('-g', 'load,calls_total{name=write}', '-f', 'txt');
    expect(some.stdout).toMatch(
      /^# name ts value\nload \d+(\.\d+)? 2\.5\ncalls_total\{name="write"\} \d+(\.\d+)? 0\n$/,
    );
    expect(parse((await vigie('-g', READ, '-f', 'yaml')).stdout)).toMatchObject([{ name: READ, value: 5 }]);

    const absent = await vigie('-g', 'nothing,load', '-f', 'json', '-o', 'out.json');
    expect(absent).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no metric nothing') as string,
    });
    expect(values(readFileSync(path.join(folder, 'out.json'), 'utf8'))).toMatchObject([{ name: 'load', value: 2.5 }]);
  });

  test('the time is that of the last change, also right after it, and stays when nothing changes', async () => {
    // Its ticks are too rare to see one.
    const { vigie, pusher } = await bench('--period', '1h');
    const read = async (): Promise<TimedValue> => values((await vigie('-g', READ, '-f', 'json')).stdout)[0]!;
    const change = Date.now() / 1000;
    pusher.increase(READ, 2);
    const changed = await eventually(async () => {
      const value = await read();
      return value.value === 7 && value;
    });
    expect(changed.ts).toBeGreaterThanOrEqual(change - 0.001);

    const quick = await bench('--period', '100ms');
    const again = async (): Promise<string> => (await quick.vigie('-g', 'load', '-f', 'json')).stdout;
    // From its next tick on.
    await eventually(async () => (await again()) === (await again()));
  });

  test('counts stay when the run has ended', async () => {
    const { vigie, pusher } = await bench('--period', '100ms');
    await pusher.close();
    await eventually(async () => !(await vigie('-l', '-f', 'json')).stdout.includes('"load"'));
    const [value] = values((await vigie('-g', READ, '-f', 'json')).stdout);
    expect(value).toMatchObject({ value: 5 });
    expect(value!.ts).toBeGreaterThan(1e9);
  });

  test('over TCP with a token, and as tau_metric_client', async () => {
    const { engine, folder, socket } = await bench();
    const file = engine.ready.token_file!;
    const over = (args: string[], env = {}) =>
      runVigie(['client', '-g', READ, '-f', 'json', '--url', engine.url, ...args], { folder, env });
    const found = await over(['--token-file', file]);
    expect({ code: found.code, stderr: found.stderr }).toEqual({ code: 0, stderr: '' });
    expect(values(found.stdout)).toMatchObject([{ name: READ, value: 5 }]);
    const named = await over([], { VIGIE_TOKEN: readFileSync(file, 'utf8').trim() });
    expect(values(named.stdout)).toMatchObject([{ name: READ, value: 5 }]);

    // A user's own token is not sent to an address that is somebody else's.
    expect(await over([])).toMatchObject({ code: 1, stderr: expect.stringContaining('--token-file') as string });
    const wrong = await over([], { VIGIE_TOKEN: 'x'.repeat(43) });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`no engine can be read at`) as string });

    const link = spawn(path.join(root, 'bin', 'tau_metric_client'), ['-u', socket, '-g', READ, '-f', 'txt'], {
      env: { ...process.env, VIGIE_SKIP_BUILD: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    link.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    expect((await once(link, 'close'))[0]).toBe(0);
    expect(text).toMatch(/^# name ts value\ncalls_total\{name="read"\} [\d.]+ 5\n$/);
  });

  test.each<[string[], string]>([
    [[], 'one of -l, -v, -g, -t and -T'],
    [['-l', '-v'], 'one of -l, -v, -g, -t and -T'],
    [['-t', '-F', '101'], 'at most 100'],
    [['-t', '-F', '0'], 'at least one a day'],
    [['-t', '-F', '1e-9'], 'at least one a day'],
    [['-l', '-f', 'xml'], 'Allowed choices are md, json, yaml, txt'],
    [['-g', ','], 'expected names'],
    [['-l', '--url', 'ftp://127.0.0.1'], 'no address of an engine'],
    [['-l', '--url', 'http://127.0.0.1', '-u', 'x'], 'cannot be used with'],
    [['-l', '-u', 'none'], 'no engine answers'],
  ])('%j says: %s', async (args, words) => {
    const { code, stdout, stderr } = await runVigie(['client', ...args], { folder: temporaryFolder(), env: {} });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(words);
  });
});

describe('over time', () => {
  const HZ = 50;

  test('records each change between two ticks, and Ctrl-C leaves complete JSON', async () => {
    // One tick, at the start: what is seen are the values of the moment.
    const { pusher, ...more } = await bench('--period', '1h');
    const file = path.join(more.folder, 'log.json');
    const { said, end } = await tracking(more, '-T', `${READ},later`, '-o', file, '-F', String(HZ));
    // Whole at any time.
    const readings = (): TimedValue[][] =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TimedValue[][]) : [];
    await eventually(() => readings().length === 1);
    const begun = Date.now() / 1000;
    for (let total = 6; total <= 10; total++) {
      pusher.increase(READ, 1);
      await eventually(() => readings().at(-1)?.[0]?.value === total, { interval: 5 });
    }
    pusher.describeCounter('later');
    pusher.increase('later', 1);
    await eventually(() => readings().at(-1)?.[0]?.name === 'later');
    expect(await end()).toBe(0);
    expect(said.stdout).toBe(`Logging in ${file} interrupt with CTRL + C when done...\n`);
    expect(said.stderr).toContain('no metric later yet');

    const recorded = readings();
    expect(recorded.map((reading) => reading.map(({ name, value }) => [name, value]))).toEqual([
      ...[5, 6, 7, 8, 9, 10].map((value) => [[READ, value]]),
      [['later', 1]],
    ]);
    const times = recorded.slice(1).map(([value]) => value!.ts);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(times[0]).toBeGreaterThan(begun - 0.01);
    expect(times.at(-1)).toBeLessThan(Date.now() / 1000 + 0.01);
  });

  test('all that are not 0, on standard output, in any format', async () => {
    const { pusher, ...more } = await bench();
    const [json, yaml, txt] = await Promise.all([
      tracking(more, '-t', '-F', '20'),
      tracking(more, '-t', '-F', '20', '-f', 'yaml'),
      tracking(more, '-t', '-F', '20', '-f', 'txt'),
    ]);
    const all = [json, yaml, txt];
    await eventually(() => all.every(({ said }) => said.stdout.includes('load')));
    pusher.increase(WRITE, 3);
    await eventually(() => all.every(({ said }) => said.stdout.includes('write')));
    expect(await Promise.all([json.end('SIGINT'), yaml.end('SIGTERM'), txt.end('SIGHUP')])).toEqual([0, 0, 0]);
    for (const readings of [JSON.parse(json.said.stdout), parse(yaml.said.stdout)] as TimedValue[][][]) {
      expect(readings[0]!.map(({ name }) => name)).toEqual(expect.arrayContaining([READ, 'load']));
      expect(readings[0]!.map(({ name }) => name)).not.toContain(WRITE);
      expect(readings.flat().filter(({ name }) => name === WRITE)).toMatchObject([{ value: 3 }]);
    }
    expect(txt.said.stdout).toMatch(/^# name ts value\n/);
    expect(txt.said.stdout.match(/^calls_total\{name="write"\} [\d.]+ 3$/gm)).toHaveLength(1);
  });

  test('ends when the engine does, and when nobody reads any more', async () => {
    const { engine, ...more } = await bench();
    const cut = await tracking(more, '-t', '-F', '20');
    await eventually(() => cut.said.stdout.includes('load'));
    cut.child.stdout.destroy();
    const file = path.join(more.folder, 'log.json');
    const kept = await tracking(more, '-T', READ, '-o', file, '-F', '20');
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes('read'));
    more.pusher.increase(READ, 1);
    expect(await cut.end(null)).toBe(0);
    await engine.stop('SIGKILL');
    expect(await kept.end(null)).toBe(1);
    expect(kept.said.stderr).toMatch(/^vigie: .+\n$/);
    expect((JSON.parse(readFileSync(file, 'utf8')) as TimedValue[][])[0]).toMatchObject([{ name: READ, value: 5 }]);
  });
});
