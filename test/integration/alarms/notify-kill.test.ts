/** Killed with SIGKILL in each phase of a message: nothing is lost, and only what was under way comes twice, with its id. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { signatureOf } from '../../../src/engine/alarms/notify/webhook.ts';
import { httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const CHILD = fileURLToPath(new URL('./notify-child.ts', import.meta.url));

interface Told {
  readonly id: string;
  readonly kind: string;
}

interface Hook {
  readonly port: number;
  /** Messages in the order they came. */
  readonly told: Told[];
  /** Whether they are answered. */
  answers: boolean;
}

async function hook(): Promise<Hook> {
  const told: Told[] = [];
  const found = { port: 0, told, answers: true };
  found.port = await httpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      // Its key, kept apart, is still the same.
      expect(request.headers['x-vigie-signature']).toBe(signatureOf(body, 'key'));
      const { id, kind } = JSON.parse(body) as Told;
      told.push({ id, kind });
      if (found.answers) response.end();
    });
  });
  return found;
}

interface Child {
  readonly lines: string[];
  kill(): Promise<void>;
}

function start(data: string, { port }: Hook, phase: string): Child {
  const child: ChildProcess = spawn(process.execPath, [CHILD, data, String(port), phase], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  return { lines, kill };
}

/** Runs up to a phase and kills it there. */
async function killedAt(data: string, server: Hook, phase: string): Promise<void> {
  const child = start(data, server, phase);
  await eventually(() => child.lines.includes(phase), { timeout: 60_000 });
  await child.kill();
}

const up = async (data: string, server: Hook, phase = 'run'): Promise<Child> => {
  const child = start(data, server, phase);
  await eventually(() => child.lines.includes('up'), { timeout: 60_000 });
  return child;
};

/** Long enough for anything that is told twice to be told. */
const settle = (): Promise<void> => sleep(700);

test.each([
  // Phase, how often it came until then, and how often in all.
  ['begun', 0, 1],
  ['written', 0, 1],
  ['answered', 1, 2],
  ['done', 1, 1],
])('killed when %s', { timeout: 180_000 }, async (phase, before, after) => {
  const data = join(temporaryFolder(), 'data');
  const server = await hook();
  await killedAt(data, server, phase);
  expect(server.told).toHaveLength(before);
  const child = await up(data, server);
  await eventually(() => server.told.length >= after);
  await settle();
  await child.kill();
  expect(server.told).toHaveLength(after);
  expect(new Set(server.told.map(({ id }) => id)).size).toBe(1);
  expect(server.told.every(({ kind }) => kind === 'firing')).toBe(true);

  // And its end once.
  const last = await up(data, server, 'ended');
  await eventually(() => server.told.length > after);
  await settle();
  await last.kill();
  expect(server.told.slice(after)).toMatchObject([{ kind: 'resolved' }]);
});

test('killed while the other side is about to answer', { timeout: 180_000 }, async () => {
  const data = join(temporaryFolder(), 'data');
  const server = await hook();
  server.answers = false;
  const child = await up(data, server);
  await eventually(() => server.told.length === 1);
  await child.kill();
  server.answers = true;
  const next = await up(data, server);
  await eventually(() => server.told.length === 2);
  await settle();
  await next.kill();
  expect(server.told).toHaveLength(2);
  expect(server.told[1]).toEqual(server.told[0]);
});

test('killed again and again', { timeout: 180_000 }, async () => {
  const data = join(temporaryFolder(), 'data');
  const server = await hook();
  for (const phase of ['begun', 'begun', 'written', 'answered', 'answered']) await killedAt(data, server, phase);
  const child = await up(data, server);
  await eventually(() => server.told.length === 3);
  await settle();
  await child.kill();
  // Each time it was under way once more.
  expect(server.told).toHaveLength(3);
  expect(new Set(server.told.map(({ id }) => id)).size).toBe(1);
});

test('secrets are in a file of their own', { timeout: 60_000 }, async () => {
  const data = join(temporaryFolder(), 'data');
  const child = await up(data, await hook());
  await child.kill();
  const file = join(data, 'alarm-secrets.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 1 });
});
