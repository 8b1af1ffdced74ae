/**
 * What a metric family means to people: `mpi___hits___mpi_send` is MPI · Send · calls. A pure function of the name, so
 * that every view and export says the same.
 */

/**
 * Unit of a value: seconds, bytes, percent (0 to 100), ratio (0 to 1), hertz, degrees Celsius, watts, joules, or a plain
 * number; `B/s` and `1/s` where the value itself is already a rate.
 */
export type Unit = 's' | 'B' | '%' | 'ratio' | 'Hz' | '°C' | 'W' | 'J' | 'B/s' | '1/s' | '1';

export interface Naming {
  /** The panel a series belongs to: `MPI`, `System calls`, `CPU`, `Memory`, … */
  readonly group: string;
  /** What was done or looked at: `Send`, `read`, `load average`. */
  readonly operation: string;
  /** What was measured of it: `calls`, `time`, `bytes`, `bytes in`, `bytes out`, `bandwidth`, `value`. */
  readonly quantity: string;
  readonly unit: Unit;
}

// Maps, not objects: names come from clients, and `constructor` is a name.

const QUANTITIES: ReadonlyMap<string, readonly [quantity: string, unit: Unit]> = new Map([
  ['hits', ['calls', '1']],
  ['time', ['time', 's']],
  ['size', ['bytes', 'B']],
  ['size_in', ['bytes in', 'B']],
  ['size_out', ['bytes out', 'B']],
]);

const INTERFACES: ReadonlyMap<string, string> = new Map([
  ['mpi', 'MPI'],
  ['strace', 'System calls'],
  ['io', 'I/O'],
]);

const NODE_GROUPS: ReadonlyMap<string, string> = new Map([
  ['cpu', 'CPU'],
  ['memory', 'Memory'],
  ['swap', 'Swap'],
  ['disk', 'Disk'],
  ['filesystem', 'Disk'],
  ['network', 'Network'],
  ['load', 'Load'],
  ['load1', 'Load'],
  ['load5', 'Load'],
  ['load15', 'Load'],
  ['component', 'Temperature'],
  ['process', 'Processes'],
  ['processes', 'Processes'],
  ['procs', 'Processes'],
  ['pressure', 'Pressure'],
  ['nfs', 'NFS'],
  ['lustre', 'Lustre'],
  ['infiniband', 'InfiniBand'],
  ['rapl', 'Energy'],
  ['gpu', 'GPU'],
  ['slurm', 'Slurm'],
]);

/** Families of the older tau proxy and of vigie-run; what call or status it was stands in a label. */
const TAU: ReadonlyMap<string, Naming> = new Map([
  ['strace_hits_total', { group: 'System calls', operation: 'By call', quantity: 'calls', unit: '1' }],
  ['strace_size_total', { group: 'System calls', operation: 'By call', quantity: 'bytes', unit: 'B' }],
  ['strace_time_total', { group: 'System calls', operation: 'By call', quantity: 'time', unit: 's' }],
  ['io_mount_calls_total', { group: 'I/O', operation: 'By mount', quantity: 'calls', unit: '1' }],
  ['io_mount_seconds_total', { group: 'I/O', operation: 'By mount', quantity: 'time', unit: 's' }],
  ['io_mount_bytes_total', { group: 'I/O', operation: 'By mount', quantity: 'bytes', unit: 'B' }],
  ['io_sizes_total', { group: 'I/O', operation: 'By size', quantity: 'calls', unit: '1' }],
  // In a group of its own: waiting moves nothing and is in no sum of I/O.
  ['io_wait_calls_total', { group: 'Waiting', operation: 'for I/O', quantity: 'calls', unit: '1' }],
  ['io_wait_seconds_total', { group: 'Waiting', operation: 'for I/O', quantity: 'time', unit: 's' }],
  // Of a program, whoever tells: a client of Prometheus in it, or the kernel.
  ['process_cpu_seconds_total', { group: 'Program', operation: 'CPU', quantity: 'time', unit: 's' }],
  ['process_resident_memory_bytes', { group: 'Program', operation: 'memory', quantity: 'bytes', unit: 'B' }],
  ['vigie_exit_total', { group: 'Processes', operation: 'exit status', quantity: 'count', unit: '1' }],
  ['tau_metric_proxy_run_total', { group: 'Processes', operation: 'run', quantity: 'count', unit: '1' }],
]);

