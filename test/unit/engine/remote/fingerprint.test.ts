import { expect, test } from 'vitest';
import { fingerprint, keyTypeOf } from '../../../../src/engine/remote/fingerprint.ts';

const KEY = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIDvRJ+Kz4zX0oX4ZC0wmxOyp0sCzGqJQmKnJpL0DZyWw', 'base64');

test('a fingerprint has no padding', () => {
  expect(fingerprint(KEY)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});

test('the type is read within its bounds', () => {
  expect(keyTypeOf(KEY)).toBe('ssh-ed25519');
  expect(keyTypeOf(KEY.subarray(0, 15))).toBeUndefined();
  expect(keyTypeOf(Buffer.alloc(3))).toBeUndefined();
  expect(keyTypeOf(Buffer.alloc(20))).toBeUndefined();
  expect(keyTypeOf(Buffer.from([255, 255, 255, 255, 1, 2, 3, 4]))).toBeUndefined();
  expect(keyTypeOf(Buffer.from('\0\0\0\u0003a\nb12345'))).toBeUndefined();
  expect(keyTypeOf(Buffer.alloc(20_000, KEY))).toBeUndefined();
});
