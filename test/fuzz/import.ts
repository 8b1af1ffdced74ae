/** Files that are imported: any bytes are refused, or are a run that stands in the store afterwards. */

import { readProfile, ProfileFileError } from '../../src/engine/import/proxy-profile.ts';
import { readTrace, TraceError } from '../../src/engine/import/proxy-trace.ts';
import { ImportError, importRun, type RunFiles } from '../../src/engine/import/run.ts';
import { openMemoryStore } from '../../src/engine/store/memory.ts';
import type { FuzzTarget } from './target.ts';

const u32 = (n: number): Buffer => Buffer.from(Uint32Array.of(n).buffer);
const f64 = (n: number): Buffer => Buffer.from(Float64Array.of(n).buffer);
const u64 = (n: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(n)).buffer);
const text = (value: string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const fields = (all: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([u32(Object.keys(all).length), ...Object.entries(all).flatMap(([name, value]) => [text(name), value])]);
/** A record, as the Latin-1 text that stands for its bytes. */
const record = (kind: string, value: Buffer): string => {
  const body = Buffer.concat([text(kind), value]);
  return Buffer.concat([u64(body.length), body]).toString('latin1');
};

const desc = fields({
  ...{ jobid: text('j'), command: text('./a'), size: u32(4), nodelist: text('n1'), partition: text('p') },
  ...{ cluster: text('c'), run_dir: text('/'), start_time: u64(1_795_188_214), end_time: u64(0) },
});
const value = (id: number): Buffer =>
  fields({ id: u64(id), value: Buffer.concat([text('Counter'), fields({ ts: u64(0), value: f64(7) })]) });
const JOB = { jobid: 'j', command: './a', size: 4, nodelist: 'n1', partition: 'p', cluster: 'c', run_dir: '/' };
const profile = {
  desc: { ...JOB, start_time: 1_795_188_214, end_time: 0 },
  counters: [
    { name: 'x', doc: 'd', ctype: { Counter: { value: 1 } } },
    { name: 'g', doc: 'd', ctype: { Gauge: { min: 1, max: 2, hits: 2, total: 3 } } },
  ],
};

export const importFile: FuzzTarget = {
  name: 'import',
  words: [
    record('Desc', fields({ ts: f64(1), desc })),
    record(
      'CounterMetadata',
      fields({ ts: f64(1), metadata: fields({ id: u64(1), name: text('x'), doc: text('d') }) }),
    ),
    record('Counters', fields({ ts: f64(1_795_188_215), counters: Buffer.concat([u32(1), value(1)]) })),
    record('Counters', fields({ ts: f64(NaN), counters: Buffer.concat([u32(2), value(1), value(9)]) })),
    JSON.stringify(profile),
    '"counters":[]',
    '{"Counter":{"value":null}}',
    'null',
    u32(0xffff_ffff).toString('latin1'),
    u64(40).toString('latin1'),
  ],
  check(input) {
    // Words are text; these bytes are what they stand for.
    return check(Buffer.from(Buffer.from(input).toString('utf8'), 'latin1'));
  },
};

async function check(bytes: Buffer): Promise<string> {
  let files: RunFiles;
  try {
    files =
      bytes[0] === 0x7b ? { profile: readProfile(bytes), trace: null } : { profile: null, trace: readTrace(bytes) };
  } catch (error) {
    if (!(error instanceof TraceError || error instanceof ProfileFileError)) throw error;
    if (error instanceof ProfileFileError) return error.message.startsWith('it is not JSON') ? 'no JSON' : 'no profile';
    return error.message.replaceAll(/".*"/gs, 'x').replaceAll(/\d+/g, 'n');
  }
  const { store } = openMemoryStore();
  try {
    const { run, samples, refused } = await importRun(store, files);
    const there = await store.profile(run.id);
    if (there?.run.jobid !== run.jobid) throw new Error('it is not there');
    return `run ${Math.min(3, samples)} ${Math.min(2, refused)} ${Math.min(3, there.series.length)}`;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return error.name;
  } finally {
    await store.close();
  }
}
