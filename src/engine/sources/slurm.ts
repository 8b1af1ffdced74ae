import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import { CGROUP_FILES, CGROUP_VALUES } from './cgroup.ts';
import type { CgroupFile, CgroupValue, Controller } from './cgroup.ts';
import { Every } from './devices.ts';
import { labelValue } from './label.ts';
import { countFolders, findPlaces, walkPlaces } from './slurm-tree.ts';
import type { SlurmCgroup } from './slurm-tree.ts';
import { openSmallFile } from './small.ts';
import type { SmallFile } from './small.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** Most jobs and steps followed at the same time; each keeps up to ten files open. */
const MAX_LIVE = 256;
/** Most jobs and steps followed while the engine runs: the counters of ended ones stay. */
const MAX_EVER = 4000;
/** Seconds between two readings of what changes slowly or costs more. */
const SLOW = 10;
/** Seconds between two searches for places, and between two full walks through them. */
const SEARCH = 60;
const WALK = 10;

/** A counter's series is made when it first counts: most jobs are never throttled and never run out of memory. */
const FAMILIES: Record<CgroupValue, readonly [kind: 'counter' | 'gauge', family: string, doc: string]> = {
  cpu: ['counter', 'cpu_seconds_total', 'CPU time used, in seconds'],
  cpuSystem: ['counter', 'cpu_system_seconds_total', 'CPU time used inside the kernel, in seconds'],
  cpuThrottled: ['counter', 'cpu_throttled_seconds_total', 'Time in which a limit of CPU time held processes back'],
  memory: ['gauge', 'memory_used_bytes', 'Memory in use, with the cache of files'],
  memoryPeak: ['gauge', 'memory_peak_bytes', 'Most memory that was in use at any time'],
  memoryLimit: ['gauge', 'memory_limit_bytes', 'Memory that may be used'],
  memoryAnonymous: ['gauge', 'memory_anonymous_bytes', 'Memory in use for data of programs'],
  memoryCache: ['gauge', 'memory_cache_bytes', 'Memory in use to cache files'],
  oomKills: ['counter', 'oom_kills_total', 'Processes killed because there was no memory left'],
  readBytes: ['counter', 'disk_read_bytes_total', 'Bytes read from local disks'],
  writtenBytes: ['counter', 'disk_write_bytes_total', 'Bytes written to local disks'],
  reads: ['counter', 'disk_reads_total', 'Reads from local disks'],
  writes: ['counter', 'disk_writes_total', 'Writes to local disks'],
};

interface OpenFile {
  readonly description: CgroupFile;
  readonly file: SmallFile;
}

/** One job or one step that runs now. */
class Cgroup {
  readonly #labels: readonly Label[];
  readonly level: 'job' | 'step';
  readonly #controllers = new Map<Controller, OpenFile[]>();
  readonly #handles = new Map<CgroupValue, number>();
  readonly #slow = new Every(SLOW);

