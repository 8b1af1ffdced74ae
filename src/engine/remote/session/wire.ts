/** The few encodings of SSH (RFC 4251) that keys and agents need. */

/** Reads strings of a blob; gives undefined where it ends too early. */
export class WireReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  uint32(): number | undefined {
    if (this.#at + 4 > this.#data.length) return undefined;
    this.#at += 4;
    return this.#data.readUInt32BE(this.#at - 4);
  }

  string(): Buffer | undefined {
    const length = this.uint32();
    if (length === undefined || this.#at + length > this.#data.length) return undefined;
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }
}

export function wireString(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** An unsigned number, big end first, as `mpint`: no zeros before it but the one that keeps it positive. */
export function wireNumber(value: Buffer): Buffer {
  let start = 0;
  while (start < value.length && value[start] === 0) start++;
  const bytes = value.subarray(start);
  return wireString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** The type that a key's blob begins with; '' when it is none. */
export function keyType(blob: Buffer): string {
  const type = new WireReader(blob).string();
  return type !== undefined && type.length <= 64 && /^[\x21-\x7e]+$/.test(type.toString('latin1'))
    ? type.toString('latin1')
    : '';
}
