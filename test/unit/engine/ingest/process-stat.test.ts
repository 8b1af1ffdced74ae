import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { parseStat, processLives, readStat } from '../../../../src/engine/ingest/process-stat.ts';

const UNITS = { ticksPerSecond: 100, pageBytes: 4096 };
const line = (command: string, state: string, { user = 0, system = 0, start = '7', pages = 0 } = {}): string =>
  `42 (${command}) ${state} 1 42 42 0 -1 4194560 90 0 0 0 ${user} ${system} 0 0 20 0 1 0 ${start} 2445312 ${pages} 18446744073709551615 1 1\n`;

test('CPU time, memory and start time stand behind the command, whatever that is', () => {
  const command = fc.oneof(
    fc.string({ maxLength: 64 }),
    fc.constantFrom(') R 1 1', 'a) Z 0 (b', '))) ', '\n', '(', ' 1 2 3 ) 4'),
  );
  const count = fc.nat({ max: 2 ** 31 });
  fc.assert(
    fc.property(
      command,
      count,
      count,
      count,
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (name, user, system, pages, at) => {
        const text = line(name, 'S', { user, system, pages, start: String(at) });
        const latin = Buffer.from(text, 'utf8').toString('latin1');
        expect(parseStat(latin, UNITS)).toEqual({
          ended: false,
          startTime: String(at),
          cpuSeconds: (user + system) / 100,
          residentBytes: 4096 * pages,
        });
      },
    ),
  );
});

test('a process that has ended is told from one that runs', () => {
  const ended = (state: string) => parseStat(line('x', state), UNITS)?.ended;
  expect(['R', 'S', 'D', 'T', 't', 'I', 'Z', 'X'].map(ended)).toEqual([...Array(6).fill(false), true, true]);
});

test('what is no such line is none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const stat = parseStat(text, UNITS);
      expect(stat === null || stat.cpuSeconds >= 0).toBe(true);
    }),
  );
  const whole = line('x', 'R', { user: 3 });
  for (let end = 0; end < whole.indexOf(' 2445312'); end++) {
    const stat = parseStat(whole.slice(0, end), UNITS);
    expect(stat).toBe(null);
  }
  expect(parseStat(line('x', 'R', { user: -3 }), UNITS)).toBe(null);
  expect(parseStat(line('x', 'R', { pages: -3 }), UNITS)?.residentBytes).toBe(0);
});

test('a process is itself only with its start time', async () => {
  const child = spawn('sleep', ['600']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const start = BigInt(readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19]!);
  expect(readStat(child.pid!, start)).toMatchObject({ ended: false, startTime: String(start) });
  expect([processLives(child.pid!, start), processLives(child.pid!, start + 1n)]).toEqual([true, false]);
  expect(readStat(child.pid!, start - 1n)).toBe(null);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(processLives(child.pid!, start)).toBe(false);
});

test('of this process it says what Node says', () => {
  const start = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)!.split(' ')[19]!;
  const before = process.cpuUsage();
  const stat = readStat(process.pid, start)!;
  const after = process.cpuUsage();
  expect(stat.cpuSeconds).toBeGreaterThan((before.user + before.system) / 1e6 - 0.03);
  expect(stat.cpuSeconds).toBeLessThan((after.user + after.system) / 1e6 + 0.03);
  const resident = process.memoryUsage.rss();
  expect(stat.residentBytes / resident).toBeGreaterThan(0.5);
  expect(stat.residentBytes / resident).toBeLessThan(2);
});
