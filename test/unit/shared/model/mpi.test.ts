import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mpiCallName, mpiKind, parseMpi } from '../../../../src/shared/model/mpi.ts';

describe('names', () => {
  test('of calls', () => {
    expect(parseMpi('mpi___hits___mpi_send')).toEqual({ call: 'mpi_send', quantity: 'hits' });
    expect(parseMpi('mpi___time___mpi_comm_rank')).toEqual({ call: 'mpi_comm_rank', quantity: 'time' });
    expect(parseMpi('mpi___size___mpi_type_create_f90_real')).toEqual({
      call: 'mpi_type_create_f90_real',
      quantity: 'size',
    });
    expect(parseMpi('mpi___size_in___mpi_recv')).toEqual({ call: 'mpi_recv', quantity: 'size_in' });
    expect(parseMpi('mpi___size_out___mpi_send')).toEqual({ call: 'mpi_send', quantity: 'size_out' });
  });

  test('of all calls together', () => {
    expect(
      [
        'total___mpi___hits___total',
        'total___mpi___time___total',
        'total___mpi___time___wait',
        'total___mpi___size_total',
        'total___mpi___size___total_in',
        'total___mpi___size___total_out',
      ].map(parseMpi),
    ).toEqual(['hits', 'time', 'wait', 'size', 'size_in', 'size_out'].map((quantity) => ({ call: null, quantity })));
  });

  test.each([
    'mpi___hits___',
    'mpi___hits___read',
    'mpi___colour___mpi_send',
    'mpi___constructor___mpi_send',
    'total___mpi___constructor',
    'total___strace___size___read',
    'strace___hits___read',
    'mpi_send',
    'MPI',
    '',
  ])('%j is none of MPI’s', (family) => {
    expect(parseMpi(family)).toBeNull();
  });

  test('for people, as the standard spells them', () => {
    expect(
      ['mpi_send', 'mpi_comm_rank', 'mpi_file_read_at', 'mpi_t_init_thread', 'pmpi_barrier'].map(mpiCallName),
    ).toEqual(['MPI_Send', 'MPI_Comm_rank', 'MPI_File_read_at', 'MPI_T_init_thread', 'MPI_Barrier']);
  });
});

describe('kinds', () => {
  test.each([
    ['mpi_waitall', 'waiting'],
    ['mpi_barrier', 'waiting'],
    ['mpi_iprobe', 'waiting'],
    ['mpi_ibarrier', 'transfer'],
    ['mpi_recv', 'transfer'],
    ['mpi_ineighbor_alltoallw_c', 'transfer'],
    ['mpi_reduce_scatter_block', 'transfer'],
    ['mpi_win_fence', 'transfer'],
    ['mpi_rget_accumulate', 'transfer'],
    ['mpi_file_write_at_all', 'transfer'],
    ['mpi_init', 'other'],
    ['mpi_finalize', 'other'],
    ['mpi_send_init', 'other'],
    ['mpi_bcast_init', 'other'],
    ['mpi_comm_rank', 'other'],
    ['mpi_get_address', 'other'],
    ['mpi_reduce_local', 'other'],
    ['mpi_wtime', 'other'],
  ])('%s: %s', (call, kind) => {
    expect(mpiKind(call)).toBe(kind);
  });

  test('waiting is what the exporter adds to its total of waiting', () => {
    const lines = readFileSync(new URL('../../../../native/exporters/mpi/functions.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('MPI_'))
      .map((line) => line.split(' '));
    expect(lines.length).toBeGreaterThan(300);
    const waits = lines.filter(([, , , flags]) => flags?.includes('w')).map(([name]) => name!);
    expect(waits.length).toBeGreaterThan(10);
    const ours = lines.map(([name]) => name!).filter((name) => mpiKind(name.toLowerCase()) === 'waiting');
    expect(ours.toSorted()).toEqual(waits.toSorted());
  });

  test('every call with a size moves data, but those that only prepare it', () => {
    const others = readFileSync(new URL('../../../../native/exporters/mpi/functions.txt', import.meta.url), 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([name, , , flags, rule]) => name?.startsWith('MPI_') && rule !== undefined && !flags?.includes('p'))
      .map(([name]) => name!)
      .filter((name) => mpiKind(name.toLowerCase()) !== 'transfer');
    expect(others.toSorted()).toEqual(['MPI_Abort', 'MPI_Init', 'MPI_Init_thread', 'MPI_Pcontrol', 'MPI_Request_free']);
  });
});
