import { labelValue } from './label.ts';

/** Who made a core, as /proc/cpuinfo says it; ARM kernels say neither. */
export interface CoreModel {
  readonly vendor: string | null;
  readonly model: string | null;
}

const KEYS = new Map([
  ['vendor_id', 'vendor'],
  ['model name', 'model'],
] as const);

/** Core number to maker and model. Cores without either are listed with nulls. Never throws. */
export function parseCpuinfo(bytes: Uint8Array): Map<number, CoreModel> {
  const cores = new Map<number, CoreModel>();
  // The same few texts come once per core: remembered, so that hundreds of cores share one string.
  const texts = new Map<string, string>();
  let core: { vendor: string | null; model: string | null } | null = null;
  for (const line of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const key = line.slice(0, colon).trim();
    if (key === 'processor') {
      const number = /^\s*(\d{1,5})\s*$/.exec(line.slice(colon + 1))?.[1];
      core = number === undefined ? null : { vendor: null, model: null };
      if (core !== null) cores.set(Number(number), core);
      continue;
    }
    const field = KEYS.get(key as 'vendor_id');
    if (field === undefined || core === null) continue;
    const raw = line.slice(colon + 1);
    const text = texts.get(raw) ?? labelValue(Buffer.from(raw, 'latin1'));
    texts.set(raw, text);
    core[field] = text || null;
  }
  return cores;
}
