/**
 * The message WriteRequest of Prometheus' remote write 1.0, written by hand where it is hot: a TimeSeries is labels that
 * were encoded before and one sample.
 *
 *     WriteRequest { repeated TimeSeries timeseries = 1; }
 *     TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
 *     Sample { double value = 1; int64 timestamp = 2; }   timestamp in ms since the epoch
 */

import snappy from 'snappyjs';

/** Bits of the NaN that says: from here on there is no value. An ordinary NaN would be a value. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 0x00000002;

/** Tags: number of the field and how it is encoded. */
const TIME_SERIES = 0x0a;
const SAMPLE = 0x12;
const VALUE = 0x09;
const TIMESTAMP = 0x10;

/** Most bytes of a varint of 64 bits, and of all but the labels of a TimeSeries. */
const MAX_VARINT = 10;
const OVERHEAD = 1 + MAX_VARINT + 2 + 9 + 1 + MAX_VARINT;

export class WriteRequest {
  samples = 0;
  /** Of the samples, ms since the epoch. */
  oldest = Infinity;
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** A varint: the time of the samples that are added. */
  readonly #time = new Uint8Array(MAX_VARINT);
  #timeLength = 0;
  #now = 0;

  /** Before compression. */
  get bytes(): number {
    return this.#length;
  }

  /** Time of the samples that follow, whole ms since the epoch. */
  setTime(time: number): void {
    this.#now = time;
    this.#timeLength = 0;
    for (let rest = Math.max(0, Math.floor(time)); ; rest = Math.floor(rest / 128)) {
      this.#time[this.#timeLength++] = rest < 128 ? rest : 128 | (rest % 128);
      if (rest < 128) return;
    }
  }

  /** Adds a sample of the series whose encoded labels stand in `labels` from `start` to `end`. */
  add(labels: Uint8Array, start: number, end: number, value: number): void {
    const at = this.#begin(labels, start, end);
    this.#view.setFloat64(at, value, true);
  }

  /** Says that the series has no value any more. */
  addStale(labels: Uint8Array, start: number, end: number): void {
    const at = this.#begin(labels, start, end);
    this.#view.setUint32(at, STALE_LOW, true);
    this.#view.setUint32(at + 4, STALE_HIGH, true);
  }

  /** Writes all but the value; returns the value's place. */
  #begin(labels: Uint8Array, start: number, end: number): number {
    const length = end - start;
    this.#room(length + OVERHEAD);
    if (this.#now < this.oldest) this.oldest = this.#now;
    this.samples++;
    const bytes = this.#bytes;
    let at = this.#length;
    const sample = 1 + 8 + 1 + this.#timeLength;
    bytes[at++] = TIME_SERIES;
    let rest = length + 2 + sample;
    while (rest > 127) {
      bytes[at++] = 128 | (rest & 127);
      rest >>>= 7;
    }
    bytes[at++] = rest;
    bytes.set(labels.subarray(start, end), at);
    at += length;
    bytes[at++] = SAMPLE;
    bytes[at++] = sample;
    bytes[at++] = VALUE;
    const value = at;
    at += 8;
    bytes[at++] = TIMESTAMP;
    for (let i = 0; i < this.#timeLength; i++) bytes[at++] = this.#time[i]!;
    this.#length = at;
    return value;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** The body of a request. The next sample begins a new one. */
  take(): { body: Uint8Array<ArrayBuffer>; samples: number; oldest: number } {
    const body = snappy.compress(this.#bytes.subarray(0, this.#length));
    const taken = { body, samples: this.samples, oldest: this.oldest };
    this.samples = 0;
    this.oldest = Infinity;
    this.#length = 0;
    return taken;
  }
}
