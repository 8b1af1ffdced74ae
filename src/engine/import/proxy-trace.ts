/**
 * Reads a trace file of the Rust metric proxy: records of a length (u64) and that many bytes, each one value as
 * serde_binary writes it, little endian: a text is its length (u32) and UTF-8, a structure is its number of fields (u32)
 * and for each its name and value, a variant is its name and content, a list its length (u32) and items. Three kinds:
 *
 *     Desc            { ts: f64 s, desc: job description }
 *     CounterMetadata { ts, metadata: { id: u64, name, doc } }
 *     Counters        { ts, counters: [{ id, value: Counter { ts: u64, value: f64 } | Gauge { min, max, hits, total } }] }
 *
 * `Counters` has what changed since the record before. A counter's own `ts` is a running mean that begins at 0 and says
 * nothing: it is left out. A file may end in the middle of a record, since the proxy does not write them whole: what lies
 * before it is good.
 */

import { JobDesc, toMilliseconds } from '../../shared/model/job.ts';
import type { Kind } from '../../shared/model/values.ts';

/** What a file may claim. */
const MAX_RECORD = 256 * 1024 * 1024;
const MAX_TEXT = 1024 * 1024;
const MAX_METRICS = 1_000_000;

/** Bytes that are no trace. `message` says where. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

export interface TraceMetric {
  readonly name: string;
  readonly doc: string;
}

/** Values that changed: of metric `ids[i]` one number for a counter, four for a gauge (min, max, hits, total). */
export interface TraceSample {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly ids: Uint32Array;
  readonly kinds: readonly Kind[];
  /** Four per id; a counter's is the first. */
  readonly values: Float64Array;
}

export interface Trace {
  readonly desc: JobDesc;
  /** By the file's own number. */
  readonly metrics: ReadonlyMap<number, TraceMetric>;
  readonly samples: readonly TraceSample[];
  /** What was left out, for people. */
  readonly notes: readonly string[];
}

class Cursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  at: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  #take(length: number): number {
    const at = this.at;
    if (length > this.#end - at) throw new TraceError(`a record ends early at byte ${at}`);
    this.at = at + length;
    return at;
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  u64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#take(8)));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  text(): string {
    const length = this.u32();
    if (length > MAX_TEXT) throw new TraceError(`a text of ${length} bytes at byte ${this.at}`);
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A structure of exactly these fields, in this order. */
  fields(...names: readonly string[]): void {
    const count = this.u32();
    if (count !== names.length) throw new TraceError(`${count} fields instead of ${names.length} at byte ${this.at}`);
  }

  named(name: string): void {
    const at = this.at;
    const found = this.text();
    if (found !== name) throw new TraceError(`${JSON.stringify(found.slice(0, 40))} instead of ${name} at byte ${at}`);
  }
}

/** All of a file. Throws TraceError when its first record is no job description. */
export function readTrace(bytes: Buffer): Trace {
  let desc: JobDesc | null = null;
  const metrics = new Map<number, TraceMetric>();
  const samples: TraceSample[] = [];
  const notes: string[] = [];
  let at = 0;
  try {
    while (at < bytes.length) {
      if (bytes.length - at < 8) throw new TraceError(`a record ends early at byte ${at}`);
      const length = Number(bytes.readBigUInt64LE(at));
      if (length > MAX_RECORD || length > bytes.length - at - 8)
        throw new TraceError(`a record ends early at byte ${at}`);
      const from = new Cursor(bytes, at + 8, at + 8 + length);
      const kind = from.text();
      if (kind === 'Desc') desc = mergedDesc(desc, readDesc(from));
      else if (kind === 'CounterMetadata') readMetric(from, metrics);
      else if (kind === 'Counters') addSample(samples, readSample(from), notes);
      else throw new TraceError(`a record of unknown kind ${JSON.stringify(kind.slice(0, 40))} at byte ${at}`);
      if (from.at !== at + 8 + length) throw new TraceError(`a record with more than it should have at byte ${at}`);
      if (!desc) throw new TraceError('it does not begin with a job description');
      at += 8 + length;
    }
  } catch (error) {
    if (!(error instanceof TraceError) || !desc) throw error;
    notes.push(`${bytes.length - at} bytes at the end were not read: ${error.message}`);
  }
  if (!desc) throw new TraceError('it is empty');
  return { desc, metrics, samples, notes };
}

