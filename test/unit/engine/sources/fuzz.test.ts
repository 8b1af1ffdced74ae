import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCpuinfo } from '../../../../src/engine/sources/cpuinfo.ts';
import { parseStat, usagePercent } from '../../../../src/engine/sources/cpu.ts';
import { SOURCES } from '../../../../src/engine/sources/index.ts';
import { labelValue } from '../../../../src/engine/sources/label.ts';
import { parseLoadavg } from '../../../../src/engine/sources/load.ts';
import { memoryValues, parseMeminfo } from '../../../../src/engine/sources/memory.ts';
import { parseNetDev } from '../../../../src/engine/sources/network.ts';
import { parseOsRelease } from '../../../../src/engine/sources/scrape.ts';
import { formatMetric, refuseMetricName } from '../../../../src/shared/model/metric.ts';
import { hostileOf } from './hostile.ts';
import { Recorder, fixture, openTree } from './recorder.ts';

/** Random bytes, or a file of a fixture with pieces cut out and put in. */
const hostile = (...files: string[]): fc.Arbitrary<Uint8Array> => hostileOf(files.map((file) => fixture(file)));

const inRecordings = (path: string): string[] => [`recorded-debian12/t0/${path}`, `written-no-swap/t0/${path}`];

function expectNumbers(...values: readonly (number | null)[]): void {
  for (const value of values) if (value !== null && !(value >= 0 && value < Infinity)) expect.fail(`${value}`);
}

const runs = { numRuns: 500 };

describe('whatever the bytes are, the numbers are finite and not negative', () => {
  test('stat', () => {
    const bytes = hostile(...inRecordings('proc/stat'));
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const before = parseStat(first);
        const now = parseStat(second);
        for (const stat of [before, now]) {
          expectNumbers(...(stat.total ?? []), ...stat.ticks.subarray(0, stat.count * 8), ...stat.ids);
        }
        if (before.total === null || now.total === null) return;
        const percent = usagePercent(now.total, 0, before.total, 0);
        expect(percent === -1 || (percent >= 0 && percent <= 100)).toBe(true);
      }),
      runs,
    );
  });

  test('the same result in arrays that were used before', () => {
    const bytes = hostile(...inRecordings('proc/stat'));
    const net = hostile(...inRecordings('proc/net/dev'));
    fc.assert(
      fc.property(bytes, bytes, net, net, (first, second, net1, net2) => {
        const fresh = parseStat(second);
        const used = parseStat(second, parseStat(first));
        expect(used.total).toEqual(fresh.total);
        expect(used.count).toBe(fresh.count);
        expect(used.ids.subarray(0, used.count)).toEqual(fresh.ids.subarray(0, used.count));
        expect(used.ticks.subarray(0, used.count * 8)).toEqual(fresh.ticks.subarray(0, used.count * 8));
        const dev = parseNetDev(net2);
        const again = parseNetDev(net2, parseNetDev(net1));
        expect(again.count).toBe(dev.count);
        expect(again.totals.subarray(0, dev.count * 8)).toEqual(dev.totals.subarray(0, dev.count * 8));
      }),
      runs,
    );
  });

  test('meminfo', () => {
    fc.assert(
      fc.property(hostile(...inRecordings('proc/meminfo')), (bytes) => {
        const info = parseMeminfo(bytes);
        expectNumbers(...Object.values(info));
        expectNumbers(...Object.values(memoryValues(info)));
      }),
      runs,
    );
  });

  test('net/dev', () => {
    fc.assert(
      fc.property(hostile(...inRecordings('proc/net/dev')), (bytes) => {
        const dev = parseNetDev(bytes);
        expectNumbers(...dev.totals.subarray(0, dev.count * 8));
        for (let i = 0; i < dev.count; i++) expect(dev.nameTo[i]).toBeGreaterThan(dev.nameFrom[i]!);
      }),
      runs,
    );
  });

  test('loadavg', () => {
    fc.assert(
      fc.property(hostile(...inRecordings('proc/loadavg')), (bytes) => {
        const load = parseLoadavg(bytes);
        if (load !== null) expectNumbers(...load.averages, load.running, load.tasks);
      }),
      runs,
    );
  });

  test('cpuinfo, os-release and names give valid labels', () => {
    const cpuinfo = hostile('recorded-debian12/t0/proc/cpuinfo', 'written-arm64/t0/proc/cpuinfo');
    const release = hostile('recorded-debian12/t0/etc/os-release', 'written-arm64/t0/usr/lib/os-release');
    fc.assert(
      fc.property(cpuinfo, release, fc.uint8Array({ maxLength: 200 }), (info, os, name) => {
        const { name: osName, version } = parseOsRelease(os);
        const texts = [
          osName,
          version,
          labelValue(name),
          ...[...parseCpuinfo(info).values()].flatMap((c) => [c.vendor, c.model]),
        ];
        for (const text of texts) {
          if (text !== null) expect(refuseMetricName(formatMetric('x', [['l', text]]))).toBeNull();
        }
      }),
      runs,
    );
  });
});

describe('a whole tree', () => {
  const FILES = ['proc/stat', 'proc/meminfo', 'proc/net/dev', 'proc/loadavg', 'proc/cpuinfo'] as const;
  const LATER_FILES = ['proc/diskstats', 'proc/vmstat', 'proc/uptime', 'proc/pressure/io', 'proc/1/stat'] as const;
  /** The only errors that sources throw because of what a file holds. */
  const DOCUMENTED = /no line of all CPUs|how much memory|known form/;

  test('sampled over hostile content, writes nothing invalid', () => {
    const tree = openTree('recorded-debian12');
    try {
      const moment = fc.tuple(
        ...FILES.map((file) => hostile(...inRecordings(file))),
        ...LATER_FILES.map((file) => hostile(`recorded-debian12/t0/${file}`)),
      );
      fc.assert(
        fc.property(fc.array(moment, { minLength: 2, maxLength: 4 }), (moments) => {
          const out = new Recorder();
          const instances = SOURCES.flatMap((source) => source.open(tree.roots) ?? []);
          for (const [i, contents] of moments.entries()) {
            for (const [k, content] of contents.entries()) tree.write([...FILES, ...LATER_FILES][k]!, content);
            for (const instance of instances) {
              try {
                instance.sample(out, i);
              } catch (error) {
                expect(String(error)).toMatch(DOCUMENTED);
              }
            }
          }
          for (const instance of instances) void instance.close();
        }),
        { numRuns: 150 },
      );
    } finally {
      tree.remove();
    }
  });
});
