/** A file system that is mounted. Texts are bytes as latin1, because the kernel's names are bytes. */
export interface Mount {
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly readOnly: boolean;
  /** Asking it cannot take long: there is no server behind it. */
  readonly local: boolean;
}

/** Longer ones are no names that anybody typed. */
const MAX_LINES = 4096;

/**
 * File systems on this node's own disks and in its memory. All others, also those not known here, may have a server
 * behind them that does not answer.
 */
const LOCAL =
  /^(?:ext[234]|xfs|btrfs|zfs|tmpfs|vfat|msdos|exfat|ntfs3?|f2fs|jfs|nilfs2|reiserfs|bcachefs|hfsplus|udf|overlay|ramfs)$/;
/** Without space to speak of: views of the kernel, and images that are always full. */
const NO_SPACE =
  /^(?:autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|fuse\.lxcfs|fuse\.portal|fuse\.gvfsd-fuse|hugetlbfs|iso9660|mqueue|nfsd|nsfs|nullfs|proc|procfs|pstore|ramfs|resctrl|rpc_pipefs|securityfs|selinuxfs|smackfs|squashfs|sysfs|tracefs)$/;
/** Mounted by the system for itself, a new one for each service, container or session. */
const SYSTEM_POINTS =
  /^\/(?:dev|proc|sys|run\/credentials|run\/user|run\/docker|run\/lock|run\/netns|var\/lib\/(?:docker|containerd|containers|kubelet))(?:\/|$)/;
/** Memory that programs share: part of every MPI job. */
const SHARED_MEMORY = '/dev/shm';

const unescape = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** File systems of /proc/self/mounts that have space to tell of, each once. Never throws. */
export function parseMounts(bytes: Uint8Array): Mount[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const byPoint = new Map<string, Mount>();
  const lines = text.split('\n');
  // What stands behind the last newline is cut off.
  for (const line of lines.slice(0, Math.min(lines.length - 1, MAX_LINES))) {
    const [device, point, type, options] = line.split(' ');
    if (!device || !point?.startsWith('/') || !type || options === undefined) continue;
    const mount: Mount = {
      ...{ device: unescape(device), point: unescape(point), type },
      readOnly: options.split(',').includes('ro'),
      local: LOCAL.test(type),
    };
    // A later mount on the same place hides the earlier one.
    byPoint.delete(mount.point);
    byPoint.set(mount.point, mount);
  }
  return withoutRepeats([...byPoint.values()].filter(hasSpace));
}

function hasSpace({ point, type }: Mount): boolean {
  if (NO_SPACE.test(type) || point.includes('\0')) return false;
  // An overlay shows the space of the disk below; inside a container it is all there is.
  if (type === 'overlay') return point === '/';
  return point === SHARED_MEMORY || !SYSTEM_POINTS.test(point);
}

/** One disk mounted in several places, such as the files that a container gets, is told once, at its first place. */
function withoutRepeats(mounts: readonly Mount[]): Mount[] {
  const seen = new Set<string>();
  return mounts.filter(({ device, type }) => {
    // Of file systems in memory, the device is a word.
    if (!device.includes('/')) return true;
    const key = `${type} ${device}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
