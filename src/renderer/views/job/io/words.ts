/** What a run's I/O says, in sentences. */

import { formatCount, formatValue } from '../../../format/units.ts';
import type { IoWaits } from '../../../../shared/profiles/io-waits.ts';
import { percent } from '../mpi/words.ts';
import type { IoSummary, SizeClass } from './model.ts';

/** Calls that move less than this are small: a network file system needs a message for each. */
const SMALL = 4096;
/** As parts of all calls that move data, and of the time in I/O: below it nobody has to care. */
const MANY = 0.5;
const MUCH = 0.3;

/** `below 512 B`, `4 KiB to 64 KiB`, `16 MiB and more`. */
export function sizeName({ from, below }: Pick<SizeClass, 'from' | 'below'>): string {
  if (from === 0) return `below ${formatValue(below, 'B')}`;
  if (below === Infinity) return `${formatValue(from, 'B')} and more`;
  return `${formatValue(from, 'B')} to ${formatValue(below, 'B')}`;
}

/** `12.3 s in 4 012 calls, 31 % of the time of its ranks; 90 % of that in epoll_wait.` Of several threads it may be more than that time. */
export function waitSentence(
  { calls, time, top }: IoWaits,
  { elapsed, ranks }: Pick<IoSummary, 'elapsed' | 'ranks'>,
): string {
  const count = calls === null ? '' : `${formatCount(calls)} ${calls === 1 ? 'call' : 'calls'}`;
  if (time === null) return `${count}; their time was not measured.`;
  const whole = (elapsed ?? 0) * ranks;
  const share = whole > 0 && time <= whole ? `, ${percent(time / whole)} of the run time` : ', all threads added up';
  const [first] = top;
  const most =
    first && top.length > 1 && time > 0 ? `; ${percent((first.time ?? 0) / time)} of that in ${first.call}` : '';
  return `${formatValue(time, 's')}${count === '' ? '' : ` in ${count}`}${share}${most}.`;
}

/** The result first, then what is worth a look. */
export function ioSentences(summary: IoSummary): string[] {
  const { shares, mounts, sizes, metadata, layers } = summary;
  const layer = layers.get('io') ?? layers.get('system');
  if (!layer) return [];
  const out: string[] = [];
  const moved = `${formatValue(layer.read, 'B')} read and ${formatValue(layer.write, 'B')} written`;
  if (shares) {
    const mpi = shares.mpi === null ? '' : `, MPI ${percent(shares.mpi / shares.whole)}`;
    out.push(`I/O took ${percent(shares.io / shares.whole)} of the run time${mpi}; ${moved}.`);
  } else {
    out.push(`${formatCount(layer.calls ?? 0)} calls; ${moved}.`);
  }
  const [first] = mounts;
  const [call] = layer.top;
  const spent = shares?.io ?? 0;
  if (first && call && spent > 0) {
    const type = first.type === '' ? '' : ` (${first.type})`;
    const where = `${percent(first.time / spent)} of it on ${first.mount}${type}`;
    out.push(`${where}, ${percent((call.time ?? 0) / spent)} in ${call.call}.`);
  }
  const all = sizes.reduce((sum, { reads, writes }) => sum + reads + writes, 0);
  const small = sizes.filter(({ below }) => below <= SMALL).reduce((sum, { reads, writes }) => sum + reads + writes, 0);
  if (all >= 1000 && small / all > MANY) {
    out.push(
      `${percent(small / all)} of the calls that move data move less than ${formatValue(SMALL, 'B')}: larger buffers would need fewer calls.`,
    );
  }
  if (metadata && spent > 0 && (metadata.time ?? 0) / spent > MUCH) {
    out.push(
      `${percent((metadata.time ?? 0) / spent)} of the time in I/O is opening, closing and looking up files (${formatCount(metadata.calls ?? 0)} calls).`,
    );
  }
  return out;
}
