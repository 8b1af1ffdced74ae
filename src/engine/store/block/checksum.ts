import { crc32 } from 'node:zlib';
import { AT } from './format.ts';

/** CRC-32 of a block's bytes, all but the checksum itself. */
export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(AT.checksum + 4), crc32(bytes.subarray(0, AT.checksum)));
}
