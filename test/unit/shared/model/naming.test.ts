import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Series } from '../../../../src/shared/model/described-series.ts';
import { formatMetric, parseMetric } from '../../../../src/shared/model/metric.ts';
import { describeFamily } from '../../../../src/shared/model/naming.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';
import { golden, messagesOf, readRecording } from '../../../support/recording.ts';

test.each([
  ['mpi___hits___mpi_send', 'MPI', 'Send', 'calls', '1'],
  ['mpi___time___mpi_comm_size', 'MPI', 'Comm_size', 'time', 's'],
  ['mpi___size___mpi_send', 'MPI', 'Send', 'bytes', 'B'],
  ['mpi___size_in___mpi_recv', 'MPI', 'Recv', 'bytes in', 'B'],
  ['mpi___size_out___mpi_sendrecv', 'MPI', 'Sendrecv', 'bytes out', 'B'],
  ['total___mpi___hits___total', 'MPI', 'All calls', 'calls', '1'],
  ['total___mpi___time___total', 'MPI', 'All calls', 'time', 's'],
  ['total___mpi___size_total', 'MPI', 'All calls', 'bytes', 'B'],
  ['total___mpi___size___total_in', 'MPI', 'All calls', 'bytes in', 'B'],
  ['total___mpi___size___total_out', 'MPI', 'All calls', 'bytes out', 'B'],
  ['strace___hits___openat', 'System calls', 'openat', 'calls', '1'],
  ['strace___time___read', 'System calls', 'read', 'time', 's'],
  ['strace___size___read', 'System calls', 'read', 'bytes', 'B'],
  ['total___strace___size___read', 'System calls', 'All read', 'bytes', 'B'],
  ['total___strace___size___write', 'System calls', 'All write', 'bytes', 'B'],
  ['io___hits___read', 'I/O', 'read', 'calls', '1'],
  ['io_wait_seconds_total', 'Waiting', 'for I/O', 'time', 's'],
  ['io_wait_calls_total', 'Waiting', 'for I/O', 'calls', '1'],
  ['process_cpu_seconds_total', 'Program', 'CPU', 'time', 's'],
  ['process_resident_memory_bytes', 'Program', 'memory', 'bytes', 'B'],
  ['vigie_io_build_info', 'Processes', 'exporter io', 'version', '1'],
  ['has_started', 'Processes', 'started', 'count', '1'],
  ['vigie_exit_total', 'Processes', 'exit status', 'count', '1'],
  ['has_finished', 'Processes', 'finished', 'count', '1'],
  ['func__main', 'Functions', 'main', 'calls', '1'],
  ['func__a___hits___b', 'Functions', 'a___hits___b', 'calls', '1'],
  ['strace_hits_total', 'System calls', 'By call', 'calls', '1'],
  ['strace_size_total', 'System calls', 'By call', 'bytes', 'B'],
  ['strace_time_total', 'System calls', 'By call', 'time', 's'],
  ['tau_metric_proxy_run_total', 'Processes', 'run', 'count', '1'],
  ['proxy_cpu_load_average_percent', 'CPU', 'Use of all cores', 'percent', '%'],
  ['proxy_cpu_usage_percent', 'CPU', 'Use of each core', 'percent', '%'],
  ['proxy_cpu_seconds_total', 'CPU', 'cpu', 'time', 's'],
  ['proxy_cpu_total', 'CPU', 'cpu', 'count', '1'],
  ['proxy_memory_used_bytes', 'Memory', 'used', 'bytes', 'B'],
  ['proxy_memory_swap_used_percent', 'Memory', 'swap used', 'percent', '%'],
  ['proxy_swap_used_bytes', 'Swap', 'used', 'bytes', 'B'],
  ['proxy_disk_free_size_bytes', 'Disk', 'free size', 'bytes', 'B'],
  ['proxy_network_receive_bytes_total', 'Network', 'receive', 'bytes', 'B'],
  ['proxy_network_receive_packets_error_total', 'Network', 'receive packets error', 'count', '1'],
  ['proxy_network_receive_packet_rate', 'Network', 'receive', 'packet rate', '1/s'],
  ['proxy_network_transmit_bandwidth_bytes', 'Network', 'transmit', 'bandwidth', 'B/s'],
  ['proxy_network_bandwidth_bytes', 'Network', 'bandwidth', 'bytes', 'B'],
  ['proxy_component_temperature_celsius', 'Temperature', 'temperature', 'temperature', '°C'],
  ['proxy_cpu_core_seconds_total', 'CPU', 'Time of each core', 'time', 's'],
  ['proxy_context_switches_total', 'Kernel', 'context switches', 'count', '1'],
  ['proxy_forks_total', 'Processes', 'started', 'count', '1'],
  ['proxy_procs_blocked', 'Processes', 'blocked', 'value', '1'],
  ['proxy_processes_state', 'Processes', 'state', 'value', '1'],
  ['proxy_boot_time_seconds', 'Uptime', 'started at', 'time since 1970', 's'],
  ['proxy_uptime_seconds', 'Uptime', 'uptime', 'time', 's'],
  ['proxy_vmstat_pswpin', 'Swap', 'pages in', 'count', '1'],
  ['proxy_vmstat_pgmajfault', 'Memory', 'major page faults', 'count', '1'],
  ['proxy_pressure_io_stalled_percent', 'Pressure', 'io stalled', 'percent', '%'],
  ['proxy_pressure_cpu_waiting_seconds_total', 'Pressure', 'cpu waiting', 'time', 's'],
  ['proxy_disk_node_read_bytes_total', 'Disk', 'read, whole node', 'bytes', 'B'],
  ['proxy_disk_written_bytes_total', 'Disk', 'written', 'bytes', 'B'],
  ['proxy_disk_read_latency_seconds', 'Disk', 'read latency', 'time', 's'],
  ['proxy_disk_busy_percent', 'Disk', 'busy', 'percent', '%'],
  ['proxy_filesystem_files_free', 'Disk', 'files free', 'value', '1'],
  ['proxy_network_node_transmit_packets_total', 'Network', 'transmit packets, whole node', 'count', '1'],
  ['proxy_network_receive_drop_total', 'Network', 'receive drop', 'count', '1'],
  ['proxy_component_temperature_critical_celsius', 'Temperature', 'temperature critical', 'temperature', '°C'],
  ['vigie_source_seconds_total', 'Engine', 'source', 'time', 's'],
  ['proxy_nfs_rpc_calls_total', 'NFS', 'rpc calls', 'count', '1'],
  ['proxy_nfs_mount_server_read_bytes_total', 'NFS', 'mount server read', 'bytes', 'B'],
  ['proxy_nfs_mount_operation_seconds_total', 'NFS', 'mount operation', 'time', 's'],
  ['proxy_lustre_read_bytes_total', 'Lustre', 'read', 'bytes', 'B'],
  ['proxy_lustre_operations_total', 'Lustre', 'operations', 'count', '1'],
  ['proxy_infiniband_receive_bytes_total', 'InfiniBand', 'receive', 'bytes', 'B'],
  ['proxy_infiniband_receive_bandwidth_bytes', 'InfiniBand', 'receive', 'bandwidth', 'B/s'],
  ['proxy_infiniband_link_bandwidth_bytes', 'InfiniBand', 'link', 'bandwidth', 'B/s'],
  ['proxy_infiniband_link_up', 'InfiniBand', 'link up', 'value', '1'],
  ['proxy_rapl_energy_joules_total', 'Energy', 'energy', 'energy', 'J'],
  ['proxy_rapl_power_watts', 'Energy', 'power', 'power', 'W'],
  ['proxy_gpu_usage_percent', 'GPU', 'usage', 'percent', '%'],
  ['proxy_gpu_memory_used_bytes', 'GPU', 'memory used', 'bytes', 'B'],
  ['proxy_gpu_power_watts', 'GPU', 'power', 'power', 'W'],
  ['proxy_gpu_temperature_celsius', 'GPU', 'temperature', 'temperature', '°C'],
  ['proxy_slurm_job_cpu_seconds_total', 'Slurm jobs', 'cpu', 'time', 's'],
  ['proxy_slurm_step_memory_used_bytes', 'Slurm steps', 'memory used', 'bytes', 'B'],
  ['proxy_slurm_step_oom_kills_total', 'Slurm steps', 'oom kills', 'count', '1'],
  ['proxy_slurm_jobs', 'Slurm', 'jobs', 'value', '1'],
  ['proxy_slurm_job_', 'Slurm', 'job', 'value', '1'],
  ['slurm_job_x', 'Program', 'slurm job x', 'value', '1'],
  ['proxy_scrape_total', 'Scrape', 'scrape', 'count', '1'],
  ['proxy_load15', 'Load', 'load15', 'value', '1'],
  ['node_load1', 'Load', 'load1', 'value', '1'],
  ['node_memory_MemFree_bytes', 'Memory', 'MemFree', 'bytes', 'B'],
  ['vigie_ingest_rejected_total', 'Engine', 'ingest rejected', 'count', '1'],
  ['vigie_ingest_connections', 'Engine', 'ingest connections', 'value', '1'],
  ['capi_events_total', 'Program', 'capi events', 'count', '1'],
  ['capi_bytes_total', 'Program', 'capi', 'bytes', 'B'],
  ['bytes', 'Program', 'bytes', 'bytes', 'B'],
  ['bytes_total', 'Program', 'bytes', 'bytes', 'B'],
  ['bytes_sent', 'Program', 'sent', 'bytes', 'B'],
  ['bytes_sent_total', 'Program', 'sent', 'bytes', 'B'],
  ['bytes_proxy_sent', 'Program', 'proxy sent', 'bytes', 'B'],
  ['bytes_per_call', 'Program', 'bytes per call', 'value', '1'],
  ['bytes_copy_seconds', 'Program', 'bytes copy', 'time', 's'],
  ['read_bytes', 'Program', 'read', 'bytes', 'B'],
  ['bytesize', 'Program', 'bytesize', 'value', '1'],
  ['walltime', 'Program', 'walltime', 'value', '1'],
  ['solver_step_seconds', 'Program', 'solver step', 'time', 's'],
  ['cache_hit_ratio', 'Program', 'cache hit', 'ratio', 'ratio'],
  ['clock_hertz', 'Program', 'clock', 'frequency', 'Hz'],
])('%s is %s · %s · %s [%s]', (family, group, operation, quantity, unit) => {
  expect(describeFamily(family)).toEqual({ group, operation, quantity, unit });
});

