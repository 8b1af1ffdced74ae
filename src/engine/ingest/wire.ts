/**
 * The legacy protocol: JSON messages, each ended by a NUL byte.
 *
 * Nearly all messages are values, written by one serializer, so their bytes differ only in the name and the numbers. The
 * decoder walks those canonical bytes once, without making a string or an object, and finds the series by the bytes of
 * its name. Whatever does not match byte for byte, at whatever point, is read the long way (messages.ts); a property
 * test holds both ways equal.
 *
 * Clients send their counters in the same order each time, so the decoder also guesses the next name, and compares the
 * whole message with what it must then be eight bytes at a time. A wrong guess costs little: it is read as if there had
 * been none.
 *
 * No sockets in here: bytes go in, calls to a {@link WireSink} come out.
 */

import { readMessage, refuseGauge, type Message, type Reason } from './messages.ts';
import { escapedName, HASH_SEED, hashBytes, hashStep, type NameTable } from './names.ts';
import { growInt32, NO_BITS, NO_INTS } from '../live/columns.ts';

/** Longest message unless another limit is given, without its NUL. A sender of a longer one is cut off. */
export const MAX_MESSAGE = 1024 * 1024;

/** Where decoded messages go. */
export interface WireSink {
  /** Names that the client's present scope knows; null before it has one. */
  readonly names: NameTable | null;
  /** Handle of an entry of `names` if this client has described it, else -1. */
  handleOf(entry: number): number;
  /** A counter grew. Returns why that is not taken, or null. `handle` may be a gauge's. */
  counter(handle: number, increase: number): Reason | null;
  gauge(handle: number, min: number, max: number, hits: number, total: number): Reason | null;
  /** A message that was read the long way. A value comes here only if this client has not described its name. */
  message(message: Message): Reason | null;
  /**
   * A canonical counter description whose name the scope knows: describes it for this client without reading its text.
   * False: the scope has it as something else, send it the long way.
   */
  describeKnownCounter(entry: number): boolean;
  /** So many messages were taken. */
  accepted(count: number): void;
  /** A message was not taken; the connection goes on. */
  rejected(reason: Reason): void;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const VALUE = ascii('{"Value":{"name":"');
const COUNTER_TS = ascii('","value":{"Counter":{"ts":');
const COUNTER_VALUE = ascii(',"value":');
const GAUGE_MIN = ascii('","value":{"Gauge":{"min":');
const GAUGE_MAX = ascii(',"max":');
const GAUGE_HITS = ascii(',"hits":');
const GAUGE_TOTAL = ascii(',"total":');
const END = ascii('}}}}\0');
const DESC = ascii('{"Desc":{"name":"');
const DESC_DOC = ascii('","doc":"');
const DESC_COUNTER = ascii('","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0');

/** Eight bytes of a literal as the double that {@link DataView.getFloat64} reads from them. */
const eight = (literal: Uint8Array, at: number): number => new DataView(literal.buffer).getFloat64(at);
const VALUE_0 = eight(VALUE, 0);
const VALUE_8 = eight(VALUE, 8);
const VALUE_10 = eight(VALUE, 10);
const TS_0 = eight(COUNTER_TS, 0);
const TS_8 = eight(COUNTER_TS, 8);
const TS_16 = eight(COUNTER_TS, 16);
const TS_19 = eight(COUNTER_TS, 19);
const IS_0 = eight(COUNTER_VALUE, 0);
/** What a canonical counter value has around its name, at the most, with room for reading ahead. */
const AROUND = VALUE.length + COUNTER_TS.length + 20 + COUNTER_VALUE.length + 24 + END.length + 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 10^0 … 10^22: the powers a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Longest number read without the long way, in characters. */
const MAX_NUMBER = 400;
/** Integers up to here are exact in a double. */
const MAX_MANTISSA = 2 ** 53;

export class WireDecoder {
  readonly #sink: WireSink;
  readonly #longest: number;
  /** The beginning of a message whose end has not come yet. */
  #pending: Uint8Array = NO_BITS;
  #pendingLength = 0;

  // Results of the scanning steps, kept in fields so that no step allocates.
  #at = 0;
  #hash = 0;
  #number = 0;

  /** Messages taken since the sink was last told. */
  #taken = 0;
  /** The names that the guesses are about. */
  #guessed: NameTable | null = null;
  /** By entry: the entry (+ 1) that came after it the last time; 0: not known. */
  #successors: Int32Array = NO_INTS;
  /** The entry (+ 1) of the last value; 0: none. */
  #last = 0;

