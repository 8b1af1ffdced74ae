/** Room on the disk with the data, and what kind of file system that is. */

import { readFileSync } from 'node:fs';
import { access, realpath, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Check } from '../../shared/api/diagnosis.ts';
import { networkFileSystem } from '../store/network-fs.ts';
import { bytesText, messageOf, ok, problem, warning } from './check.ts';
import type { Patient } from './patient.ts';

const MIB = 1024 * 1024;
/** Less than this is a problem, or a warning. Bytes. */
const NO_ROOM = 100 * MIB;
const LITTLE_ROOM = 1024 * MIB;
/** The same for files. A store makes few. */
const NO_INODES = 16;
const FEW_INODES = 1000;
export interface DiskFacts {
  readonly directory: string;
  /** As the mount table calls it, such as `ext4`. */
  readonly type: string;
  /** The network file system's name, or null for a local one. */
  readonly network: string | null;
  /** Bytes that this user may still write, and of the whole file system. */
  readonly free: number;
  readonly size: number;
  /** Files; a file system that does not count them has 0 of 0. */
  readonly freeFiles: number;
  readonly files: number;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export async function checkDisk({ data }: Pick<Patient, 'data'>): Promise<Check[]> {
  if (data === null) return [];
  // It may not be made yet.
  let directory = data;
  while (dirname(directory) !== directory && !(await exists(directory))) directory = dirname(directory);
  try {
    const fs = await statfs(directory);
    return judgeDisk({
      directory,
      type: mountType(await realpath(directory)),
      network: networkFileSystem(fs.type),
      free: fs.bavail * fs.bsize,
      size: fs.blocks * fs.bsize,
      freeFiles: fs.ffree,
      files: fs.files,
    });
  } catch (error) {
    const text = `the file system of ${directory} does not answer: ${messageOf(error)}`;
    return [problem('disk', 'disk', text, 'use a --data on a local disk')];
  }
}

/** Of the mount that holds a path; the last one that matches lies on top. */
export function mountType(path: string, table: string = readMounts()): string {
  let best = '';
  let type = 'unknown';
  for (const line of table.split('\n')) {
    const [, point = '', name = ''] = line.split(' ');
    const mount = point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (mount === '' || mount.length < best.length) continue;
    if (mount === '/' || path === mount || path.startsWith(`${mount}/`)) [best, type] = [mount, name];
  }
  return type;
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return '';
  }
}

export function judgeDisk(disk: DiskFacts): Check[] {
  return [judgeType(disk), judgeSpace(disk), judgeFiles(disk)];
}

function judgeType({ directory, type, network }: DiskFacts): Check {
  if (network !== null) {
    const text = `${directory} is on ${network}, a network file system: the database is written without its log, which is slower`;
    return warning('disk', 'file_system', text, 'use a --data on a local disk of this machine');
  }
  if (type === 'tmpfs' || type === 'ramfs') {
    const text = `${directory} is in memory (${type}): history is gone after a restart of the machine`;
    return warning('disk', 'file_system', text, 'use a --data on a disk, or --memory if that is meant');
  }
  return ok('disk', 'file_system', `${directory} is on a local file system (${type})`);
}

function judgeSpace({ directory, free, size }: DiskFacts): Check {
  const text = `${bytesText(free)} of ${bytesText(size)} are free on the disk of ${directory}`;
  const advice = 'make room, or use a --data on another disk';
  if (free < NO_ROOM) return problem('disk', 'space', text, advice);
  return free < LITTLE_ROOM ? warning('disk', 'space', text, advice) : ok('disk', 'space', text);
}

function judgeFiles({ directory, freeFiles, files }: DiskFacts): Check {
  if (files === 0) return ok('disk', 'inodes', `the file system of ${directory} has no fixed number of files`);
  const text = `${freeFiles} more files can be made on the disk of ${directory}`;
  const advice = 'remove files there: it has room for bytes, but not for names (inodes)';
  if (freeFiles < NO_INODES) return problem('disk', 'inodes', text, advice);
  return freeFiles < FEW_INODES ? warning('disk', 'inodes', text, advice) : ok('disk', 'inodes', text);
}
