/**
 * Private key files, whoever wrote them: OpenSSH's own format, PEM (PKCS#1, SEC1, PKCS#8), PuTTY's. What comes out is a
 * key that Node signs with, and its public blob. Everything here may take a second of work: see `unlock.ts`.
 */

import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import ssh2 from 'ssh2';

import { openPpk, PPK, ppkNumbers, readPpk } from './ppk.ts';
import { keyType, wireNumber, wireString, WireReader } from './wire.ts';

/** What a key file says without its passphrase. */
export interface KeyFileFacts {
  readonly encrypted: boolean;
  /** Of the public part; absent where the file does not show it (PEM that is encrypted). */
  readonly blob?: Buffer;
  /** The type of the key, `''` when it is not known yet. */
  readonly type: string;
}

export interface OpenedKey {
  /** PKCS#8 or as ssh2 writes it: unencrypted PEM. */
  readonly pem: string;
  readonly blob: Buffer;
}

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = 'openssh-key-v1\0';
const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

function openSshFacts(base64: string): KeyFileFacts {
  const data = Buffer.from(base64, 'base64');
  if (data.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw new Error('it is not a key of OpenSSH');
  const reader = new WireReader(data.subarray(MAGIC.length));
  const cipher = reader.string()?.toString('latin1');
  reader.string();
  reader.string();
  reader.uint32();
  const blob = reader.string();
  if (cipher === undefined || blob === undefined) throw new Error('the key file is cut short');
  return { encrypted: cipher !== 'none', blob, type: keyType(blob) };
}

/** @throws {Error} When it is no private key, in words. */
export function keyFileFacts(text: string): KeyFileFacts {
  const openssh = OPENSSH.exec(text);
  if (openssh !== null) return openSshFacts(openssh[1] ?? '');
  if (PPK.test(text)) {
    const { type, publicBlob, encrypted } = readPpk(text);
    return { encrypted, blob: publicBlob, type };
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error('it has no private key');
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) return { encrypted: true, type: '' };
  const opened = openPem(text, '');
  if (opened === null) return { encrypted: true, type: '' };
  return { encrypted: false, blob: opened.blob, type: keyType(opened.blob) };
}

const big = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64url');
const url = (value: Buffer): string => {
  let start = 0;
  while (start < value.length - 1 && value[start] === 0) start++;
  return value.subarray(start).toString('base64url');
};

function blobOf(key: KeyObject): Buffer {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  if (jwk.kty === 'RSA') return Buffer.concat([wireString('ssh-rsa'), wireNumber(big(jwk.e)), wireNumber(big(jwk.n))]);
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519')
    return Buffer.concat([wireString('ssh-ed25519'), wireString(big(jwk.x))]);
  const curve = CURVES[jwk.crv ?? ''];
  if (jwk.kty !== 'EC' || curve === undefined) throw new Error('keys of this type are not for SSH');
  const point = Buffer.concat([Buffer.of(4), big(jwk.x), big(jwk.y)]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]);
}

/** null: the passphrase is wrong. */
function openPem(text: string, passphrase: string): OpenedKey | null {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, passphrase });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (
      code === 'ERR_MISSING_PASSPHRASE' ||
      /BAD_DECRYPT|PASSWORD|INTERRUPTED|ASN1|WRONG_TAG|UNSUPPORTED/i.test(code)
    ) {
      if (/ENCRYPTED/.test(text)) return null;
    }
    throw new Error('the key file cannot be read', { cause: error });
  }
  return { pem: key.export({ type: 'pkcs8', format: 'pem' }).toString(), blob: blobOf(key) };
}

function bigInt(value: Buffer): bigint {
  return BigInt(`0x${value.toString('hex') || '0'}`);
}

function bytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function jwkOfPpk(type: string, pub: Buffer, priv: Buffer): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const [, x] = ppkNumbers(pub, 2);
    const [d] = ppkNumbers(priv, 1);
    // PuTTY writes the number without the zeros at its front, and sometimes one more.
    const seed = Buffer.concat([Buffer.alloc(32), d ?? Buffer.alloc(0)]).subarray(-32);
    return { kty: 'OKP', crv: 'Ed25519', x: (x ?? pub).toString('base64url'), d: seed.toString('base64url') };
  }
  if (type === 'ssh-rsa') {
    const [, e, n] = ppkNumbers(pub, 3) as [Buffer, Buffer, Buffer];
    const [d, p, q, qi] = ppkNumbers(priv, 4) as [Buffer, Buffer, Buffer, Buffer];
    const dp = bytes(bigInt(d) % (bigInt(p) - 1n));
    const dq = bytes(bigInt(d) % (bigInt(q) - 1n));
    return {
      kty: 'RSA',
      ...{ e: url(e), n: url(n), d: url(d), p: url(p), q: url(q), qi: url(qi), dp: url(dp), dq: url(dq) },
    };
  }
  const curve = Object.entries(CURVES).find(([, name]) => type === `ecdsa-sha2-${name}`)?.[0];
  if (curve === undefined) throw new Error(`keys of the type ${type} are not supported`);
  const [, , point] = ppkNumbers(pub, 3) as [Buffer, Buffer, Buffer];
  const [d] = ppkNumbers(priv, 1) as [Buffer];
  const size = (point.length - 1) / 2;
  const scalar = Buffer.concat([Buffer.alloc(size), d]).subarray(-size);
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return {
    kty: 'EC',
    crv: curve,
    x: x.toString('base64url'),
    y: y.toString('base64url'),
    d: scalar.toString('base64url'),
  };
}

function openSshKey(text: string, passphrase: string): OpenedKey | null {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  // One key a file, though the format could have more.
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ssh2.ParsedKey | Error;
  if (!(key instanceof Error)) return { pem: key.getPrivatePEM(), blob: key.getPublicSSH() };
  if (/passphrase|integrity/i.test(key.message)) return null;
  throw new Error('the key file cannot be read', { cause: key });
}

/** null: the passphrase is wrong. Takes its time: a key file is meant to be slow to open. @throws {Error} In words. */
export function openKeyFile(text: string, passphrase: string): OpenedKey | null {
  if (OPENSSH.test(text)) return openSshKey(text, passphrase);
  if (!PPK.test(text)) return openPem(text, passphrase);
  const opened = openPpk(text, passphrase);
  if (opened === null) return null;
  const jwk = jwkOfPpk(opened.type, opened.publicBlob, opened.privateBlob);
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return { pem: key.export({ type: 'pkcs8', format: 'pem' }).toString(), blob: opened.publicBlob };
}
