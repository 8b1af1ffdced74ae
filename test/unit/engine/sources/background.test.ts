import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Background } from '../../../../src/engine/sources/background.ts';

interface Rig {
  now: number;
  started: number;
  /** Ends the work that runs. */
  end: (result: string | Error) => Promise<void>;
  readonly work: Background<string>;
}

function rig(): Rig {
  let settle: (result: string | Error) => void = () => {};
  const self: Rig = {
    now: 1000,
    started: 0,
    end: async (result) => {
      settle(result);
      await sleep(0);
    },
    work: new Background(
      () => {
        self.started++;
        return new Promise<string>((resolve, reject) => {
          settle = (result) => (result instanceof Error ? reject(result) : resolve(result));
        });
      },
      { every: 10, keep: 30, now: () => self.now },
    ),
  };
  return self;
}

test('work begins at once, and again when it is due; what it told is given out with its age', async () => {
  const it = rig();
  expect(it.work.poll()).toBeNull();
  await it.end('a');
  it.now += 9000;
  expect(it.work.poll()).toEqual({ value: 'a', age: 9 });
  expect(it.started).toBe(1);
  it.now += 1000;
  it.work.poll();
  expect(it.started).toBe(2);
});

test('work that hangs is not joined by other work; what was told before grows old, and then it is an error', async () => {
  const it = rig();
  it.work.poll();
  await it.end('a');
  for (let i = 0; i < 3; i++) {
    it.now += 10_000;
    expect(it.work.poll()?.value).toBe('a');
  }
  expect(it.started).toBe(2);
  it.now += 25_000;
  expect(() => it.work.poll()).toThrow('no answer for 45 s');
  expect(it.started).toBe(2);
  // It comes back.
  await it.end('b');
  expect(it.work.poll()?.value).toBe('b');
});

test('work that fails is tried again, and is an error once what was told before is too old', async () => {
  const it = rig();
  it.work.poll();
  await it.end('a');
  for (let i = 0; i < 3; i++) {
    it.now += 10_000;
    expect(it.work.poll()?.value).toBe('a');
    await it.end(new Error('broken'));
  }
  it.now += 1000;
  expect(() => it.work.poll()).toThrow('broken');
  expect(it.started).toBe(4);
  it.now += 10_000;
  expect(() => it.work.poll()).toThrow('broken');
  await it.end('b');
  expect(it.work.poll()?.value).toBe('b');
});

test('nothing is begun after the end', async () => {
  const it = rig();
  it.work.close();
  expect(it.work.poll()).toBeNull();
  expect(it.started).toBe(0);
});
