import { describe, expect, test } from 'vitest';
import { diagnosisOf, ok, problem, warning, bytesText } from '../../../../src/engine/diagnosis/check.ts';
import { judgeClock, type ClockFacts } from '../../../../src/engine/diagnosis/clock.ts';
import { judgeDisk, mountType, type DiskFacts } from '../../../../src/engine/diagnosis/disk.ts';
import { inTime } from '../../../../src/engine/diagnosis/doctor.ts';
import { judgeFiles, judgeMemory, parseLimits } from '../../../../src/engine/diagnosis/limits.ts';
import { checkRunning } from '../../../../src/engine/diagnosis/running.ts';
import { checkNode, pageVersion } from '../../../../src/engine/diagnosis/versions.ts';
import type { Check } from '../../../../src/shared/api/diagnosis.ts';
import type { Status } from '../../../../src/shared/api/status.ts';

const GIB = 1024 ** 3;
const levels = (checks: readonly Check[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, level }) => [id, level]));

test('a diagnosis is as bad as its worst check', () => {
  const [good, bad, worse] = [ok('disk', 'a', ''), warning('disk', 'b', '', 'do'), problem('disk', 'c', '', 'do')];
  expect(diagnosisOf(1, [good]).level).toBe('ok');
  expect(diagnosisOf(1, [bad, good]).level).toBe('warning');
  expect(diagnosisOf(1, [good, worse, bad]).level).toBe('problem');
});

test('bytes for people', () => {
  expect([0, 1023, 1024, 1536, 100 * GIB].map(bytesText)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '100 GiB']);
});

describe('the disk', () => {
  const healthy: DiskFacts = {
    directory: '/d',
    type: 'ext4',
    network: null,
    free: 50 * GIB,
    size: 100 * GIB,
    freeFiles: 1e6,
    files: 2e6,
  };
  const good = { file_system: 'ok', space: 'ok', inodes: 'ok' };
  test.each<[string, Partial<DiskFacts>, Partial<typeof good> | Record<string, string>]>([
    ['is fine', {}, {}],
    ['is nearly full', { free: GIB / 2 }, { space: 'warning' }],
    ['is full', { free: 0 }, { space: 'problem' }],
    ['has few names left', { freeFiles: 500 }, { inodes: 'warning' }],
    ['has none left', { freeFiles: 0 }, { inodes: 'problem' }],
    ['does not count names', { freeFiles: 0, files: 0 }, {}],
    ['is far away', { network: 'NFS' }, { file_system: 'warning' }],
    ['is memory', { type: 'tmpfs' }, { file_system: 'warning' }],
  ])('%s', (_, facts, expected) => {
    const checks = judgeDisk({ ...healthy, ...facts });
    expect(levels(checks)).toEqual({ ...good, ...expected });
    for (const check of checks) expect(check.advice !== null).toBe(check.level !== 'ok');
  });

  test('the mount that holds a path is the longest, and of equal ones the last', () => {
    const table =
      'root / ext4 rw 0 0\nnone /home tmpfs rw 0 0\nnfs /home/a\\040b nfs4 rw 0 0\nover / overlay rw 0 0\nx /homework xfs rw 0 0\n';
    expect(mountType('/home/a b/c', table)).toBe('nfs4');
    expect(mountType('/home/ab', table)).toBe('tmpfs');
    expect(mountType('/homework', table)).toBe('xfs');
    expect(mountType('/var', table)).toBe('overlay');
    expect(mountType('/var', '')).toBe('unknown');
  });
});

describe('the clock', () => {
  const fine: ClockFacts = { wall: Date.UTC(2026, 6, 1), step: 0.2, drift: -5, offset: 30 };
  test.each<[string, Partial<ClockFacts>, Record<string, string>]>([
    ['keeps time', {}, { clock: 'ok' }],
    ['was never set', { wall: 1e9 }, { clock_unset: 'problem' }],
    ['moves while it is looked at', { step: -400 }, { clock_steps: 'warning' }],
    ['was set since the engine began', { drift: 3_600_000 }, { clock_was_set: 'warning' }],
    ['differs from the engine’s', { offset: -90_000 }, { clock_offset: 'warning' }],
    ['is not compared', { drift: null, offset: null }, { clock: 'ok' }],
  ])('%s', (_, facts, expected) => {
    expect(levels(judgeClock({ ...fine, ...facts }))).toEqual(expected);
  });
});

