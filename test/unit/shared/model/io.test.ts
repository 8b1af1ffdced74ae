import { expect, test } from 'vitest';
import { describeFamily } from '../../../../src/shared/model/naming.ts';
import { parseIo } from '../../../../src/shared/model/io.ts';

test.each([
  ['io___hits___read', {}, { what: 'call', layer: 'io', call: 'read', quantity: 'calls' }],
  ['strace___time___openat', {}, { what: 'call', layer: 'system', call: 'openat', quantity: 'time' }],
  ['strace___size___pread64', {}, { what: 'call', layer: 'system', call: 'pread64', quantity: 'bytes' }],
  ['total___io___time___total', {}, { what: 'total', layer: 'io', quantity: 'time' }],
  ['total___strace___size___write', {}, { what: 'total', layer: 'system', quantity: 'write' }],
  [
    'io_mount_bytes_total',
    { mount: '/scratch', type: 'lustre', kind: 'read' },
    { what: 'mount', mount: '/scratch', type: 'lustre', kind: 'read', quantity: 'bytes' },
  ],
  [
    'io_mount_calls_total',
    { mount: 'socket', kind: 'metadata' },
    { what: 'mount', mount: 'socket', type: '', kind: 'metadata', quantity: 'calls' },
  ],
  ['io_sizes_total', { kind: 'write', below: '4096' }, { what: 'size', kind: 'write', below: 4096 }],
  ['io_sizes_total', { kind: 'read', below: 'inf' }, { what: 'size', kind: 'read', below: Infinity }],
  ['io_wait_calls_total', { call: 'poll' }, { what: 'wait', call: 'poll', quantity: 'calls' }],
  ['io_wait_seconds_total', { call: 'epoll_wait' }, { what: 'wait', call: 'epoll_wait', quantity: 'time' }],
])('%s %j', (family, labels, metric) => {
  expect(parseIo(family, labels)).toEqual(metric);
});

test.each([
  ['mpi___hits___mpi_send', {}],
  ['io___depth___read', {}],
  ['total___io___size_total', {}],
  ['io_mount_bytes_total', { mount: '/', kind: 'constructor' }],
  ['io_mount_bytes_total', { kind: 'read' }],
  ['io_sizes_total', { kind: 'metadata', below: '1' }],
  ['io_sizes_total', { kind: 'read', below: '-1' }],
  ['io_sizes_total', { kind: 'read', below: 'many' }],
  ['io_wait_seconds_total', {}],
  ['constructor', {}],
])('%s %j is none', (family, labels) => {
  expect(parseIo(family, labels)).toBeNull();
});

test('names of what is by mount, by size, and of functions’ times', () => {
  expect(describeFamily('io_mount_seconds_total')).toEqual({
    group: 'I/O',
    operation: 'By mount',
    quantity: 'time',
    unit: 's',
  });
  expect(describeFamily('io_sizes_total')).toMatchObject({ group: 'I/O', quantity: 'calls' });
  const functions = { group: 'Functions', operation: 'solve', unit: 's' };
  expect(describeFamily('func___time___solve')).toEqual({ ...functions, quantity: 'time' });
  expect(describeFamily('func___self___solve')).toEqual({ ...functions, quantity: 'own time' });
  // A mangled name of C++ begins with an underscore, too.
  expect(describeFamily('func___ZN3foo3barEv')).toMatchObject({ operation: '_ZN3foo3barEv', quantity: 'calls' });
});
