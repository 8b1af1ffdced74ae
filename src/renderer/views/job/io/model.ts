/** What people ask of a run's I/O, from its counters: pure functions, times in seconds, sizes in bytes. */

import type { Run } from '../../../../shared/api/runs.ts';
import type { SeriesValue } from '../../../../shared/api/series.ts';
import { parseIo } from '../../../../shared/model/io.ts';
import type { IoKind, IoLayer, IoQuantity } from '../../../../shared/model/io.ts';
import { parseMpi } from '../../../../shared/model/mpi.ts';
import { ioWaitsOf } from '../../../../shared/profiles/io-waits.ts';
import type { IoWaits } from '../../../../shared/profiles/io-waits.ts';

/** Null: not measured. */
export interface IoNumbers {
  calls: number | null;
  time: number | null;
  bytes: number | null;
}

export interface IoCall extends Readonly<IoNumbers> {
  readonly call: string;
}

export interface IoMount {
  readonly mount: string;
  /** Of the file system; empty: no file. */
  readonly type: string;
  readonly read: Readonly<IoNumbers>;
  readonly write: Readonly<IoNumbers>;
  readonly metadata: Readonly<IoNumbers>;
  /** Seconds in all three. */
  readonly time: number;
}

export interface SizeClass {
  /** Smallest number of bytes of a call. */
  readonly from: number;
  /** Calls move fewer; Infinity: there is no limit. */
  readonly below: number;
  readonly reads: number;
  readonly writes: number;
}

/** One way of measuring: libc's calls, or system calls. */
export interface IoLayerSummary {
  readonly calls: number | null;
  readonly time: number | null;
  readonly read: number | null;
  readonly write: number | null;
  /** Most time first, then calls, then name. */
  readonly top: readonly IoCall[];
  /** Keys of the counters of bytes in each direction, for their history; null: there is none. */
  readonly readKey: string | null;
  readonly writeKey: string | null;
}

/** Seconds of all ranks by what they did; I/O that MPI makes is in both. */
export interface IoShares {
  readonly io: number;
  readonly mpi: number | null;
  readonly other: number;
  readonly whole: number;
}

export interface IoSummary {
  readonly elapsed: number | null;
  readonly ranks: number;
  readonly layers: ReadonlyMap<IoLayer, IoLayerSummary>;
  /** Most time first. */
  readonly mounts: readonly IoMount[];
  /** From small to large; empty: not measured. */
  readonly sizes: readonly SizeClass[];
  /** Calls that move no data; null: not measured. */
  readonly metadata: Readonly<IoNumbers> | null;
  /** Where the run's time went; null: its start or the time in I/O is not known. */
  readonly shares: IoShares | null;
  /** In no total; null: nothing waited. */
  readonly waits: IoWaits | null;
}

const nothing = (): IoNumbers => ({ calls: null, time: null, bytes: null });
const plus = (into: IoNumbers, quantity: IoQuantity, value: number): void => {
  into[quantity] = (into[quantity] ?? 0) + value;
};

interface Layer {
  readonly total: Record<'calls' | 'time' | 'read' | 'write', number | null>;
  readonly calls: Map<string, IoNumbers>;
  readKey: string | null;
  writeKey: string | null;
}

interface Mount extends Record<IoKind, IoNumbers> {
  readonly mount: string;
  readonly type: string;
}

