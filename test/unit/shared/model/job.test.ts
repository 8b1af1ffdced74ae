import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JobDesc, MAX_JOBID, mergeJobDesc, refuseJobid, toMilliseconds } from '../../../../src/shared/model/job.ts';

const text = fc.constantFrom('', 'a', 'b', 'c');
const times = fc.constantFrom(0, 1, 2);
const desc: fc.Arbitrary<JobDesc> = fc.record({
  jobid: fc.constant('j'),
  command: text,
  size: fc.nat(8),
  nodelist: text,
  partition: text,
  cluster: text,
  run_dir: text,
  start_time: times,
  end_time: times,
});

describe('mergeJobDesc', () => {
  test('the first field that says something wins, the size is the largest', () => {
    fc.assert(
      fc.property(fc.array(desc, { minLength: 1, maxLength: 5 }), (all) => {
        const merged = all.reduce(mergeJobDesc);
        for (const field of [
          'command',
          'nodelist',
          'partition',
          'cluster',
          'run_dir',
          'start_time',
          'end_time',
        ] as const) {
          expect(merged[field]).toBe(all.map((d) => d[field]).find(Boolean) ?? all[0]![field]);
        }
        expect(merged.size).toBe(Math.max(...all.map((d) => d.size)));
        expect(merged.jobid).toBe('j');
      }),
    );
  });

  test('how descriptions are grouped does not matter, nor does one that is repeated', () => {
    fc.assert(
      fc.property(desc, desc, desc, (a, b, c) => {
        expect(mergeJobDesc(mergeJobDesc(a, b), c)).toEqual(mergeJobDesc(a, mergeJobDesc(b, c)));
        expect(mergeJobDesc(mergeJobDesc(a, b), b)).toEqual(mergeJobDesc(a, b));
      }),
    );
  });
});

describe('refuseJobid', () => {
  test.each([
    ['', 'jobid_empty'],
    ['x'.repeat(MAX_JOBID + 1), 'jobid_too_long'],
    ['x'.repeat(10_240), 'jobid_too_long'],
    ['main', 'jobid_reserved'],
    ['Node: somewhere', 'jobid_reserved'],
    ['Node: ', 'jobid_reserved'],
    ['a\0b', 'jobid_control_character'],
    ['a\nb', 'jobid_control_character'],
    ['\u007f', 'jobid_control_character'],
    ['\udc00', 'jobid_control_character'],
  ])('%j: %s', (jobid, reason) => {
    expect(refuseJobid(jobid)).toBe(reason);
  });

  test.each([
    'x'.repeat(MAX_JOBID),
    'Main',
    'main-1',
    'Node:x',
    '../../x',
    '/tmp/x',
    '..',
    '<script>',
    'a"b',
    '\u202e',
    '__proto__',
    ' ',
  ])('%j is data', (jobid) => {
    expect(refuseJobid(jobid)).toBeNull();
  });
});

test.each([
  [0, 0],
  [1_795_188_133, 1_795_188_133_000],
  [1_795_188_133_587, 1_795_188_133_587],
  [99_999_999_999, 99_999_999_999_000],
  [1e11, 1e11],
])('a time of %d is %d ms', (time, milliseconds) => {
  expect(toMilliseconds(time)).toBe(milliseconds);
});

test('a time that no date can hold is no job description', () => {
  const valid = {
    jobid: 'a',
    command: '',
    size: 1,
    nodelist: '',
    partition: '',
    cluster: '',
    run_dir: '',
    start_time: 8.64e15,
    end_time: 0,
  };
  const parsed = JobDesc.parse(valid);
  expect(new Date(toMilliseconds(parsed.start_time)).toISOString()).toBe('+275760-09-13T00:00:00.000Z');
  for (const start_time of [8.64e15 + 1, 1e300, Infinity, NaN, -1]) {
    expect(JobDesc.safeParse({ ...valid, start_time }).success).toBe(false);
  }
});
