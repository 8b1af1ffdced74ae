import { join } from 'node:path';
import { Cursor, ascii } from './cursor.ts';
import { openTickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** Bytes. Null for what this kernel does not say. */
export interface Meminfo {
  total: number | null;
  free: number | null;
  available: number | null;
  buffers: number | null;
  cached: number | null;
  swapTotal: number | null;
  swapFree: number | null;
}

const KEYS: readonly (readonly [key: Uint8Array, field: keyof Meminfo])[] = [
  [ascii('MemTotal:'), 'total'],
  [ascii('MemFree:'), 'free'],
  [ascii('MemAvailable:'), 'available'],
  [ascii('Buffers:'), 'buffers'],
  [ascii('Cached:'), 'cached'],
  [ascii('SwapTotal:'), 'swapTotal'],
  [ascii('SwapFree:'), 'swapFree'],
];

export function emptyMeminfo(): Meminfo {
  return { total: null, free: null, available: null, buffers: null, cached: null, swapTotal: null, swapFree: null };
}

/** The lines of /proc/meminfo used here, in bytes; malformed and cut off ones stay null. Writes over `into`. Never throws. */
export function parseMeminfo(bytes: Uint8Array, into: Meminfo = emptyMeminfo()): Meminfo {
  for (const [, field] of KEYS) into[field] = null;
  const cursor = new Cursor(bytes);
  let missing = KEYS.length;
  while (missing > 0 && cursor.at < bytes.length) {
    const field = keyAt(cursor);
    const kibibytes = field === null ? -1 : cursor.unsigned();
    if (!cursor.nextLine()) break;
    if (field === null || kibibytes < 0) continue;
    // The kernel writes kB and means 1024.
    into[field] = kibibytes * 1024;
    missing--;
  }
  return into;
}

function keyAt(cursor: Cursor): keyof Meminfo | null {
  for (const [key, field] of KEYS) if (cursor.skip(key)) return field;
  return null;
}

interface Values {
  /** Kernels before 3.14 do not say what is available: then free, buffers and cache are taken for it. */
  readonly available: number;
  readonly used: number;
  readonly swapUsed: number;
}

export function memoryValues(info: Meminfo): Values {
  const total = info.total ?? 0;
  const available = info.available ?? (info.free ?? 0) + (info.buffers ?? 0) + (info.cached ?? 0);
  return {
    available,
    used: Math.max(0, total - available),
    swapUsed: Math.max(0, (info.swapTotal ?? 0) - (info.swapFree ?? 0)),
  };
}

/** 0 to 100. Nothing is used of nothing. */
const percent = (part: number, whole: number): number => (whole > 0 ? (100 * part) / whole : 0);

interface Handles {
  readonly total: number;
  readonly used: number;
  readonly usedPercent: number;
  readonly available: number;
  readonly free: number;
  readonly buffers: number;
  readonly cached: number;
  readonly swapTotal: number;
  readonly swapUsed: number;
  readonly swapPercent: number;
}

function register(out: SourceWriter): Handles {
  return {
    total: out.gauge('proxy_memory_total_bytes', 'Memory of this node'),
    used: out.gauge('proxy_memory_used_bytes', 'Memory in use: all of it less what is available'),
    usedPercent: out.gauge('proxy_memory_used_percent', 'Memory in use, of all memory'),
    available: out.gauge('proxy_memory_available_bytes', 'Memory that programs can still get without swapping'),
    free: out.gauge('proxy_memory_free_bytes', 'Memory used for nothing, not even as cache'),
    buffers: out.gauge('proxy_memory_buffers_bytes', 'Memory that buffers raw disk blocks'),
    cached: out.gauge('proxy_memory_cached_bytes', 'Memory that caches files'),
    swapTotal: out.gauge('proxy_swap_total_bytes', 'Swap space of this node'),
    swapUsed: out.gauge('proxy_swap_used_bytes', 'Swap space in use'),
    swapPercent: out.gauge('proxy_memory_swap_used_percent', 'Swap space in use, of all swap space; 0 without swap'),
  };
}

function emit(out: SourceWriter, handles: Handles, info: Meminfo, total: number): void {
  const { available, used, swapUsed } = memoryValues(info);
  out.setGauge(handles.total, total);
  out.setGauge(handles.used, used);
  out.setGauge(handles.usedPercent, percent(used, total));
  out.setGauge(handles.available, available);
  setOrClear(out, handles.free, info.free);
  setOrClear(out, handles.buffers, info.buffers);
  setOrClear(out, handles.cached, info.cached);
  setOrClear(out, handles.swapTotal, info.swapTotal);
  setOrClear(out, handles.swapUsed, info.swapTotal === null ? null : swapUsed);
  setOrClear(out, handles.swapPercent, info.swapTotal === null ? null : percent(swapUsed, info.swapTotal));
}

function setOrClear(out: SourceWriter, handle: number, value: number | null): void {
  if (value === null) out.clearGauge(handle);
  else out.setGauge(handle, value);
}

/** Memory and swap, from /proc/meminfo. */
export const memory: Source = {
  name: 'memory',
  open(roots): SourceInstance | null {
    const file = openTickFile(join(roots.proc, 'meminfo'));
    if (file === null) return null;
    const info = emptyMeminfo();
    let handles: Handles | null = null;
    return {
      sample(out) {
        const { total } = parseMeminfo(file.read(), info);
        if (total === null) throw new Error('meminfo does not say how much memory there is');
        handles ??= register(out);
        emit(out, handles, info, total);
      },
      close: () => file.close(),
    };
  },
};