test.each([
  ['constructor___hits___x', 'Constructor', 'x'],
  ['total___toString___hits___x', 'ToString', 'All x'],
  ['proxy_constructor_x', 'Constructor', 'constructor x'],
  ['mpi___constructor___x', 'Program', 'mpi constructor x'],
  ['__proto__', 'Program', 'proto'],
  ['___', 'Program', '___'],
  ['_total', 'Program', '_total'],
  ['proxy_', 'Program', 'proxy'],
  ['mpi___hits___', 'MPI', 'mpi___hits___'],
  ['<script>', 'Program', '<script>'],
])('%s is a name like any other', (family, group, operation) => {
  expect(describeFamily(family)).toMatchObject({ group, operation });
});

test('every name gives a series that the API can show', () => {
  const words = fc.constantFrom(
    'mpi',
    'total',
    'hits',
    'size',
    '___',
    '_',
    '__proto__',
    'constructor',
    'toString',
    'proxy',
    'valueOf',
    '',
  );
  const names = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.array(words, { minLength: 1, maxLength: 7 }).map((w) => w.join('')),
    fc.array(words, { minLength: 1, maxLength: 5 }).map((w) => w.join('___')),
  );
  fc.assert(
    fc.property(
      names.filter((name) => name !== ''),
      fc.constantFrom('counter', 'gauge'),
      (name, kind) => {
        const series = Series.parse(describeSeries({ kind, index: 3, name, doc: 'd' }));
        expect(series.operation).not.toBe('');
        expect(series.group).not.toBe('');
      },
    ),
    { numRuns: 1000 },
  );
});

