/**
 * Where Slurm keeps the cgroups of jobs and steps.
 *
 * Version 1, by controller:  cpuacct/slurm[_NODE]/uid_U/job_J/step_S
 * Version 2:                 system.slice/[NODE_]slurmstepd.scope/job_J/step_S
 *
 * NODE stands there when several slurmds share a machine. The slice can be another one, and is found twice where slurmd
 * itself runs in a container. Systemd's hybrid layout has its controllers on version 1, and is that for us.
 */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Controller } from './cgroup.ts';
import { listFolder } from './small.ts';

/** A folder in which jobs are found. */
interface Place {
  readonly path: string;
  readonly controller: Controller;
  /** Node name of the slurmd, null when there is only one. */
  readonly slurmd: string | null;
}

export interface SlurmCgroup {
  readonly slurmd: string | null;
  readonly job: string;
  /** Null for the whole job. */
  readonly step: string | null;
  /** Folder by controller. */
  readonly folders: Map<Controller, string>;
}

/** Folders of version 1 by what they are mounted as; two controllers are often mounted as one. */
const VERSION1: readonly (readonly [controller: Controller, folders: readonly string[]])[] = [
  ['cpuacct', ['cpuacct', 'cpu,cpuacct', 'cpuacct,cpu']],
  ['cpu', ['cpu', 'cpu,cpuacct', 'cpuacct,cpu']],
  ['memory', ['memory']],
  ['blkio', ['blkio']],
];

const SLICE = /\.slice$/;
const SCOPE = /^(?:(.{1,64})_)?slurmstepd\.scope$/;
const FOLDER = /^slurm(?:_(.{1,64}))?$/;
const USER = /^uid_\d{1,10}$/;
/** Numbers; newer releases have other names too. What is longer is nothing of Slurm's. */
const JOB = /^job_([\w.+-]{1,32})$/;
const STEP = /^step_([\w.+-]{1,32})$/;

/** Folders that hold jobs now; none when Slurm does not run here. */
export function findPlaces(root: string): Place[] {
  return existsSync(join(root, 'cgroup.controllers')) ? findScopes(root, 2) : findVersion1(root);
}

function findScopes(path: string, depth: number): Place[] {
  return listFolder(path).flatMap((name): Place[] => {
    const scope = SCOPE.exec(name);
    if (scope !== null) return [{ path: join(path, name), controller: 'unified', slurmd: scope[1] ?? null }];
    return depth > 0 && SLICE.test(name) ? findScopes(join(path, name), depth - 1) : [];
  });
}

function findVersion1(root: string): Place[] {
  return VERSION1.flatMap(([controller, mounts]) => {
    const mount = mounts.find((name) => existsSync(join(root, name)));
    if (mount === undefined) return [];
    return listFolder(join(root, mount)).flatMap((name): Place[] => {
      const found = FOLDER.exec(name);
      return found === null ? [] : [{ path: join(root, mount, name), controller, slurmd: found[1] ?? null }];
    });
  });
}

/** The jobs and steps that exist now, by a key of each, and a list of the folders that change when others come. */
export interface SlurmTree {
  readonly cgroups: ReadonlyMap<string, SlurmCgroup>;
  readonly parents: readonly string[];
}

/** At most `max` jobs and steps. Never throws: what ends meanwhile is just not there. */
export function walkPlaces(places: readonly Place[], max: number): SlurmTree {
  const cgroups = new Map<string, SlurmCgroup>();
  const parents: string[] = [];
  const add = ({ slurmd, controller }: Place, job: string, step: string | null, path: string): boolean => {
    const key = JSON.stringify([slurmd, job, step]);
    let cgroup = cgroups.get(key);
    if (cgroup === undefined) {
      if (cgroups.size >= max) return false;
      cgroups.set(key, (cgroup = { slurmd, job, step, folders: new Map() }));
    }
    cgroup.folders.set(controller, path);
    return true;
  };
  const walk = (place: Place, path: string): void => {
    parents.push(path);
    for (const name of listFolder(path)) {
      if (USER.test(name) && path === place.path) walk(place, join(path, name));
      const job = JOB.exec(name)?.[1];
      const folder = join(path, name);
      if (job === undefined || !add(place, job, null, folder)) continue;
      parents.push(folder);
      for (const inner of listFolder(folder)) {
        const step = STEP.exec(inner)?.[1];
        if (step !== undefined) add(place, job, step, join(folder, inner));
      }
    }
  };
  for (const place of places) walk(place, place.path);
  return { cgroups, parents };
}

/**
 * Changes when a folder of `parents` gets another number of folders in it, which costs one stat for each instead of a
 * list. Null when the file system does not count them, or one is gone: then only walking tells.
 */
export function countFolders(parents: readonly string[]): string | null {
  let counts = '';
  for (const parent of parents) {
    const links = statSync(parent, { throwIfNoEntry: false })?.nlink ?? 0;
    if (links < 2) return null;
    counts += `${links},`;
  }
  return counts;
}