describe('limits', () => {
  test('are read as the kernel prints them', () => {
    const text =
      'Limit                     Soft Limit           Hard Limit           Units     \n' +
      'Max cpu time              unlimited            unlimited            seconds   \n' +
      'Max open files            1024                 524288               files     \n';
    expect([...parseLimits(text)]).toEqual([
      ['Max cpu time', Infinity],
      ['Max open files', 1024],
    ]);
  });

  test.each([
    [64, 'problem'],
    [1024, 'warning'],
    [65_536, 'ok'],
    [Infinity, 'ok'],
  ])('%i open files', (files, level) => {
    expect(judgeFiles(files, 20_736).level).toBe(level);
  });

  test('few connections need few files', () => {
    expect(judgeFiles(1024, 600).level).toBe('ok');
  });

  test.each([
    [2 * GIB, 8 * GIB, 'ok'],
    [GIB / 8, 8 * GIB, 'warning'],
    [2 * GIB, GIB / 8, 'warning'],
  ])('%i bytes allowed, %i free', (ceiling, free, level) => {
    expect(judgeMemory(ceiling, free, 16 * GIB).level).toBe(level);
  });
});

test('Node and the page', () => {
  expect(checkNode('24.21.0').level).toBe('ok');
  expect(checkNode('20.19.2').level).toBe('problem');
  expect(pageVersion('<head><meta name="vigie-version" content="1.2.3"></head>')).toBe('1.2.3');
  expect(pageVersion('<head></head>')).toBeNull();
});

describe('what the engine says of itself', () => {
  const use = { used: 1, limit: 100 };
  const healthy = {
    time: 1_000_000,
    period: '1s',
    engine: { host: 'n1', pid: 7 },
    store: { kind: 'sqlite', durable_until: 999_000, queued: 0, dropped: 0, error: null },
    remote_write: [],
    sampler: { ticks: 1000, late: 1, last_ms: 1 },
    limits: { series: use, memory: use },
    memory_full: false,
    ingest: { rejected: {} },
    refused: {},
    warnings: [],
  };
  const far = { name: 'far', sent: 5, failed: 0, dropped: {}, lag_ms: 0, error: null };
  const found = (changes: object): Record<string, string> =>
    levels(checkRunning({ status: { ...healthy, ...changes } as unknown as Status, tried: [] }));
  const good = { engine: 'ok', store: 'ok', ticks: 'ok', limits: 'ok', rejected: 'ok' };

  test('none is there', () => {
    const [check] = checkRunning({ status: null, tried: ['/a.socket: nobody listens there any more'] });
    expect(check).toMatchObject({ level: 'warning', id: 'engine' });
    expect(check?.found).toContain('/a.socket');
    expect(check?.advice).toContain('vigie serve');
  });

  test('all is well', () => {
    expect(found({})).toEqual(good);
  });

  test.each<[string, object, Record<string, string>]>([
    ['it cannot write', { store: { ...healthy.store, error: 'full' } }, { store: 'problem' }],
    ['its disk is slow', { store: { ...healthy.store, durable_until: 900_000 } }, { store: 'warning' }],
    ['ticks were lost', { store: { ...healthy.store, dropped: 2 } }, { store_dropped: 'warning' }],
    ['all is sent', { remote_write: [{ ...far, error: null }] }, { remote_write_far: 'ok' }],
    [
      'what is sent is refused',
      { remote_write: [{ ...far, dropped: { http_400: 1 } }] },
      { remote_write_far: 'warning' },
    ],
    ['what is sent does not arrive', { remote_write: [{ ...far, error: '503' }] }, { remote_write_far: 'warning' }],
    ['samples are late', { sampler: { ...healthy.sampler, late: 100 } }, { ticks: 'warning' }],
    ['a source fails', { warnings: ['the cpu source fails'] }, { warning: 'warning' }],
  ])('%s', (_, changes, expected) => {
    expect(found(changes)).toEqual({ ...good, ...expected });
  });

  test('what stands for nothing being wrong gives way', () => {
    const { limits: _, ...others } = good;
    const full = { ...healthy.limits, series: { used: 95, limit: 100 } };
    expect(found({ limits: full })).toEqual({ ...others, limit_series: 'warning' });
    expect(found({ memory_full: true })).toEqual({ ...others, memory_full: 'problem' });
    const { rejected: __, ...taken } = good;
    expect(found({ refused: { unauthorized: 3 } })).toEqual({ ...taken, refused: 'warning' });
    expect(found({ ingest: { rejected: { malformed_json: 3 } } })).toEqual({ ...good, rejected: 'warning' });
  });
});

test('an answer that does not come is not waited for', async () => {
  await expect(inTime(new Promise(() => undefined), 20)).rejects.toThrow('no answer within 0.02 s');
  await expect(inTime(Promise.resolve(1), 10_000)).resolves.toBe(1);
});