/** Node families whose own words mislead. */
const NODE: ReadonlyMap<string, Naming> = new Map([
  ['proxy_cpu_load_average_percent', { group: 'CPU', operation: 'Use of all cores', quantity: 'percent', unit: '%' }],
  ['proxy_cpu_usage_percent', { group: 'CPU', operation: 'Use of each core', quantity: 'percent', unit: '%' }],
  ['proxy_cpu_core_seconds_total', { group: 'CPU', operation: 'Time of each core', quantity: 'time', unit: 's' }],
  ['proxy_disk_io_now', { group: 'Disk', operation: 'requests now', quantity: 'value', unit: '1' }],
  ['proxy_disk_io_time_seconds_total', { group: 'Disk', operation: 'busy', quantity: 'time', unit: 's' }],
  ['proxy_disk_io_time_weighted_seconds_total', { group: 'Disk', operation: 'requests', quantity: 'time', unit: 's' }],
  ['proxy_context_switches_total', { group: 'Kernel', operation: 'context switches', quantity: 'count', unit: '1' }],
  ['proxy_intr_total', { group: 'Kernel', operation: 'interrupts', quantity: 'count', unit: '1' }],
  ['proxy_softirqs_total', { group: 'Kernel', operation: 'soft interrupts', quantity: 'count', unit: '1' }],
  ['proxy_forks_total', { group: 'Processes', operation: 'started', quantity: 'count', unit: '1' }],
  ['proxy_boot_time_seconds', { group: 'Uptime', operation: 'started at', quantity: 'time since 1970', unit: 's' }],
  ['proxy_vmstat_pswpin', { group: 'Swap', operation: 'pages in', quantity: 'count', unit: '1' }],
  ['proxy_vmstat_pswpout', { group: 'Swap', operation: 'pages out', quantity: 'count', unit: '1' }],
  ['proxy_vmstat_pgfault', { group: 'Memory', operation: 'page faults', quantity: 'count', unit: '1' }],
  ['proxy_vmstat_pgmajfault', { group: 'Memory', operation: 'major page faults', quantity: 'count', unit: '1' }],
  ['proxy_vmstat_oom_kill', { group: 'Memory', operation: 'killed for lack of it', quantity: 'count', unit: '1' }],
]);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const spaced = (text: string): string => text.replace(/_+/g, ' ').trim();

function callName(layer: string, raw: string): string {
  return layer === 'mpi' ? capital(raw.replace(/^mpi_/, '')) : raw;
}

function instrumented(family: string): Naming | null {
  const parts = family.split('___');
  if (parts.length < 3 || parts[0] === '' || parts[1] === '' || family.startsWith('func__')) return null;
  if (parts[0] === 'total') {
    // total___mpi___hits___total, total___mpi___size_total, total___mpi___size___total_in, total___strace___size___read
    const layer = parts[1]!;
    const rest = parts.slice(2).join('_');
    const direction = rest.endsWith('_in') ? '_in' : rest.endsWith('_out') ? '_out' : '';
    const quantity = QUANTITIES.get(`${/^(hits|time|size)/.exec(rest)?.[1] ?? ''}${direction}`);
    if (!quantity) return null;
    const last = parts.length > 3 ? parts[3]! : '';
    const operation = last === '' || last.startsWith('total') ? 'All calls' : `All ${callName(layer, last)}`;
    return { group: INTERFACES.get(layer) ?? capital(layer), operation, quantity: quantity[0], unit: quantity[1] };
  }
  const quantity = QUANTITIES.get(parts[1]!);
  if (!quantity) return null;
  const layer = parts[0]!;
  return {
    group: INTERFACES.get(layer) ?? capital(layer),
    operation: callName(layer, parts.slice(2).join('___')),
    quantity: quantity[0],
    unit: quantity[1],
  };
}

