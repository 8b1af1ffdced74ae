/** Bytes that were changed, cut or made up: they are refused, or give values; they do no harm. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Block, BlockError } from '../../../../../src/engine/store/block/index.ts';
import { AT, type BlockErrorCode } from '../../../../../src/engine/store/block/format.ts';
import { checksumOf } from '../../../../../src/engine/store/block/checksum.ts';
import { encoded, inputs, regular, type Input } from './support.ts';

const small: Input = regular(
  [Float64Array.of(1, 2, 4, 9), Float64Array.of(NaN, 0.1, 0.3, Math.PI)],
  [Float64Array.of(1, 1, 1, 2), Float64Array.of(1, 1, 1, 2), Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 1, 1, 2)],
);

function codeOf(bytes: Uint8Array): BlockErrorCode | null {
  try {
    readAll(bytes);
    return null;
  } catch (error) {
    if (error instanceof BlockError) return error.code;
    throw error;
  }
}

/** Opens a block and reads all its columns; returns how many. */
function readAll(bytes: Uint8Array): number {
  const block = Block.open(bytes);
  let columns = 0;
  for (let place = 0; place < block.counters; place++) {
    for (let part = 0; part < block.shape.counterParts; part++, columns++) block.counter(place, part);
  }
  for (let place = 0; place < block.gauges; place++) {
    for (let part = 0; part < block.shape.gaugeParts; part++, columns++) block.gauge(place, part);
  }
  return columns;
}

/** The same bytes with a checksum that fits. */
function signed(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(AT.checksum, checksumOf(bytes), true);
  return bytes;
}

function patched(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = encoded(small);
  change(new DataView(bytes.buffer), bytes);
  return signed(bytes);
}

describe('a block whose bytes were changed', () => {
  test('is refused, whichever bit it is', () => {
    const bytes = encoded(small);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        bytes[at]! ^= bit;
        expect(codeOf(bytes), `byte ${at}`).not.toBeNull();
        bytes[at]! ^= bit;
      }
    }
    expect(codeOf(bytes)).toBeNull();
  });

  test('is refused when its end is missing, or something follows', () => {
    const bytes = encoded(small);
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(bytes.subarray(0, length))).toBe('length');
    }
    expect(codeOf(Uint8Array.of(...bytes, 0))).toBe('length');
  });

  test('says what is wrong with it', () => {
    const bytes = encoded(small);
    const changed = (at: number): BlockErrorCode | null => codeOf(bytes.with(at, bytes[at]! + 1));
    expect(changed(AT.magic)).toBe('magic');
    expect(changed(AT.version)).toBe('version');
    expect(changed(AT.length)).toBe('length');
    expect(changed(AT.checksum)).toBe('checksum');
    expect(changed(AT.tier)).toBe('checksum');
    expect(changed(bytes.length - 1)).toBe('checksum');
  });
});

describe('a block that was made up', () => {
  test.each<[string, BlockErrorCode, (view: DataView, bytes: Uint8Array) => void]>([
    ['too many rows', 'limit', (view) => view.setUint32(AT.rows, 1_000_001, true)],
    ['no rows', 'content', (view) => view.setUint32(AT.rows, 0, true)],
    ['other rows', 'content', (view) => view.setUint32(AT.rows, 5, true)],
    ['most rows', 'content', (view) => view.setUint32(AT.rows, 1_000_000, true)],
    ['too many counters', 'limit', (view) => view.setUint32(AT.counters, 2 ** 24 + 1, true)],
    ['too many gauges', 'limit', (view) => view.setUint32(AT.gauges, 2 ** 22 + 1, true)],
    ['other counters', 'content', (view) => view.setUint32(AT.counters, 3, true)],
    ['other gauges', 'content', (view) => view.setUint32(AT.gauges, 0, true)],
    ['too many parts', 'limit', (_, bytes) => (bytes[AT.gaugeParts] = 17)],
    ['other parts', 'content', (_, bytes) => (bytes[AT.gaugeParts] = 3)],
    [
      'series without parts',
      'limit',
      (view, bytes) => {
        bytes[AT.counterParts] = 0;
        view.setUint32(AT.counters, 0xffff_ffff, true);
      },
    ],
    ['another tier', 'content', (_, bytes) => (bytes[AT.tier] = 1)],
    ['no tier', 'content', (_, bytes) => (bytes[AT.tier] = 3)],
    ['another first time', 'content', (view) => view.setFloat64(AT.first, 1, true)],
    ['another last time', 'content', (view) => view.setFloat64(AT.last, NaN, true)],
    ['more chunks', 'content', (view) => view.setUint32(AT.chunks, 0xffff_ffff, true)],
    ['no chunks', 'content', (view) => view.setUint32(AT.chunks, 0, true)],
    ['an index beyond the end', 'content', (view) => view.setUint32(AT.indexPacked, 0xffff_fff0, true)],
    ['a huge index', 'limit', (view) => view.setUint32(AT.indexBytes, 0xffff_ffff, true)],
    [
      'a longer index',
      'content',
      (view) => view.setUint32(AT.indexBytes, view.getUint32(AT.indexBytes, true) + 1, true),
    ],
  ])('with %s is refused', (_, code, change) => {
    expect(codeOf(patched(change))).toBe(code);
  });

  test('out of another one is refused or gives values', () => {
    const block = inputs.map(encoded);
    const edits = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255))), {
      minLength: 1,
      maxLength: 4,
    });
    let read = 0;
    fc.assert(
      fc.property(block, edits, (bytes, changes) => {
        for (const [at, value] of changes) bytes[AT.scope + (at % (bytes.length - AT.scope))] = value;
        const code = codeOf(signed(bytes));
        if (code === null) read++;
        else expect(['content', 'limit']).toContain(code);
      }),
      { numRuns: 400 },
    );
    // Else the edits would not get past the header.
    expect(read).toBeGreaterThan(10);
  });
});
