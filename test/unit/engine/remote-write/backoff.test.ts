import { expect, test } from 'vitest';
import { Backoff, retryAfter } from '../../../../src/engine/remote-write/backoff.ts';

test('doubles up to its limit, and begins anew after a success', () => {
  const backoff = new Backoff(100, 1000, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.failed(null))).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.succeeded();
  expect(backoff.failed(null)).toBe(100);
  for (let i = 0; i < 5000; i++) backoff.failed(null);
  expect(backoff.failed(null)).toBe(1000);
});

test('never less than half of it, nor than what the destination asks for', () => {
  expect(new Backoff(100, 1000, () => 0).failed(null)).toBe(50);
  expect(new Backoff(100, 1000, () => 0).failed(5000)).toBe(5000);
});

test('Retry-After is seconds or a date, and has an end', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfter('3', now)).toBe(3000);
  expect(retryAfter('Thu, 01 Jan 2026 00:00:10 GMT', now)).toBe(10_000);
  expect(retryAfter('Wed, 31 Dec 2025 00:00:10 GMT', now)).toBe(0);
  expect(retryAfter('999999999', now)).toBe(600_000);
  for (const text of [undefined, '', 'soon', '1e999']) expect(retryAfter(text, now)).toBeNull();
});