  constructor({ slurmd, job, step }: SlurmCgroup) {
    this.level = step === null ? 'job' : 'step';
    this.#labels = [
      ['job', job],
      ...(step === null ? [] : [['step', step] as const]),
      ...(slurmd === null ? [] : [['slurmd', labelValue(Buffer.from(slurmd))] as const]),
    ];
  }

  /** Opens what a controller tells, once. Its folder may come a moment after that of another. */
  follow(folders: ReadonlyMap<Controller, string>): void {
    for (const [controller, folder] of folders) {
      if (this.#controllers.has(controller)) continue;
      const files: readonly CgroupFile[] = CGROUP_FILES[controller];
      this.#controllers.set(
        controller,
        files.flatMap((description) => {
          if (description.slow && this.level === 'step') return [];
          const file = openSmallFile(join(folder, description.name));
          return file === null ? [] : [{ description, file }];
        }),
      );
      this.#slow.hasten();
    }
  }

  /** False when no file answers: it has ended. */
  sample(out: SourceWriter, seconds: number): boolean {
    const slow = this.#slow.due(seconds);
    const files = [...this.#controllers.values()].flat();
    let answered = files.length === 0;
    for (const { description, file } of files) {
      if (description.slow && !slow) continue;
      const bytes = file.read();
      if (bytes === null) continue;
      answered = true;
      const found = description.parse(bytes);
      for (const value of CGROUP_VALUES) if (found[value] !== undefined) this.#emit(out, value, found[value]);
    }
    return answered;
  }

  /** Ends it: the files are closed, the gauges leave, the counters stay. */
  end(out: SourceWriter | null): void {
    for (const { file } of [...this.#controllers.values()].flat()) file.close();
    this.#controllers.clear();
    if (out === null) return;
    for (const [value, handle] of this.#handles) if (FAMILIES[value][0] === 'gauge') out.clearGauge(handle);
  }

  /** `number` null: there is none now, such as a limit that was lifted. */
  #emit(out: SourceWriter, value: CgroupValue, number: number | null): void {
    const [kind, family, doc] = FAMILIES[value];
    let handle = this.#handles.get(value);
    if (handle === undefined) {
      if (number === null || (kind === 'counter' && number === 0)) return;
      const name = formatMetric(`proxy_slurm_${this.level}_${family}`, this.#labels);
      const text = `${doc}, by ${this.level} of Slurm`;
      handle = out[kind](name, text, { detail: this.level === 'step' });
      this.#handles.set(value, handle);
    }
    if (number === null) {
      if (kind === 'gauge') out.clearGauge(handle);
    } else if (kind === 'counter') out.setCounter(handle, number);
    else out.setGauge(handle, number);
  }
}

class Slurm implements SourceInstance {
  readonly #root: string;
  #places: ReturnType<typeof findPlaces>;
  readonly #live = new Map<string, Cgroup>();
  readonly #ever = new Set<string>();
  #parents: readonly string[] = [];
  #counts: string | null = null;
  /** Walk at the next tick whatever the counts say: the controllers of version 1 get a job's folder one after another. */
  #again = true;
  readonly #search = new Every(SEARCH);
  readonly #walk = new Every(WALK);
  #full = false;
  #totals: { readonly jobs: number; readonly steps: number; readonly full: number } | null = null;

  constructor(root: string, places: ReturnType<typeof findPlaces>) {
    this.#root = root;
    this.#places = places;
    this.#search.due(0);
  }

  sample(out: SourceWriter, seconds: number): void {
    if (this.#search.due(seconds)) this.#places = findPlaces(this.#root);
    const due = this.#walk.due(seconds);
    const counts = countFolders(this.#parents);
    if (due || this.#again || counts === null || counts !== this.#counts) this.#find(out);
    for (const [key, cgroup] of this.#live) {
      if (cgroup.sample(out, seconds)) continue;
      this.#again = true;
      this.#drop(out, key, cgroup);
    }
    this.#count(out);
  }

  close(): void {
    for (const cgroup of this.#live.values()) cgroup.end(null);
    this.#live.clear();
  }

  #find(out: SourceWriter): void {
    const { cgroups, parents } = walkPlaces(this.#places, MAX_LIVE);
    const counts = countFolders(parents);
    this.#again = counts !== this.#counts;
    this.#counts = counts;
    this.#parents = parents;
    for (const [key, cgroup] of this.#live) if (!cgroups.has(key)) this.#drop(out, key, cgroup);
    for (const [key, found] of cgroups) {
      let cgroup = this.#live.get(key);
      if (cgroup === undefined) {
        if (!this.#ever.has(key) && this.#ever.size >= MAX_EVER) {
          this.#full = true;
          continue;
        }
        this.#ever.add(key);
        this.#live.set(key, (cgroup = new Cgroup(found)));
      }
      cgroup.follow(found.folders);
    }
  }

  #drop(out: SourceWriter, key: string, cgroup: Cgroup): void {
    cgroup.end(out);
    this.#live.delete(key);
  }

  #count(out: SourceWriter): void {
    this.#totals ??= {
      jobs: out.gauge('proxy_slurm_jobs', 'Jobs of Slurm that run on this node'),
      steps: out.gauge('proxy_slurm_steps', 'Steps of Slurm jobs that run on this node'),
      full: out.gauge('proxy_slurm_full', 'Whether so many jobs were followed that others are left out: 1 or 0'),
    };
    let jobs = 0;
    for (const cgroup of this.#live.values()) if (cgroup.level === 'job') jobs++;
    out.setGauge(this.#totals.jobs, jobs);
    out.setGauge(this.#totals.steps, this.#live.size - jobs);
    out.setGauge(this.#totals.full, this.#full ? 1 : 0);
  }
}

/** CPU time, memory and disk I/O of each job and step of Slurm on this node, from their cgroups of version 1 or 2. */
export const slurm: Source = {
  name: 'slurm',
  open(roots) {
    const root = join(roots.sys, 'fs', 'cgroup');
    const places = findPlaces(root);
    return places.length === 0 ? null : new Slurm(root, places);
  },
};
