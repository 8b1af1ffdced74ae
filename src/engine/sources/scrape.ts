import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import { labelOf, labelValue } from './label.ts';
import { readOnce } from './read.ts';
import type { Roots, Source } from './source.ts';

export interface OsRelease {
  /** `Debian GNU/Linux` */
  readonly name: string | null;
  /** `12`; rolling distributions have none. */
  readonly version: string | null;
}

/** NAME and VERSION_ID of an os-release file, which is written as shell assignments. Never throws. */
export function parseOsRelease(bytes: Uint8Array): OsRelease {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return { name: assigned(text, 'NAME'), version: assigned(text, 'VERSION_ID') };
}

function assigned(text: string, key: 'NAME' | 'VERSION_ID'): string | null {
  let value: string | null = null;
  // As in a shell, the last assignment counts.
  for (const line of text.split('\n')) {
    if (line.startsWith(`${key}=`)) value = unquote(line.slice(key.length + 1).trim());
  }
  return (value !== null && labelValue(Buffer.from(value, 'latin1'))) || null;
}

function unquote(value: string): string {
  const quote = value[0];
  if ((quote !== '"' && quote !== "'") || value.length < 2 || !value.endsWith(quote)) return value;
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replace(/\\(["\\$`])/g, '$1') : inner;
}

/** What is not known is left out. */
function readLabels(roots: Roots): Label[] {
  // The distribution's file lies beside /proc, also where a container sees the host's root as /host.
  const root = join(roots.proc, '..');
  const release = readOnce(join(root, 'etc', 'os-release')) ?? readOnce(join(root, 'usr', 'lib', 'os-release'));
  const { name, version } = parseOsRelease(release ?? new Uint8Array(0));
  const labels: readonly (readonly [string, string | null])[] = [
    ['os', name],
    ['osversion', version],
    ['kernel', labelOf(readOnce(join(roots.proc, 'sys', 'kernel', 'osrelease')))],
    ['hostname', labelOf(readOnce(join(roots.proc, 'sys', 'kernel', 'hostname')))],
  ];
  return labels.flatMap(([label, value]) => (value === null ? [] : [[label, value] as const]));
}

/** Counts the samples taken of this node; its labels say what the node runs. */
export const scrape: Source = {
  name: 'scrape',
  open(roots) {
    const name = formatMetric('proxy_scrape_total', readLabels(roots));
    let handle: number | null = null;
    let ticks = 0;
    return {
      sample(out) {
        handle ??= out.counter(name, 'Samples taken of this node since the engine started');
        out.setCounter(handle, ++ticks);
      },
      close: () => {},
    };
  },
};
