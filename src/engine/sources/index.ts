import { amdgpu } from './amdgpu.ts';
import { cpu } from './cpu.ts';
import { disks } from './disks.ts';
import { filesystems } from './filesystem.ts';
import { infiniband } from './infiniband.ts';
import { load } from './load.ts';
import { lustre } from './lustre.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { nfsMounts } from './nfs-mounts.ts';
import { nfs } from './nfs.ts';
import { nvidia } from './nvidia.ts';
import { pressure } from './pressure.ts';
import { processes } from './processes.ts';
import { rapl } from './rapl.ts';
import { scrape } from './scrape.ts';
import { slurm } from './slurm.ts';
import type { Source } from './source.ts';
import { swap } from './swap.ts';
import { temperature } from './temperature.ts';
import { uptime } from './uptime.ts';

/** Every source of this node's numbers, one line each; sampled in this order. */
export const SOURCES: readonly Source[] = [
  cpu, // use of each core, time by mode, context switches, interrupts, forks
  memory, // memory and swap
  swap, // swapping, page faults, kills for lack of memory
  pressure, // how long tasks wait for cores, memory and disks
  disks, // reads, writes and latency of each disk
  filesystems(), // space of each mount
  network, // totals and rates of each interface
  load, // load averages, number of tasks
  processes, // processes by state
  uptime, // since when the node runs
  temperature, // of processors, disks and boards
  nfs, // calls of the NFS client
  nfsMounts, // bytes and operations of each NFS mount
  lustre, // bytes and operations of each Lustre file system
  infiniband, // traffic and errors of each port
  slurm, // CPU, memory and disk I/O of jobs and steps
  rapl, // energy of processors and memory
  nvidia, // NVIDIA's GPUs
  amdgpu, // AMD's GPUs
  scrape, // how often, and of which system
];
