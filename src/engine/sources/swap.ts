import { join } from 'node:path';
import { Cursor, ascii } from './cursor.ts';
import { openTickFile } from './read.ts';
import type { Source, SourceInstance } from './source.ts';

/** Lines of /proc/vmstat that are told: what the memory of this node has to fetch and to throw out. Pages, or events. */
const LINES: readonly (readonly [key: string, doc: string])[] = [
  ['pswpin', 'Pages that came back from swap'],
  ['pswpout', 'Pages that went out to swap'],
  ['pgfault', 'Page faults, those without any reading too'],
  ['pgmajfault', 'Page faults for which something had to be read'],
  ['oom_kill', 'Programs that the kernel killed because memory ran out'],
];
const KEYS = LINES.map(([key]) => ascii(`${key} `));

/** Values in the order of the lines above, -1 for those that this kernel does not tell. Writes over `into`. Never throws. */
export function parseVmstat(bytes: Uint8Array, into: Float64Array = new Float64Array(LINES.length)): Float64Array {
  into.fill(-1);
  const cursor = new Cursor(bytes);
  let missing = KEYS.length;
  while (missing > 0 && cursor.at < bytes.length) {
    const which = keyAt(cursor);
    const value = which < 0 ? -1 : cursor.unsigned();
    if (!cursor.nextLine()) break;
    if (value < 0) continue;
    into[which] = value;
    missing--;
  }
  return into;
}

const O = 0x6f;
const P = 0x70;

/** Number of the key that stands here, -1 when it is none of them. */
function keyAt(cursor: Cursor): number {
  // Most of the 150 lines begin with another letter.
  const first = cursor.bytes[cursor.at];
  if (first !== P && first !== O) return -1;
  for (let i = 0; i < KEYS.length; i++) if (cursor.skip(KEYS[i]!)) return i;
  return -1;
}

/** Swapping, page faults and kills for lack of memory, from /proc/vmstat. How much swap there is comes from meminfo. */
export const swap: Source = {
  name: 'swap',
  open(roots): SourceInstance | null {
    const file = openTickFile(join(roots.proc, 'vmstat'));
    if (file === null) return null;
    const values = new Float64Array(LINES.length);
    const handles = new Int32Array(LINES.length).fill(-1);
    return {
      sample(out) {
        parseVmstat(file.read(), values);
        if (values.every((value) => value < 0)) throw new Error('vmstat is not in the known form');
        for (const [i, [key, doc]] of LINES.entries()) {
          if (values[i]! < 0) continue;
          if (handles[i]! < 0) handles[i] = out.counter(`proxy_vmstat_${key}`, doc);
          out.setCounter(handles[i]!, values[i]!);
        }
      },
      close: () => file.close(),
    };
  },
};