/** `time`: of the values, ms since the epoch. */
export function summarizeIo(run: Run, time: number, series: readonly SeriesValue[]): IoSummary {
  const layers = new Map<IoLayer, Layer>();
  const mounts = new Map<string, Mount>();
  const classes = new Map<number, { reads: number; writes: number }>();
  let mpi: number | null = null;
  const layerOf = (layer: IoLayer): Layer => {
    const found = layers.get(layer);
    if (found) return found;
    const total = { calls: null, time: null, read: null, write: null };
    const made: Layer = { total, calls: new Map(), readKey: null, writeKey: null };
    layers.set(layer, made);
    return made;
  };
  for (const { kind, family, labels, key, value } of series) {
    if (kind !== 'counter' || value === null) continue;
    const inMpi = parseMpi(family);
    if (inMpi?.call === null && inMpi.quantity === 'time') mpi = (mpi ?? 0) + value;
    const metric = parseIo(family, labels);
    if (!metric) continue;
    if (metric.what === 'total') {
      const layer = layerOf(metric.layer);
      layer.total[metric.quantity] = (layer.total[metric.quantity] ?? 0) + value;
      if (metric.quantity === 'read') layer.readKey = key;
      if (metric.quantity === 'write') layer.writeKey = key;
    } else if (metric.what === 'call') {
      const { calls } = layerOf(metric.layer);
      const numbers = calls.get(metric.call) ?? nothing();
      plus(numbers, metric.quantity, value);
      calls.set(metric.call, numbers);
    } else if (metric.what === 'mount') {
      const id = JSON.stringify([metric.mount, metric.type]);
      const made = { mount: metric.mount, type: metric.type, read: nothing(), write: nothing(), metadata: nothing() };
      const mount = mounts.get(id) ?? made;
      plus(mount[metric.kind], metric.quantity, value);
      mounts.set(id, mount);
    } else if (metric.what === 'size') {
      const one = classes.get(metric.below) ?? { reads: 0, writes: 0 };
      one[metric.kind === 'read' ? 'reads' : 'writes'] += value;
      classes.set(metric.below, one);
    }
  }
  const elapsed = run.start_time > 0 && time > run.start_time ? (time - run.start_time) / 1000 : null;
  const summaries = new Map([...layers].map(([name, layer]) => [name, layerSummary(layer)]));
  return {
    elapsed,
    ranks: run.ranks,
    layers: summaries,
    mounts: mountRows(mounts),
    sizes: sizeRows(classes),
    metadata: metadataOf(mounts),
    shares: sharesOf(summaries, mpi, elapsed, run.ranks),
    waits: ioWaitsOf(series),
  };
}

function layerSummary({ total, calls, readKey, writeKey }: Layer): IoLayerSummary {
  const top = [...calls]
    .map(([call, numbers]) => ({ call, ...numbers }))
    .filter((row) => (row.calls ?? 0) > 0 || (row.time ?? 0) > 0)
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0) || (b.calls ?? 0) - (a.calls ?? 0) || (a.call < b.call ? -1 : 1));
  return { ...total, top, readKey, writeKey };
}

function mountRows(mounts: ReadonlyMap<string, Mount>): IoMount[] {
  const spent = ({ read, write, metadata }: Mount): number =>
    (read.time ?? 0) + (write.time ?? 0) + (metadata.time ?? 0);
  return [...mounts.values()]
    .map((mount) => ({ ...mount, time: spent(mount) }))
    .filter(({ read, write, metadata }) => [read, write, metadata].some((part) => (part.calls ?? 0) > 0))
    .sort((a, b) => b.time - a.time || (a.mount < b.mount ? -1 : 1));
}

function sizeRows(classes: ReadonlyMap<number, { reads: number; writes: number }>): SizeClass[] {
  let from = 0;
  return [...classes]
    .sort(([a], [b]) => a - b)
    .map(([below, counts]) => {
      const row = { from, below, ...counts };
      from = below;
      return row;
    });
}

function metadataOf(mounts: ReadonlyMap<string, Mount>): IoNumbers | null {
  const all = nothing();
  for (const { metadata } of mounts.values()) {
    if (metadata.calls !== null) plus(all, 'calls', metadata.calls);
    if (metadata.time !== null) plus(all, 'time', metadata.time);
  }
  return all.calls === null ? null : all;
}

/** Time in libc's I/O calls; system calls are no measure of it, since waiting for other things is one, too. */
function sharesOf(
  layers: ReadonlyMap<IoLayer, IoLayerSummary>,
  mpi: number | null,
  elapsed: number | null,
  ranks: number,
): IoShares | null {
  const io = layers.get('io')?.time ?? null;
  if (io === null || elapsed === null || ranks === 0) return null;
  const inside = io + (mpi ?? 0);
  const whole = Math.max(elapsed * ranks, inside);
  return whole > 0 ? { io, mpi, other: whole - inside, whole } : null;
}
