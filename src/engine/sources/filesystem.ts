import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import { Background } from './background.ts';
import { labelValue } from './label.ts';
import { parseMounts } from './mounts.ts';
import type { Mount } from './mounts.ts';
import { openTickFile, readOnce } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';
import { askSpace } from './space.ts';
import type { Space } from './space.ts';

/** Seconds between two rounds over the mounts. */
const EVERY = 10;
/** Network file systems are asked in every so many rounds. */
const NETWORK_EVERY = 6;
/** A space older than this many seconds is no longer told. */
const KEEP = 300;
/** Most mounts followed while the engine runs. */
const MAX_MOUNTS = 256;

const DOCS = {
  size: ['proxy_disk_size_bytes', 'Size of this file system'],
  free: ['proxy_disk_free_size_bytes', 'Space that users can still write to on this file system'],
  used: ['proxy_disk_used_size_bytes', 'Space of this file system that users cannot write to any more'],
  percent: ['proxy_disk_usage_percent', 'Share of this file system that users cannot write to any more'],
  files: ['proxy_filesystem_files', 'Files and folders that this file system has room for'],
  filesFree: ['proxy_filesystem_files_free', 'Files and folders that can still be made on this file system'],
  readOnly: ['proxy_filesystem_readonly', 'Whether this file system is mounted read-only: 1 or 0'],
  error: ['proxy_filesystem_device_error', 'Whether this file system does not answer: 1 or 0'],
} as const;

type Which = keyof typeof DOCS;

/** A file system, and the last that is known of it. */
interface Followed {
  /** As the last round found it: it may be mounted anew, read-only. */
  mount: Mount;
  readonly labels: readonly Label[];
  readonly handles: Map<Which, number>;
  /** Null: it did not answer. Undefined: it was not asked yet. */
  space: Space | null | undefined;
  /** Round in which it was last in the list. */
  round: number;
}

export interface FilesystemOptions {
  /** Asks a file system; rejects when it fails or does not answer in time. */
  readonly ask?: (mount: Mount) => Promise<Space>;
}

class FilesystemInstance implements SourceInstance {
  readonly #file: TickFile;
  readonly #sys: string;
  readonly #ask: (mount: Mount) => Promise<Space>;
  readonly #followed = new Map<string, Followed>();
  readonly #work = new Background(() => this.#look(), { every: EVERY, keep: KEEP });
  #round = 0;
  #told = 0;
  #closed = false;

  constructor(file: TickFile, sys: string, ask: (mount: Mount) => Promise<Space>) {
    this.#file = file;
    this.#sys = sys;
    this.#ask = ask;
  }

  sample(out: SourceWriter): void {
    const done = this.#work.poll();
    if (done === null || done.value === this.#told) return;
    this.#told = done.value;
    for (const one of this.#followed.values()) emit(out, one, one.round === done.value);
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  close(): void {
    this.#closed = true;
    this.#work.close();
    this.#file.close();
  }

  /** One round: the list of mounts, then the space of each, one after another. Answers the round's number. */
  async #look(): Promise<number> {
    const round = ++this.#round;
    for (const mount of parseMounts(this.#file.read())) {
      const key = `${mount.device} ${mount.point}`;
      let one = this.#followed.get(key);
      if (one === undefined) {
        if (this.#followed.size >= MAX_MOUNTS) continue;
        one = { mount, labels: this.#labels(mount), handles: new Map(), space: undefined, round };
        this.#followed.set(key, one);
      }
      one.mount = mount;
      one.round = round;
      if (mount.local || one.space === undefined || round % NETWORK_EVERY === 0) await this.#update(one);
      if (this.#closed) break;
    }
    return round;
  }

  async #update(one: Followed): Promise<void> {
    try {
      one.space = await this.#ask(one.mount);
    } catch {
      // Told as a value: a server that is away is news about the node, not a failure of this source.
      one.space = null;
    }
  }

  #labels({ device, point, type }: Mount): Label[] {
    // In the order in which the Rust proxy has them.
    return [
      ['kind', diskKind(this.#sys, device)],
      ['device', labelValue(Buffer.from(device, 'latin1'))],
      ['fs', labelValue(Buffer.from(type, 'latin1'))],
      ['mountpoint', labelValue(Buffer.from(point, 'latin1'))],
    ];
  }
}

/** HDD or SSD, as the kernel says of the disk that a partition is on; else Unknown. */
function diskKind(sys: string, device: string): string {
  const name = /^\/dev\/([\w-]+)$/.exec(device)?.[1];
  if (name === undefined) return 'Unknown';
  const folder = `${sys}/class/block/${name}`;
  // A partition's folder lies in its disk's; the path must not be shortened, the first part of it is a link.
  const told = readOnce(`${folder}/queue/rotational`) ?? readOnce(`${folder}/../queue/rotational`);
  return told === null ? 'Unknown' : told[0] === 0x31 ? 'HDD' : 'SSD';
}

function emit(out: SourceWriter, one: Followed, mounted: boolean): void {
  const set = (which: Which, value: number | null): void => {
    let handle = one.handles.get(which);
    if (value === null || !mounted) {
      if (handle !== undefined) out.clearGauge(handle);
      return;
    }
    const [family, doc] = DOCS[which];
    if (handle === undefined) one.handles.set(which, (handle = out.gauge(formatMetric(family, one.labels), doc)));
    out.setGauge(handle, value);
  };
  const { space, mount } = one;
  if (space === undefined) return;
  const used = space && Math.max(0, space.size - space.available);
  set('size', space && space.size);
  set('free', space && space.available);
  set('used', used);
  set('percent', space && used !== null && space.size > 0 ? Math.min(100, (100 * used) / space.size) : null);
  // Some file systems make them as they go, and say 0.
  set('files', space && space.files > 0 ? space.files : null);
  set('filesFree', space && space.files > 0 ? space.filesFree : null);
  set('readOnly', mount.readOnly ? 1 : 0);
  set('error', space === null ? 1 : 0);
}

/** Space by file system, from /proc/self/mounts and statfs. */
export function filesystems({ ask = askSpace }: FilesystemOptions = {}): Source {
  return {
    name: 'filesystem',
    open(roots) {
      const path = join(roots.proc, 'self', 'mounts');
      if (!existsSync(path)) return null;
      const file = openTickFile(path);
      return file === null ? null : new FilesystemInstance(file, roots.sys, ask);
    },
  };
}