  /** `longest`: bytes of a message, without its NUL. */
  constructor(sink: WireSink, longest: number = MAX_MESSAGE) {
    this.#sink = sink;
    this.#longest = longest;
  }

  /** Bytes of an unfinished message. */
  get pendingBytes(): number {
    return this.#pendingLength;
  }

  /**
   * Takes the next bytes of the stream; they are not kept. False: the message that is coming is longer than
   * allowed, the stream cannot be understood any further.
   */
  push(bytes: Uint8Array): boolean {
    let at = 0;
    if (this.#pendingLength > 0) {
      const nul = bytes.indexOf(0);
      if (nul < 0) return this.#keep(bytes, 0);
      if (this.#pendingLength + nul > this.#longest) return this.#tooLong();
      this.#keep(bytes.subarray(0, nul + 1), 0);
      const message = this.#pending.subarray(0, this.#pendingLength);
      this.#pendingLength = 0;
      this.#scan(message, 0);
      at = nul + 1;
    }
    at = this.#scan(bytes, at);
    if (at < bytes.length) return this.#keep(bytes, at);
    // A huge message came and went: do not hold its memory for ever.
    if (this.#pending.length > 65_536) this.#pending = NO_BITS;
    return true;
  }

  #keep(bytes: Uint8Array, from: number): boolean {
    const length = this.#pendingLength + bytes.length - from;
    if (length > this.#longest + 1) return this.#tooLong();
    if (length > this.#pending.length) {
      const next = new Uint8Array(Math.min(this.#longest + 1, Math.max(512, length, 2 * this.#pending.length)));
      next.set(this.#pending.subarray(0, this.#pendingLength));
      this.#pending = next;
    }
    this.#pending.set(bytes.subarray(from), this.#pendingLength);
    this.#pendingLength = length;
    return true;
  }

  #tooLong(): boolean {
    this.#pending = NO_BITS;
    this.#pendingLength = 0;
    this.#sink.rejected('message_too_long');
    return false;
  }

  /** Reads all complete messages; returns where the unfinished one begins. */
  #scan(bytes: Uint8Array, from: number): number {
    const end = bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    let at = from;
    while (at < end) {
      if (this.#expected(bytes, view, at) || this.#value(bytes, at, end) || this.#desc(bytes, at, end)) {
        at = this.#at;
        continue;
      }
      const nul = bytes.indexOf(0, at);
      if (nul < 0) break;
      if (nul - at > this.#longest) this.#report('message_too_long');
      else this.#long(bytes.subarray(at, nul));
      at = nul + 1;
    }
    this.#tellTaken();
    return at;
  }

  #tellTaken(): void {
    if (this.#taken > 0) this.#sink.accepted(this.#taken);
    this.#taken = 0;
  }

  /** A value of the counter that came after the last one the last time: takes it and moves on, or touches nothing. */
  #expected(bytes: Uint8Array, view: DataView, start: number): boolean {
    const entry = this.#successors[this.#last]! - 1;
    const names = this.#guessed;
    if (!(entry >= 0) || names === null || names !== this.#sink.names) return false;
    const length = names.length(entry);
    if (start + length + AROUND > bytes.length) return false;
    if (view.getFloat64(start) !== VALUE_0 || view.getFloat64(start + 8) !== VALUE_8) return false;
    if (view.getFloat64(start + 10) !== VALUE_10) return false;
    let at = start + VALUE.length;
    if (!names.standsAt(entry, view, at)) return false;
    at += length;
    if (view.getFloat64(at) !== TS_0 || view.getFloat64(at + 8) !== TS_8) return false;
    if (view.getFloat64(at + 16) !== TS_16 || view.getFloat64(at + 19) !== TS_19) return false;
    at += COUNTER_TS.length;
    // Sixteen digits and no leading zero: microseconds of this age.
    if (bytes[at] === 0x30) return false;
    if (!fourDigits(view.getInt32(at)) || !fourDigits(view.getInt32(at + 4))) return false;
    if (!fourDigits(view.getInt32(at + 8)) || !fourDigits(view.getInt32(at + 12))) return false;
    at += 16;
    if (view.getFloat64(at) !== IS_0 || bytes[at + 8] !== COLON) return false;
    this.#at = at + COUNTER_VALUE.length;
    if (!this.#decimal(bytes)) return false;
    at = this.#at;
    if (at + END.length > bytes.length || view.getInt32(at) !== BRACES || bytes[at + 4] !== 0) return false;
    const handle = this.#sink.handleOf(entry);
    if (handle < 0) return false;
    this.#last = entry + 1;
    this.#report(this.#sink.counter(handle, this.#number));
    this.#at = at + END.length;
    return true;
  }

  /** Remembers which name came after which. */
  #learn(entry: number): void {
    const names = this.#sink.names;
    if (names !== this.#guessed) {
      this.#guessed = names;
      this.#successors = NO_INTS;
      this.#last = 0;
    }
    this.#successors = growInt32(this.#successors, Math.max(this.#last, entry + 1) + 1);
    this.#successors[this.#last] = entry + 1;
    this.#last = entry + 1;
  }

  /** Handle of a name that stands between quotes, or -1. */
  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const entry = this.#sink.names?.find(bytes, start, end, hash) ?? -1;
    if (entry < 0) return -1;
    const handle = this.#sink.handleOf(entry);
    if (handle >= 0) this.#learn(entry);
    return handle;
  }

  /** The long way: any valid JSON of the right shape. */
  #long(bytes: Uint8Array): void {
    const message = readMessage(bytes);
    const reason = typeof message === 'string' ? message : this.#deliver(message);
    this.#report(reason);
  }

  #deliver(message: Message): Reason | null {
    if (message.type === 'job' || message.type === 'desc') return this.#sink.message(message);
    const name = escapedName(message.name);
    const handle = this.#find(name, 0, name.length, hashBytes(name, 0, name.length));
    if (handle < 0) return this.#sink.message(message);
    if (message.type === 'counter') return this.#sink.counter(handle, message.increase);
    return this.#sink.gauge(handle, message.min, message.max, message.hits, message.total);
  }

  #report(reason: Reason | null): void {
    if (reason === null) {
      this.#taken++;
      return;
    }
    // In order: so many bad ones in a row is a question the sink answers.
    this.#tellTaken();
    this.#sink.rejected(reason);
  }

