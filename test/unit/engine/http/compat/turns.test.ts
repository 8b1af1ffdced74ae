import { describe, expect, test } from 'vitest';
import { Turns } from '../../../../../src/engine/http/compat/turns.ts';

/** Work that is done when told so. */
function work(): { run: () => Promise<string>; done: (text: string) => void; failed: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { run: () => promise, done: resolve, failed: reject };
}

describe('turns', () => {
  test('few at once, the others in their order, too many are refused', async () => {
    const turns = new Turns(1, 2);
    const order: string[] = [];
    const [a, b, c] = [work(), work(), work()];
    const all = [a, b, c].map(async ({ run }, n) => {
      const text = await turns.take(() => {
        order.push(`begins ${n}`);
        return run();
      });
      order.push(`ends ${n} ${text}`);
    });
    await new Promise(setImmediate);
    expect(order).toEqual(['begins 0']);
    await expect(turns.take(async () => 'x')).rejects.toMatchObject({ code: 'store_unavailable' });
    c.done('c');
    b.done('b');
    a.done('a');
    await Promise.all(all);
    expect(order.filter((line) => line.startsWith('begins'))).toEqual(['begins 0', 'begins 1', 'begins 2']);
    expect(await turns.take(async () => 'free again')).toBe('free again');
  });

  test('work that fails gives its turn back', async () => {
    const turns = new Turns(1, 1);
    const first = work();
    const failing = turns.take(first.run);
    const second = turns.take(async () => 'second');
    first.failed(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    expect(await second).toBe('second');
    expect(await turns.take(async () => 'third')).toBe('third');
  });
});
