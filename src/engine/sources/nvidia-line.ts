import { labelValue } from './label.ts';

/** What is asked of nvidia-smi, in this order. The name stands last: it is the one that might hold a comma. */
export const NVIDIA_QUERY = [
  'index',
  'utilization.gpu',
  'utilization.memory',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'clocks.sm',
  'clocks.mem',
  'name',
] as const;

/** One answer about one GPU. Null for what it does not have, such as `[N/A]` for the power of a laptop's. */
export interface NvidiaGpu {
  readonly index: number;
  /** 0 to 100 */
  readonly usage: number | null;
  readonly memoryBusy: number | null;
  /** Bytes */
  readonly memoryUsed: number | null;
  readonly memoryTotal: number | null;
  /** °C */
  readonly temperature: number | null;
  /** W */
  readonly power: number | null;
  /** Hz */
  readonly clock: number | null;
  readonly memoryClock: number | null;
  readonly model: string | null;
}

const MEBI = 1024 * 1024;
const MEGA = 1e6;

/** Null when it is no number or a larger one than such a thing can have. */
function numberOf(text: string, max: number): number | null {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

const scaled = (value: number | null, by: number): number | null => (value === null ? null : value * by);

/** A line of `--format=csv,noheader,nounits` with the columns of NVIDIA_QUERY; null when it is something else. Never throws. */
export function parseNvidiaLine(line: string): NvidiaGpu | null {
  const fields = line.split(',').map((field) => field.trim());
  if (fields.length < NVIDIA_QUERY.length) return null;
  const index = /^\d{1,3}$/.exec(fields[0]!)?.[0];
  if (index === undefined) return null;
  const model = fields.slice(NVIDIA_QUERY.length - 1).join(', ');
  return {
    index: Number(index),
    usage: numberOf(fields[1]!, 100),
    memoryBusy: numberOf(fields[2]!, 100),
    memoryUsed: scaled(numberOf(fields[3]!, 1e9), MEBI),
    memoryTotal: scaled(numberOf(fields[4]!, 1e9), MEBI),
    temperature: numberOf(fields[5]!, 1000),
    power: numberOf(fields[6]!, 1e5),
    clock: scaled(numberOf(fields[7]!, 1e5), MEGA),
    memoryClock: scaled(numberOf(fields[8]!, 1e5), MEGA),
    // In brackets it says why there is none.
    model: /^\[.*\]$/.test(model) ? null : labelValue(Buffer.from(model, 'latin1')) || null,
  };
}