  /** A canonical value from `start` on: takes it and moves on, or touches nothing. */
  #value(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#literal(bytes, start, VALUE)) return false;
    const nameStart = this.#at;
    if (!this.#name(bytes, nameStart, end)) return false;
    const nameEnd = this.#at;
    const hash = this.#hash;
    // `","value":{"` has 12 bytes; the letter behind it tells a Counter from a Gauge.
    if (bytes[nameEnd + 12] === 0x43) {
      if (!this.#literal(bytes, nameEnd, COUNTER_TS) || !this.#digits(bytes)) return false;
      if (!this.#literal(bytes, this.#at, COUNTER_VALUE) || !this.#decimal(bytes)) return false;
      const increase = this.#number;
      if (!this.#literal(bytes, this.#at, END) || this.#at > end) return false;
      const handle = this.#find(bytes, nameStart, nameEnd, hash);
      if (handle < 0) return false;
      const after = this.#at;
      this.#report(this.#sink.counter(handle, increase));
      this.#at = after;
      return true;
    }
    if (!this.#literal(bytes, nameEnd, GAUGE_MIN) || !this.#decimal(bytes)) return false;
    const min = this.#number;
    if (!this.#literal(bytes, this.#at, GAUGE_MAX) || !this.#decimal(bytes)) return false;
    const max = this.#number;
    if (!this.#literal(bytes, this.#at, GAUGE_HITS) || !this.#decimal(bytes)) return false;
    const hits = this.#number;
    if (!this.#literal(bytes, this.#at, GAUGE_TOTAL) || !this.#decimal(bytes)) return false;
    const total = this.#number;
    if (!this.#literal(bytes, this.#at, END) || this.#at > end) return false;
    const handle = this.#find(bytes, nameStart, nameEnd, hash);
    if (handle < 0) return false;
    const after = this.#at;
    this.#report(refuseGauge(min, max, hits) ?? this.#sink.gauge(handle, min, max, hits, total));
    this.#at = after;
    return true;
  }

  /** A canonical description of a counter that the scope knows: every rank of a large run sends the same ones. */
  #desc(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#literal(bytes, start, DESC)) return false;
    const nameStart = this.#at;
    if (!this.#name(bytes, nameStart, end)) return false;
    const nameEnd = this.#at;
    const hash = this.#hash;
    if (!this.#literal(bytes, nameEnd, DESC_DOC) || !this.#plainText(bytes, this.#at, end)) return false;
    if (!this.#literal(bytes, this.#at, DESC_COUNTER) || this.#at > end) return false;
    const after = this.#at;
    const entry = this.#sink.names?.find(bytes, nameStart, nameEnd, hash) ?? -1;
    if (entry < 0 || !this.#sink.describeKnownCounter(entry)) return false;
    this.#report(null);
    this.#at = after;
    return true;
  }

  /**
   * These bytes stand here. Reading past the end of a typed array gives undefined, which matches nothing, so no bound
   * is checked on the way.
   */
  #literal(bytes: Uint8Array, at: number, literal: Uint8Array): boolean {
    const length = literal.length;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== literal[i]) return false;
    this.#at = at + length;
    return true;
  }

  /**
   * A JSON string's inside up to its closing quote, hashed. Escapes are passed over as they are: a name that the table
   * knows was checked when it was described. Control characters may not stand in a JSON string.
   */
  #name(bytes: Uint8Array, start: number, end: number): boolean {
    let hash = HASH_SEED;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) {
        this.#at = i;
        this.#hash = hash;
        return true;
      }
      if (byte < 0x20) return false;
      hash = hashStep(hash, byte);
      if (byte === BACKSLASH) {
        if (++i >= end || bytes[i]! < 0x20) return false;
        hash = hashStep(hash, bytes[i]!);
      }
    }
    return false;
  }

  /** A JSON string's inside in ASCII without escapes other than \" and \\: surely valid. */
  #plainText(bytes: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) {
        this.#at = i;
        return true;
      }
      if (byte < 0x20 || byte > 0x7e) return false;
      if (byte === BACKSLASH && bytes[++i] !== QUOTE && bytes[i] !== BACKSLASH) return false;
    }
    return false;
  }

  /** A JSON integer without sign. */
  #digits(bytes: Uint8Array): boolean {
    const start = this.#at;
    let i = start;
    while (isDigit(bytes[i])) i++;
    this.#at = i;
    return i > start && (bytes[start] !== 0x30 || i === start + 1);
  }

  /** A JSON number, as this protocol's clients write it or in any other valid spelling. Leaves a finite number. */
  #decimal(bytes: Uint8Array): boolean {
    const start = this.#at;
    let i = start;
    const negative = bytes[i] === 0x2d;
    if (negative) i++;
    const first = i;
    let mantissa = 0;
    while (isDigit(bytes[i])) mantissa = mantissa * 10 + (bytes[i++]! - 0x30);
    if (i === first || (bytes[first] === 0x30 && i > first + 1)) return false;
    let decimals = 0;
    if (bytes[i] === 0x2e) {
      const point = ++i;
      while (isDigit(bytes[i])) mantissa = mantissa * 10 + (bytes[i++]! - 0x30);
      decimals = i - point;
      if (decimals === 0) return false;
    }
    const exponent = bytes[i] === 0x65 || bytes[i] === 0x45;
    if (exponent) {
      i++;
      if (bytes[i] === 0x2b || bytes[i] === 0x2d) i++;
      const power = i;
      while (isDigit(bytes[i])) i++;
      if (i === power) return false;
    }
    this.#at = i;
    // Exact integers divided by exact powers of ten round once, which is what parsing the text would give.
    if (!exponent && mantissa < MAX_MANTISSA && decimals <= 22) {
      const magnitude = decimals === 0 ? mantissa : mantissa / POWERS[decimals]!;
      this.#number = negative ? -magnitude : magnitude;
      // Negative increases are refused with a reason: rare enough for the long way.
      return !negative || magnitude === 0 || this.#inGauge(bytes, start);
    }
    // A number of thousands of digits would be as many arguments: the long way has no limit.
    if (i - start > MAX_NUMBER) return false;
    const text = String.fromCharCode(...bytes.subarray(start, i));
    this.#number = Number(text);
    return Number.isFinite(this.#number) && (!negative || this.#inGauge(bytes, start));
  }

  /** The number before which `:` closes `"min"`, `"max"`, `"hits"` or `"total"`, not a counter's `"value"`. */
  #inGauge(bytes: Uint8Array, start: number): boolean {
    return bytes[start - 3] !== 0x65; // the e of "value"
  }
}

const COLON = 0x3a;
/** `}}}}` */
const BRACES = 0x7d7d7d7d;

/** Four bytes that are all ASCII digits. */
const fourDigits = (x: number): boolean =>
  (x & 0xf0f0f0f0) === 0x30303030 && ((x + 0x06060606) & 0xf0f0f0f0) === 0x30303030;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
