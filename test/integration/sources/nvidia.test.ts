import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { nvidiaSource } from '../../../src/engine/sources/nvidia.ts';
import type { NvidiaOptions } from '../../../src/engine/sources/nvidia.ts';
import type { SourceInstance } from '../../../src/engine/sources/source.ts';
import { eventually } from '../../support/wait.ts';
import { Recorder } from '../../unit/engine/sources/recorder.ts';

const PROGRAM = join(import.meta.dirname, '../../support/nvidia-smi');
const A100 = (index: number, usage: number | string): string =>
  `${index}, ${usage}, 12, 40536, 81920, 54, 312.55, 1410, 1593, NVIDIA A100-SXM4-80GB\n`;
const usage = (index: number): string =>
  `proxy_gpu_usage_percent{gpu="${index}",vendor="nvidia",model="NVIDIA A100-SXM4-80GB"}`;

interface Fake {
  readonly instance: SourceInstance;
  readonly out: Recorder;
  /** Tells the program what to do, by a file beside it; null takes it back. */
  tell(what: 'answer' | 'exit' | 'hang' | 'flood', text: string | null): void;
  /** Process ids, in the order they were started. */
  pids(): number[];
  options(): string;
  /** Goes on by so many ms, and takes a sample. The error's message, or null. */
  tick(ms?: number): string | null;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What ended and was not yet waited for still has its number.
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

function open(answer: string, changed: Partial<NvidiaOptions> = {}): Fake {
  const folder = mkdtempSync(join(tmpdir(), 'vigie-nvidia-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  copyFileSync(PROGRAM, join(folder, 'nvidia-smi'));
  chmodSync(join(folder, 'nvidia-smi'), 0o700);
  mkdirSync(join(folder, 'driver', 'nvidia'), { recursive: true });
  writeFileSync(join(folder, 'driver', 'nvidia', 'version'), 'NVRM version: NVIDIA UNIX x86_64 Kernel Module\n');
  writeFileSync(join(folder, 'answer'), answer);
  let clock = 0;
  const source = nvidiaSource({
    ...{ program: join(folder, 'nvidia-smi'), loop: 20, silence: 30, backoff: [1000, 8000], now: () => clock },
    ...changed,
  });
  const instance = source.open({ proc: folder, sys: folder })!;
  const out = new Recorder();
  const starts = (): string[] => readFileSync(join(folder, 'starts'), 'utf8').split('\n').filter(Boolean);
  cleanups.push(() => {
    void instance.close();
    if (!existsSync(join(folder, 'starts'))) return;
    for (const pid of starts().map(Number.parseFloat)) if (alive(pid)) process.kill(pid, 'SIGKILL');
  });
  return {
    instance,
    out,
    tell(what, text) {
      if (text === null) rmSync(join(folder, what));
      else writeFileSync(join(folder, what), text);
    },
    pids: () => (existsSync(join(folder, 'starts')) ? starts().map(Number.parseFloat) : []),
    options: () => starts()[0]!,
    tick(ms = 0) {
      clock += ms;
      try {
        instance.sample(out, ms / 1000);
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}

test('one program answers every tick, and ends with the source', async () => {
  const fake = open(A100(0, 97) + A100(1, 3));
  await eventually(() => fake.tick(1) === null && fake.out.value(usage(1)) === 3);
  expect(fake.out.value(usage(0))).toBe(97);
  const labels = '{gpu="0",vendor="nvidia",model="NVIDIA A100-SXM4-80GB"}';
  expect(fake.out.value(`proxy_gpu_memory_used_bytes${labels}`)).toBe(40536 * 2 ** 20);
  expect(fake.out.value(`proxy_gpu_memory_total_bytes${labels}`)).toBe(80 * 2 ** 30);
  expect(fake.out.value(`proxy_gpu_power_watts${labels}`)).toBe(312.55);
  expect(fake.out.value(`proxy_gpu_temperature_celsius${labels}`)).toBe(54);
  expect(fake.out.value(`proxy_gpu_clock_hertz${labels}`)).toBe(1.41e9);
  expect(fake.options()).toMatch(/ --query-gpu=index,\S+,name --format=csv,noheader,nounits --loop-ms=20$/);
  fake.tell('answer', A100(0, 50) + A100(1, '[N/A]'));
  await eventually(() => fake.tick(1) === null && fake.out.value(usage(0)) === 50);
  expect(fake.out.value(usage(1))).toBeNull();
  const pids = fake.pids();
  expect(pids).toHaveLength(1);
  await fake.instance.close();
  await eventually(() => !alive(pids[0]!));
});

test('one that dies is started again, later each time, and its words are the reason', async () => {
  const fake = open('');
  fake.tell('exit', '9');
  await eventually(() => fake.tick() !== null);
  expect(fake.tick()).toMatch(/^nvidia-smi ended with code 9: NVIDIA-SMI has failed because/);
  expect(fake.tick(999)).toContain('code 9');
  expect(fake.pids()).toHaveLength(1);
  fake.tick(1);
  await eventually(() => fake.pids().length === 2 && !alive(fake.pids()[1]!));
  // Its end is noticed some time later; a later notice only makes the start later.
  await sleep(100);
  fake.tick(1999);
  await sleep(100);
  expect(fake.pids()).toHaveLength(2);
  fake.tell('exit', null);
  fake.tell('answer', A100(0, 42));
  await eventually(() => fake.tick(100) === null && fake.out.value(usage(0)) === 42);
  expect(fake.pids()).toHaveLength(3);
});

test('a program killed from outside comes back; its values are not shown for ever', async () => {
  const fake = open(A100(0, 42));
  await eventually(() => fake.tick() === null && fake.out.value(usage(0)) === 42);
  process.kill(fake.pids()[0]!, 'SIGKILL');
  await eventually(() => fake.tick()?.includes('SIGKILL') === true);
  fake.tick(500);
  expect(fake.out.value(usage(0))).toBeNull();
  await eventually(() => fake.tick(100) === null && fake.out.value(usage(0)) === 42);
  expect(fake.pids()).toHaveLength(2);
});

test('one that hangs is killed, and only then another one starts', async () => {
  const fake = open(A100(0, 42));
  await eventually(() => fake.tick() === null && fake.out.value(usage(0)) === 42);
  fake.tell('hang', '');
  // A long pause of the engine itself is no silence of the program.
  expect(fake.tick(3_600_000)).toBeNull();
  for (let i = 0; i < 40 && fake.tick(1000) === null; i++) await sleep(5);
  expect(fake.tick()).toBe('nvidia-smi says nothing for 30 s');
  fake.tell('hang', null);
  await eventually(() => fake.tick(100) === null && fake.out.value(usage(0)) === 42);
  const [first, second, ...others] = fake.pids();
  expect(alive(first!)).toBe(false);
  expect(alive(second!)).toBe(true);
  expect(others).toEqual([]);
});

test('a flood without an end of line is cut off', async () => {
  const fake = open('');
  fake.tell('flood', '');
  await eventually(() => fake.tick()?.includes('no answer') === true);
  const [first] = fake.pids();
  await eventually(() => !alive(first!));
});

test('what it says is data: no name, index or number makes anything but a label or a value', async () => {
  const many = Array.from({ length: 200 }, (_, i) => A100(i + 1, 1)).join('');
  const fake = open(
    `garbage\n\n,,,,,,,,,\n-1, 5, 5, 5, 5, 5, 5, 5, 5, x\n0, 1e9, NaN, -3, 9999999999, 5000, 1e1, , [N/A], "}{\\\u0007<b>, and more\n${many}`,
  );
  await eventually(() => fake.tick() === null && fake.out.names().length > 0);
  const names = fake.out.names();
  const gpus = new Set(names.map((name) => /gpu="(\d+)"/.exec(name)?.[1]));
  expect(gpus.size).toBeLessThanOrEqual(64);
  // Nothing of that line was a number, so that GPU has no series.
  expect(gpus.has('0')).toBe(false);
});

test('without the driver, or without the program, it is absent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigie-nvidia-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  expect(nvidiaSource({ program: PROGRAM }).open({ proc: folder, sys: folder })).toBeNull();
  mkdirSync(join(folder, 'driver', 'nvidia'), { recursive: true });
  writeFileSync(join(folder, 'driver', 'nvidia', 'version'), 'x\n');
  const path = process.env['PATH'];
  try {
    process.env['PATH'] = `${folder}:.:`;
    expect(nvidiaSource().open({ proc: folder, sys: folder })).toBeNull();
  } finally {
    process.env['PATH'] = path;
  }
});

test('a program that cannot be run is a failure, told in words', async () => {
  const fake = open('', { program: import.meta.dirname });
  await eventually(() => fake.tick() !== null);
  expect(fake.tick()).toMatch(/^nvidia-smi does not start: /);
});