describe('recorded names', () => {
  interface Job {
    readonly counters: readonly { readonly name: string }[];
  }
  const jobs = ['job_live.json', 'profiles_get_capi.json', 'profiles_get_mpi.json'].map((file) => golden(file) as Job);
  const described = (['wire-capi-0', 'wire-mpi-0'] as const)
    .flatMap((name) => messagesOf(readRecording(name)))
    .flatMap((message) => ('Desc' in message ? [message.Desc.name] : []));
  const names = [...jobs.flatMap((job) => job.counters.map((counter) => counter.name)), ...described];

  test('all of MPI is understood', () => {
    const mpi = names.filter((name) => name.startsWith('mpi___') || name.startsWith('total___mpi___'));
    expect(mpi.length).toBeGreaterThan(700);
    for (const name of mpi) expect(describeFamily(parseMetric(name).family)).toMatchObject({ group: 'MPI' });
    for (const name of mpi) expect(describeFamily(name).operation).not.toContain('___');
  });

  test('labels are found in all that have them, and every name is in its canonical spelling or has one', () => {
    const labelled = names.filter((name) => name.includes('{'));
    expect(labelled.length).toBeGreaterThan(10);
    for (const name of labelled) {
      const metric = parseMetric(name);
      expect(metric.labels.length).toBeGreaterThan(0);
      expect(parseMetric(formatMetric(metric.family, metric.labels.toReversed())).key).toBe(metric.key);
    }
  });
});
