import { cpu } from './cpu.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { scrape } from './scrape.ts';
import type { Source } from './source.ts';

/** Every source of this node's numbers, one line each; sampled in this order. */
export const SOURCES: readonly Source[] = [
  cpu, // use of each core, time by mode
  memory, // memory and swap
  network, // totals and rates of each interface
  load, // load averages, number of tasks
  scrape, // how often, and of which system
];
