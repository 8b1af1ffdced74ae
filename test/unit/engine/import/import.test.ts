import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { importableFiles, importFiles, type FileReport } from '../../../../src/engine/import/files.ts';
import { readProfile, ProfileFileError } from '../../../../src/engine/import/proxy-profile.ts';
import { readTrace, TraceError } from '../../../../src/engine/import/proxy-trace.ts';
import { openMemoryStore } from '../../../../src/engine/store/memory.ts';
import type { Store } from '../../../../src/engine/store/store.ts';
import { temporaryFolder } from '../../../support/tmp.ts';

const proxy = join(import.meta.dirname, '../../../fixtures/proxy');
const bytesOf = (name: string): Buffer => readFileSync(join(proxy, name));

async function importAll(store: Store, paths: readonly string[]): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  for await (const report of importFiles(store, importableFiles(paths))) reports.push(report);
  return reports;
}

describe('a trace', () => {
  test('is read as the proxy answers /trace/read of it', () => {
    const trace = readTrace(bytesOf('live-1.trace'));
    expect(trace.desc).toMatchObject({ jobid: 'live-1', command: './live', start_time: 1795188214224 });
    const answer = JSON.parse(bytesOf('trace_read.json').toString()) as { time_serie: [number, unknown][] };
    expect(trace.samples.map(({ time }) => time / 1000)).toEqual(answer.time_serie.map(([time]) => time));
    expect(trace.metrics.size).toBe(47);
    expect(trace.notes).toEqual([]);
  });

  test('that ends in the middle of a record is read up to there', () => {
    const bytes = bytesOf('live-1.trace');
    const trace = readTrace(bytes.subarray(0, bytes.length - 10));
    expect(trace.samples).toHaveLength(2);
    expect(trace.notes.join()).toMatch(/bytes at the end were not read/);
  });

  test('that is none is refused, whatever the bytes', () => {
    expect(() => readTrace(Buffer.alloc(0))).toThrow(TraceError);
    const bytes = bytesOf('live-1.trace').subarray(0, 3000);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (flips) => {
          const changed = Buffer.from(bytes);
          for (const [at, value] of flips) changed[at] = value;
          try {
            readTrace(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(TraceError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a profile', () => {
  test('is read', () => {
    const { desc, values } = readProfile(bytesOf('trcjob.profile'));
    expect(desc).toMatchObject({ jobid: 'trcjob', end_time: 1795187199309 });
    expect(values).toHaveLength(141);
  });

  test.each(['', '{', '[]', '{"desc":{}}', '{"desc":null,"counters":[]}'])('that is %j is refused', (text) => {
    expect(() => readProfile(Buffer.from(text))).toThrow(ProfileFileError);
  });

  test('that is a JSON of another kind is refused in one line of words', () => {
    expect(() => readProfile(Buffer.from('{"traceEvents":[]}'))).toThrow(
      /^it is no profile of the Rust metric proxy \(desc: .+\)$/,
    );
  });

  test('that is an export of ours is refused with what to import in its place', () => {
    expect(() => readProfile(Buffer.from('{"format":"vigie-export","version":1,"profiles":[],"samples":[]}'))).toThrow(
      /made by vigie export.+import the database or the data directory/,
    );
  });
});

describe('an import', () => {
  test('of a path that is not there says so', () => {
    const path = join(temporaryFolder(), 'nowhere');
    expect(() => importableFiles([path])).toThrow(`${path} is not there`);
  });

  test('makes one run of a profile and a trace, and nothing when repeated', async () => {
    const { store } = openMemoryStore();
    const files = [join(proxy, 'trcjob.trace'), join(proxy, 'trcjob.profile')];
    expect(await importAll(store, files)).toMatchObject([{ jobid: 'trcjob', outcome: 'imported', samples: 75 }]);
    const profile = await store.latestProfile('trcjob');
    expect(profile!.run).toMatchObject({ state: 'finished', command: './app', end_time: 1795187199309 });
    const { run } = profile!;
    const at = (key: string): number | null => profile!.series.find((s) => s.key === key)!.value;
    expect(at('trc___hits___c0007')).toBe(150);
    const range = { scope: run.scope, series: ['trc___hits___c0007'], from: run.start_time, to: run.end_time };
    const history = await store.query({ ...range, maxPoints: 1000 });
    expect(history!.times).toHaveLength(75);
    expect(history!.series[0]!.last.at(-1)).toBe(150);
    expect(await importAll(store, files)).toMatchObject([{ outcome: 'known', samples: 0 }]);
    expect((await store.runs({ limit: 10 })).runs).toHaveLength(1);
    await store.close();
  });

  test('of a folder takes what is there, tells what is not one, and follows no links', async () => {
    const { store } = openMemoryStore();
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep/a.profile'), bytesOf('scal3-4.profile'));
    writeFileSync(join(folder, 'bad.trace'), 'no trace at all');
    writeFileSync(join(folder, 'other.txt'), 'not looked at');
    symlinkSync(join(proxy, 'trcjob.profile'), join(folder, 'link.profile'));
    const reports = await importAll(store, [folder]);
    expect(reports).toMatchObject([
      { outcome: 'failed', files: [join(folder, 'bad.trace')] },
      { outcome: 'imported', jobid: 'scal3-4', samples: 0 },
    ]);
    await store.close();
  });
});
