import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Devices } from './devices.ts';
import type { Device } from './devices.ts';
import { labelValue } from './label.ts';
import { listFolder, openSmallFile } from './small.ts';
import type { SmallFile } from './small.ts';
import type { Source, SourceWriter } from './source.ts';

const MAX_MOUNTS = 64;
/** File systems followed while the engine runs. */
const MAX_FILE_SYSTEMS = 64;
/** Operations of the client; a release has about 30. */
const MAX_OPERATIONS = 64;

/** One line of a `stats` file. */
export interface LustreStat {
  readonly samples: number;
  /** In its unit; 0 for those that are only counted. */
  readonly sum: number;
}

/** `read_bytes 12 samples [bytes] 4096 1048576 8392704 …` */
const LINE =
  /^([a-z][a-z0-9_]{0,39}) +(\d{1,20}) samples \[([a-z]{1,10})\](?: +\d{1,20} +\d{1,20} +(\d{1,20}))?(?: +\d{1,40})*\s*$/;

/** A `stats` file of Lustre's client by operation; lines cut off or malformed are left out. Never throws. */
export function parseLustreStats(bytes: Uint8Array): Map<string, LustreStat> {
  const stats = new Map<string, LustreStat>();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (const line of text.split('\n').slice(0, -1)) {
    const found = LINE.exec(line);
    if (found === null || stats.size >= MAX_OPERATIONS) continue;
    stats.set(found[1]!, { samples: Number(found[2]), sum: Number(found[4] ?? 0) });
  }
  return stats;
}

const BYTES = new Map([
  ['read_bytes', ['proxy_lustre_read_bytes_total', 'Bytes that programs read from this Lustre file system']],
  ['write_bytes', ['proxy_lustre_write_bytes_total', 'Bytes that programs wrote to this Lustre file system']],
] as const);
const OPERATIONS_DOC = 'Operations of the Lustre client on this file system';

/** `scratch-ffff8d7a43e0f000` is the file system and a number that is another at each mount. */
const fileSystemOf = (instance: string): string => instance.replace(/-[0-9a-f]{6,32}$/, '');

/** Numbers of one file system over all its mounts, also those that are gone: what the kernel forgets is kept here. */
class FileSystem {
  readonly #label: string;
  readonly #totals = new Map<string, number>();
  readonly #handles = new Map<string, number>();

  constructor(name: string) {
    this.#label = name;
  }

  add(out: SourceWriter, key: string, grown: number): void {
    const total = (this.#totals.get(key) ?? 0) + grown;
    this.#totals.set(key, total);
    let handle = this.#handles.get(key);
    if (handle === undefined) this.#handles.set(key, (handle = this.#register(out, key)));
    out.setCounter(handle, total);
  }

  #register(out: SourceWriter, key: string): number {
    const fs = ['fs', this.#label] as const;
    const bytes = key.endsWith('#') ? BYTES.get(key.slice(0, -1) as 'read_bytes') : undefined;
    if (bytes !== undefined) return out.counter(formatMetric(bytes[0], [fs]), bytes[1]);
    // Reads and writes are told as `read_bytes`, whose samples are the calls.
    const operation = key === 'read_bytes' ? 'read' : key === 'write_bytes' ? 'write' : key;
    return out.counter(formatMetric('proxy_lustre_operations_total', [fs, ['operation', operation]]), OPERATIONS_DOC, {
      detail: true,
    });
  }
}

class Mount implements Device {
  readonly #file: SmallFile;
  readonly #fileSystem: FileSystem;
  readonly #before: Map<string, number>;

  /** `before`: the totals read last, kept for a mount that does not answer for a while. */
  constructor(file: SmallFile, fileSystem: FileSystem, before: Map<string, number>) {
    this.#file = file;
    this.#fileSystem = fileSystem;
    this.#before = before;
  }

  sample(out: SourceWriter): boolean {
    const bytes = this.#file.read();
    if (bytes === null) return false;
    for (const [operation, { samples, sum }] of parseLustreStats(bytes)) {
      if (BYTES.has(operation as 'read_bytes')) this.#count(out, `${operation}#`, sum);
      // In releases that tell both, `read` beside `read_bytes` is its time.
      if (operation === 'read' || operation === 'write') continue;
      this.#count(out, operation, samples);
    }
    return true;
  }

  clear(): void {}

  close(): void {
    this.#file.close();
  }

  #count(out: SourceWriter, key: string, now: number): void {
    const before = this.#before.get(key) ?? 0;
    // Somebody cleared the statistics: they count from 0 again.
    this.#fileSystem.add(out, key, now >= before ? now - before : now);
    this.#before.set(key, now);
  }
}

/**
 * Bytes and operations of the Lustre client by file system. The statistics are below /sys/kernel/debug (root only) since
 * release 2.12, below /proc before; some releases have them below /sys/fs.
 */
export const lustre: Source = {
  name: 'lustre',
  open(roots) {
    const folders = [
      join(roots.sys, 'kernel', 'debug', 'lustre', 'llite'),
      join(roots.sys, 'fs', 'lustre', 'llite'),
      join(roots.proc, 'fs', 'lustre', 'llite'),
    ];
    const fileSystems = new Map<string, FileSystem>();
    const totals = new Map<string, Map<string, number>>();
    const list = (): string[] => {
      const instances = new Set(folders.flatMap((folder) => listFolder(folder)));
      for (const instance of totals.keys()) if (!instances.has(instance)) totals.delete(instance);
      return [...instances];
    };
    const open = (instance: string): Device | null => {
      const name = labelValue(Buffer.from(fileSystemOf(instance)));
      let fileSystem = fileSystems.get(name);
      if (fileSystem === undefined && fileSystems.size >= MAX_FILE_SYSTEMS) return null;
      for (const folder of folders) {
        const file = openSmallFile(join(folder, instance, 'stats'));
        if (file === null) continue;
        if (fileSystem === undefined) fileSystems.set(name, (fileSystem = new FileSystem(name)));
        const before = totals.get(instance) ?? new Map<string, number>();
        totals.set(instance, before);
        return new Mount(file, fileSystem, before);
      }
      return null;
    };
    return new Devices(list, open, MAX_MOUNTS).orNull();
  },
};
