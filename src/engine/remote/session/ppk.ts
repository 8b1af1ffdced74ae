/** PuTTY's own format of private keys, versions 2 and 3 (the newer derives its keys with Argon2). */

import { argon2Sync, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { wireString, WireReader } from './wire.ts';

export const PPK = /^PuTTY-User-Key-File-([23]): /;

/** More memory for one key than this is not asked for by anybody, but by a file that is meant to harm. Of 1 KiB. */
const MOST_MEMORY = 1024 * 1024;
const MOST_PASSES = 10_000;

export interface PpkParts {
  readonly type: string;
  readonly comment: string;
  readonly publicBlob: Buffer;
  readonly encrypted: boolean;
}

interface Parsed extends PpkParts {
  readonly version: 2 | 3;
  readonly encryption: string;
  readonly privateBlob: Buffer;
  readonly mac: Buffer;
  readonly headers: ReadonlyMap<string, string>;
}

function parse(text: string): Parsed {
  const lines = text.split(/\r\n|\r|\n/);
  const headers = new Map<string, string>();
  const blobs = new Map<string, Buffer>();
  for (let i = 0; i < lines.length; i++) {
    const [, name, value] = /^([A-Za-z0-9-]+): (.*)$/.exec(lines[i] ?? '') ?? [];
    if (name === undefined || value === undefined) continue;
    headers.set(name, value);
    if (name !== 'Public-Lines' && name !== 'Private-Lines') continue;
    const count = Number(value);
    if (!Number.isInteger(count) || count < 0 || count > 1000)
      throw new Error('a length in the key file makes no sense');
    blobs.set(name, Buffer.from(lines.slice(i + 1, i + 1 + count).join(''), 'base64'));
    i += count;
  }
  const version = headers.has('PuTTY-User-Key-File-3') ? 3 : 2;
  const type = headers.get(`PuTTY-User-Key-File-${version}`);
  const [publicBlob, privateBlob] = [blobs.get('Public-Lines'), blobs.get('Private-Lines')];
  const [encryption, mac] = [headers.get('Encryption'), headers.get('Private-MAC')];
  if (type === undefined || publicBlob === undefined || privateBlob === undefined || mac === undefined) {
    throw new Error('the key file is cut short');
  }
  if (encryption !== 'none' && encryption !== 'aes256-cbc') throw new Error(`the key file's encryption is unknown`);
  const comment = headers.get('Comment') ?? '';
  const encrypted = encryption !== 'none';
  return {
    ...{ type, comment, publicBlob, encrypted, version, encryption },
    ...{ privateBlob, mac: Buffer.from(mac, 'hex'), headers },
  };
}

/** What stands in the file for anybody to read. @throws {Error} */
export function readPpk(text: string): PpkParts {
  return parse(text);
}

interface Keys {
  readonly cipher: Buffer;
  readonly iv: Buffer;
  readonly mac: Buffer;
  readonly hash: 'sha1' | 'sha256';
}

function deriveOld(passphrase: Buffer): Keys {
  const part = (n: number): Buffer =>
    createHash('sha1')
      .update(Buffer.of(0, 0, 0, n))
      .update(passphrase)
      .digest();
  const mac = createHash('sha1').update('putty-private-key-file-mac-key').update(passphrase).digest();
  return { cipher: Buffer.concat([part(0), part(1)]).subarray(0, 32), iv: Buffer.alloc(16), mac, hash: 'sha1' };
}

function deriveNew({ headers }: Parsed, passphrase: Buffer): Keys {
  const number = (name: string, most: number): number => {
    const value = Number(headers.get(name));
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new Error(`${name} in the key file makes no sense`);
    return value;
  };
  const algorithm = headers.get('Key-Derivation')?.toLowerCase();
  if (algorithm !== 'argon2i' && algorithm !== 'argon2d' && algorithm !== 'argon2id') {
    throw new Error(`the key file's key derivation is unknown`);
  }
  const derived = argon2Sync(algorithm, {
    message: passphrase,
    nonce: Buffer.from(headers.get('Argon2-Salt') ?? '', 'hex'),
    memory: number('Argon2-Memory', MOST_MEMORY),
    passes: number('Argon2-Passes', MOST_PASSES),
    parallelism: number('Argon2-Parallelism', 64),
    tagLength: 80,
  });
  return {
    cipher: derived.subarray(0, 32),
    iv: derived.subarray(32, 48),
    mac: derived.subarray(48, 80),
    hash: 'sha256',
  };
}

/** The private part, decrypted and proven; null: the passphrase is wrong. Takes its time. @throws {Error} */
export function openPpk(
  text: string,
  passphrase: string,
): { type: string; publicBlob: Buffer; privateBlob: Buffer } | null {
  const file = parse(text);
  const secret = Buffer.from(file.encrypted ? passphrase : '');
  const plainNew: Keys = { cipher: Buffer.alloc(0), iv: Buffer.alloc(0), mac: Buffer.alloc(0), hash: 'sha256' };
  const keys = file.version === 2 ? deriveOld(secret) : file.encrypted ? deriveNew(file, secret) : plainNew;
  let { privateBlob } = file;
  if (file.encrypted) {
    if (privateBlob.length % 16 !== 0) throw new Error('the key file is cut short');
    const decipher = createDecipheriv('aes-256-cbc', keys.cipher, keys.iv).setAutoPadding(false);
    privateBlob = Buffer.concat([decipher.update(privateBlob), decipher.final()]);
  }
  const proven = createHmac(keys.hash, keys.mac)
    .update(wireString(file.type))
    .update(wireString(file.encryption))
    .update(wireString(file.comment))
    .update(wireString(file.publicBlob))
    .update(wireString(privateBlob))
    .digest();
  if (proven.length !== file.mac.length || !timingSafeEqual(proven, file.mac)) {
    if (file.encrypted) return null;
    throw new Error('the key file was changed: its checksum is wrong');
  }
  return { type: file.type, publicBlob: file.publicBlob, privateBlob };
}

/** The numbers of the private part, one after the other. */
export function ppkNumbers(blob: Buffer, count: number): Buffer[] {
  const reader = new WireReader(blob);
  return Array.from({ length: count }, () => {
    const value = reader.string();
    if (value === undefined) throw new Error('the key file is cut short');
    return value;
  });
}
