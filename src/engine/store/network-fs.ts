/**
 * File systems whose locks and shared memory are not good enough for a write-ahead log. Numbers are statfs(2)'s f_type.
 */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
]);

/** Name of the network file system with this number, or null for any other. */
export const networkFileSystem = (type: number): string | null => NETWORK.get(type >>> 0) ?? null;
