/** What of a host's metrics says how busy it is: families of node exporters and of the engine's own sources. */

export type NodeFigure =
  'load' | 'cores' | 'memory_total' | 'memory_used' | 'memory_left' | 'idle' | 'busy' | 'received' | 'sent';

/** Interfaces whose bytes go over another one too, or never leave the host. */
export const NOT_A_CARD = /^(?:lo|ifb|veth|docker|br-|virbr|bond|team|tun|tap|cali|flannel|cni|dummy|kube)/;

export const NODE_GAUGES: Readonly<Record<string, NodeFigure>> = {
  node_load1: 'load',
  proxy_load1: 'load',
  proxy_cpu_total: 'cores',
  node_memory_MemTotal_bytes: 'memory_total',
  proxy_memory_total_bytes: 'memory_total',
  node_memory_MemAvailable_bytes: 'memory_left',
  proxy_memory_used_bytes: 'memory_used',
};

export const NODE_COUNTERS: Readonly<Record<string, NodeFigure>> = {
  proxy_network_node_receive_bytes_total: 'received',
  proxy_network_node_transmit_bytes_total: 'sent',
  node_network_receive_bytes_total: 'received',
  node_network_transmit_bytes_total: 'sent',
};

/** Seconds of the processor by `mode`. */
export const CPU_FAMILIES: readonly string[] = ['node_cpu_seconds_total', 'proxy_cpu_seconds_total'];

/** Modes in which it does nothing. */
export const RESTING: readonly string[] = ['idle', 'iowait'];