const mergedDesc = (before: JobDesc | null, next: JobDesc): JobDesc =>
  before ? { ...next, end_time: Math.max(before.end_time, next.end_time) } : next;

function readDesc(from: Cursor): JobDesc {
  from.fields('ts', 'desc');
  from.named('ts');
  from.f64();
  from.named('desc');
  from.fields('jobid', 'command', 'size', 'nodelist', 'partition', 'cluster', 'run_dir', 'start_time', 'end_time');
  const text = (name: string): string => {
    from.named(name);
    return from.text();
  };
  const [jobid, command] = [text('jobid'), text('command')];
  from.named('size');
  const size = Math.max(0, from.i32());
  const [nodelist, partition, cluster, run_dir] = [
    text('nodelist'),
    text('partition'),
    text('cluster'),
    text('run_dir'),
  ];
  from.named('start_time');
  const start_time = toMilliseconds(from.u64());
  from.named('end_time');
  const end_time = toMilliseconds(from.u64());
  const desc = JobDesc.safeParse({ jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time });
  if (!desc.success) throw new TraceError(`a job description that cannot be: ${desc.error.issues[0]!.message}`);
  return desc.data;
}

function readMetric(from: Cursor, metrics: Map<number, TraceMetric>): void {
  from.fields('ts', 'metadata');
  from.named('ts');
  from.f64();
  from.named('metadata');
  from.fields('id', 'name', 'doc');
  from.named('id');
  const id = from.u64();
  from.named('name');
  const name = from.text();
  from.named('doc');
  const doc = from.text();
  if (id > 0xffff_ffff || metrics.size >= MAX_METRICS) throw new TraceError(`too many metrics at byte ${from.at}`);
  metrics.set(id, { name, doc });
}

/** Bytes of an item with the shortest value: bounds what a length may claim. */
const MIN_ITEM = 60;

function readSample(from: Cursor): TraceSample {
  from.fields('ts', 'counters');
  from.named('ts');
  const seconds = from.f64();
  from.named('counters');
  const count = from.u32();
  if (count > MAX_RECORD / MIN_ITEM) throw new TraceError(`${count} values at byte ${from.at}`);
  const ids: number[] = [];
  const kinds: Kind[] = [];
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    from.fields('id', 'value');
    from.named('id');
    ids.push(from.u64());
    from.named('value');
    const variant = from.text();
    if (variant === 'Counter') {
      from.fields('ts', 'value');
      from.named('ts');
      from.u64();
      from.named('value');
      kinds.push('counter');
      values.push(from.f64(), 0, 0, 0);
    } else if (variant === 'Gauge') {
      from.fields('min', 'max', 'hits', 'total');
      kinds.push('gauge');
      for (const part of ['min', 'max', 'hits', 'total']) {
        from.named(part);
        values.push(from.f64());
      }
    } else throw new TraceError(`a value of unknown kind at byte ${from.at}`);
  }
  return { time: Math.round(seconds * 1000), ids: Uint32Array.from(ids), kinds, values: Float64Array.from(values) };
}

/** Times must grow: the proxy may write two records in one millisecond, and clocks are set back. */
function addSample(samples: TraceSample[], sample: TraceSample, notes: string[]): void {
  const last = samples.at(-1);
  if (!Number.isFinite(sample.time) || sample.time <= 0) {
    notes.push('a sample without a time was left out');
    return;
  }
  if (last && sample.time <= last.time) {
    if (sample.time < last.time - 1000) notes.push(`the clock was set back by ${last.time - sample.time} ms`);
    samples.push({ ...sample, time: last.time + 1 });
  } else samples.push(sample);
}
