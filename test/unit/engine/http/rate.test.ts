import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimit, sender } from '../../../../src/engine/http/rate.ts';

function limitAt(perSecond: number) {
  const clock = { now: 0 };
  return { clock, rate: new RateLimit(perSecond, () => clock.now) };
}

describe('a rate', () => {
  test('lets a burst of two seconds pass, then so many per second', () => {
    const { clock, rate } = limitAt(10);
    const passed = (tries: number): number =>
      Array.from({ length: tries }, () => rate.exceeds('a')).filter((x) => !x).length;
    expect(passed(100)).toBe(20);
    clock.now = 1000;
    expect(passed(100)).toBe(10);
    clock.now = 100_000;
    expect(passed(100)).toBe(20);
  });

  test('one sender does not use up another’s', () => {
    const { rate } = limitAt(1);
    for (let i = 0; i < 10; i++) rate.exceeds('loud');
    expect(rate.exceeds('loud')).toBe(true);
    expect(rate.exceeds('quiet')).toBe(false);
  });

  test('never passes more than the burst and the rate together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(300), { maxLength: 300 }), (perSecond, waits) => {
        const { clock, rate } = limitAt(perSecond);
        let passed = 0;
        for (const wait of waits) {
          clock.now += wait;
          if (!rate.exceeds('a')) passed++;
        }
        expect(passed).toBeLessThanOrEqual(2 * perSecond + (clock.now / 1000) * perSecond + 1e-6);
      }),
    );
  });

  test('a flood of senders takes no more memory, and the one in use is remembered', () => {
    const { rate } = limitAt(1);
    const before = process.memoryUsage().heapUsed;
    rate.exceeds('mine');
    for (let i = 0; i < 100_000; i++) {
      rate.exceeds(`address ${i}`);
      if (i % 1000 === 0) rate.exceeds('mine');
    }
    expect(rate.exceeds('mine')).toBe(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });
});

describe('a sender', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::2%eth0', 'fe80:0:0:0::/64'],
    [undefined, 'local'],
  ])('%s is %s', (address, expected) => {
    expect(sender(address)).toBe(expected);
  });
});
