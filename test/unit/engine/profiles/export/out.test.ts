import { describe, expect, test } from 'vitest';
import { Out } from '../../../../../src/engine/profiles/export/out.ts';
import { PIECE } from '../../../../../src/engine/profiles/export/shared-pieces.ts';

/** What was written, and how large its pieces were; each is spoilt when it was taken. */
function written(write: (out: Out) => void): { text: string; sizes: number[]; sent: number } {
  const parts: Buffer[] = [];
  const out = new Out((piece) => {
    parts.push(Buffer.from(piece));
    piece.fill(0);
  }, 1);
  write(out);
  out.flush();
  return { text: Buffer.concat(parts).toString(), sizes: parts.map(({ length }) => length), sent: out.sent };
}

describe('what formats write into', () => {
  test('has all of it in order, in pieces of a size', () => {
    const texts = Array.from({ length: 5000 }, (_, i) => `${i}: ${'é💡'.repeat(i % 90)}\n`);
    const long = `${'💡'.repeat(PIECE)}ü`;
    const { text, sizes, sent } = written((out) => {
      for (const one of texts) out.text(one);
      out.text(long);
      out.put(Buffer.from(texts.join('')));
    });
    expect(text === texts.join('') + long + texts.join('')).toBe(true);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PIECE);
    expect(sent).toBe(Buffer.byteLength(text));
  });

  test('takes a line that is longer than a piece; it is torn for its reader', () => {
    const most = 2 * PIECE + 10;
    const { text, sizes } = written((out) => {
      out.text('a');
      for (const letter of ['b', 'c']) {
        const into = out.reserve(most);
        into.fill(letter.charCodeAt(0), out.at, out.at + most);
        out.at += most;
      }
      out.text('d');
    });
    expect(text === `a${'b'.repeat(most)}${'c'.repeat(most)}d`).toBe(true);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PIECE);
  });

  test('is full when as much is on its way as there is room for, until there is more', async () => {
    const out = new Out(() => undefined, 2);
    out.put(new Uint8Array(PIECE + 1));
    expect(out.full).toBe(false);
    out.flush();
    expect(out.full).toBe(true);
    let isDrained = false;
    const drained = out.drained().then(() => (isDrained = true));
    await Promise.resolve();
    expect(isDrained).toBe(false);
    out.more(1);
    await drained;
    out.stop();
    await expect(out.drained()).rejects.toThrow('ended');
  });
});
