/**
 * The bytes of a large answer: made in one buffer, without a string for each line, and the buffer is used again when the
 * answer has been taken.
 */

import type { FastifyReply } from 'fastify';

/** Larger buffers are not kept for the next answer. */
const KEEP_BYTES = 8 * 1024 * 1024;
/** Not kept for longer than this without use, in ms. */
const KEEP_MS = 60_000;

let spare: Buffer | null = null;
let forget: NodeJS.Timeout | null = null;

function takeBuffer(bytes: number): Buffer {
  const taken = spare;
  if (taken === null || taken.length < bytes) return Buffer.allocUnsafeSlow(bytes);
  spare = null;
  return taken;
}

function keep(buffer: Buffer): void {
  if (buffer.length > KEEP_BYTES || (spare !== null && spare.length >= buffer.length)) return;
  spare = buffer;
  if (forget) return void forget.refresh();
  forget = setTimeout(() => (spare = null), KEEP_MS);
  forget.unref();
}

const ZERO = 0x30;

export class Body {
  buffer: Buffer;
  length = 0;
  /** Answers that have not been taken yet, and one for the maker. */
  #users = 1;

  /** `expected`: bytes it will have, about. */
  constructor(expected: number) {
    this.buffer = takeBuffer(Math.max(4096, expected));
  }

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Room for so many bytes more. */
  ensure(bytes: number): void {
    const need = this.length + bytes;
    if (need <= this.buffer.length) return;
    const next = Buffer.allocUnsafeSlow(need + (need >>> 1));
    this.buffer.copy(next, 0, 0, this.length);
    this.buffer = next;
  }

  copy(from: Buffer, start: number, end: number): void {
    this.ensure(end - start);
    from.copy(this.buffer, this.length, start, end);
    this.length += end - start;
  }

  text(text: string): void {
    this.ensure(3 * text.length);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  byte(byte: number): void {
    this.ensure(1);
    this.buffer[this.length++] = byte;
  }

  /** As JavaScript spells it; it must be finite. */
  number(value: number): void {
    this.ensure(32);
    if (Number.isSafeInteger(value) && value >= 0) this.length = digits(this.buffer, this.length, value);
    else this.length += this.buffer.write(String(value), this.length, 'latin1');
  }

  /** Sends it, once for each reader. After that it must not be changed. */
  send(reply: FastifyReply): FastifyReply {
    this.#users++;
    reply.raw.once('close', () => this.release());
    return reply.send(this.bytes);
  }

  /** The maker is done with it. */
  release(): void {
    if (--this.#users === 0) keep(this.buffer);
  }
}

/** Writes a whole number below 2^53; returns where it ends. In two halves: 32 bits are divided much faster. */
function digits(out: Buffer, start: number, value: number): number {
  let at = start;
  const high = Math.floor(value / 1e8);
  let low = (value - high * 1e8) | 0;
  if (high > 0) {
    at = digits(out, at, high) + 8;
    for (let k = at - 1; k >= at - 8; k--) {
      const rest = (low / 10) | 0;
      out[k] = ZERO + low - rest * 10;
      low = rest;
    }
    return at;
  }
  at++;
  for (let rest = low; rest >= 10; rest = (rest / 10) | 0) at++;
  for (let k = at - 1; k >= start; k--) {
    const rest = (low / 10) | 0;
    out[k] = ZERO + low - rest * 10;
    low = rest;
  }
  return at;
}