function unitOf(name: string): [rest: string, quantity: string, unit: Unit] {
  const suffix = /_(seconds|bytes|percent|ratio|hertz|celsius|watts|joules)$/.exec(name);
  if (!suffix) return [name, 'value', '1'];
  const rest = name.slice(0, suffix.index);
  switch (suffix[1]) {
    case 'seconds':
      return [rest, 'time', 's'];
    case 'bytes':
      return [rest, 'bytes', 'B'];
    case 'percent':
      return [rest, 'percent', '%'];
    case 'ratio':
      return [rest, 'ratio', 'ratio'];
    case 'celsius':
      return [rest, 'temperature', '°C'];
    case 'watts':
      return [rest, 'power', 'W'];
    case 'joules':
      return [rest, 'energy', 'J'];
    default:
      return [rest, 'frequency', 'Hz'];
  }
}

/** Group, operation, quantity and unit of a family, for people. Never fails: an unknown name speaks for itself. */
export function describeFamily(family: string): Naming {
  const naming =
    instrumented(family) ??
    TAU.get(family) ??
    NODE.get(family) ??
    wholeNode(family) ??
    networkRate(family) ??
    plain(family);
  return naming.operation === '' ? { ...naming, operation: family } : naming;
}

/** Sums over a node's devices are called as the devices' own families. */
function wholeNode(family: string): Naming | null {
  const match = /^(proxy_(?:disk|network)_)node_(.+)$/.exec(family);
  if (!match) return null;
  const naming = plain(`${match[1]}${match[2]}`);
  return { ...naming, operation: `${naming.operation}, whole node` };
}

/** The proxy's gauges of traffic are rates, whatever their suffix says. */
function networkRate(family: string): Naming | null {
  const match = /^proxy_(network|infiniband)_(.+)_(bandwidth_bytes|packet_rate)$/.exec(family);
  if (!match) return null;
  const [quantity, unit]: [string, Unit] = match[3] === 'packet_rate' ? ['packet rate', '1/s'] : ['bandwidth', 'B/s'];
  return { group: NODE_GROUPS.get(match[1]!)!, operation: spaced(match[2]!), quantity, unit };
}

function plain(family: string): Naming {
  const timed = /^func___(time|self)___(.+)$/.exec(family);
  if (timed) {
    const quantity = timed[1] === 'self' ? 'own time' : 'time';
    return { group: 'Functions', operation: timed[2]!, quantity, unit: 's' };
  }
  if (family.startsWith('func__')) {
    return { group: 'Functions', operation: family.slice('func__'.length), quantity: 'calls', unit: '1' };
  }
  if (family === 'has_started' || family === 'has_finished') {
    return { group: 'Processes', operation: spaced(family.slice('has_'.length)), quantity: 'count', unit: '1' };
  }
  const exporter = /^vigie_(.+)_build_info$/.exec(family);
  if (exporter) {
    return { group: 'Processes', operation: `exporter ${spaced(exporter[1]!)}`, quantity: 'version', unit: '1' };
  }
  const total = family.endsWith('_total');
  const base = total ? family.slice(0, -'_total'.length) : family;
  const [rest, measured, unit] = unitOf(base);
  // `bytes`, `bytes_sent`; not `bytes_per_call`, nor what ends in another unit.
  const volume = measured === 'value' ? /^bytes(?:_(?!per_)(.*))?$/.exec(base) : null;
  if (volume) return { group: 'Program', operation: spaced(volume[1] ?? '') || 'bytes', quantity: 'bytes', unit: 'B' };
  const quantity = measured === 'value' && total ? 'count' : measured;
  const prefix = /^(proxy|node|vigie|tau)_(?=[^_])/.exec(rest);
  if (!prefix) return { group: 'Program', operation: spaced(rest), quantity, unit };
  const bare = rest.slice(prefix[0].length);
  if (prefix[1] === 'vigie') return { group: 'Engine', operation: spaced(bare), quantity, unit };
  const slurm = /^slurm_(job|step)_(?=[^_])/.exec(bare);
  if (slurm) return { group: `Slurm ${slurm[1]}s`, operation: spaced(bare.slice(slurm[0].length)), quantity, unit };
  const word = bare.split('_', 1)[0]!;
  const group = NODE_GROUPS.get(word);
  const within = group === undefined ? bare : bare.slice(word.length);
  return { group: group ?? capital(word), operation: spaced(within) || spaced(bare), quantity, unit };
}
