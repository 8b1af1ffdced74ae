/** A client of ssh-agent by its socket: lists keys as they are, those that the built-in SSH cannot use included. */

import net from 'node:net';

import { keyType, wireString, WireReader } from './wire.ts';

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** As OpenSSH: an answer is not longer. */
const MOST_BYTES = 256 * 1024;
const MOST_KEYS = 2048;

export interface AgentKey {
  readonly blob: Buffer;
  readonly type: string;
  readonly comment: string;
}

function request(socketPath: string, payload: Buffer, ms: number, signal?: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath });
    let got = Buffer.alloc(0);
    const finish = (error: Error | null, answer?: Buffer): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      socket.destroy();
      if (error !== null || answer === undefined) reject(error ?? new Error('the agent gave no answer'));
      else resolve(answer);
    };
    const stop = (): void => finish(new Error('cancelled'));
    const timer = setTimeout(() => finish(new Error('the agent does not answer')), ms);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) return stop();
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const none = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      finish(new Error(none ? 'no agent listens there' : error.message));
    });
    socket.on('close', () => finish(new Error('the agent closed the connection')));
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      const length = got.length >= 4 ? got.readUInt32BE(0) : 0;
      if (length > MOST_BYTES || got.length > MOST_BYTES + 4) finish(new Error('the answer of the agent is too long'));
      else if (length > 0 && got.length >= length + 4) finish(null, got.subarray(4, length + 4));
    });
    socket.on('connect', () => socket.write(wireString(payload)));
  });
}

/** @throws {Error} When there is no agent, or it does not answer; the message says which, the caller says where. */
export async function listAgent(socketPath: string, signal?: AbortSignal, ms = 10_000): Promise<AgentKey[]> {
  const answer = await request(socketPath, Buffer.of(REQUEST_IDENTITIES), ms, signal);
  const reader = new WireReader(answer.subarray(1));
  const count = reader.uint32();
  if (answer[0] !== IDENTITIES_ANSWER || count === undefined || count > MOST_KEYS) {
    throw new Error('the agent will not list its keys: it may be locked');
  }
  const keys: AgentKey[] = [];
  for (let i = 0; i < count; i++) {
    const [blob, comment] = [reader.string(), reader.string()];
    if (blob === undefined || comment === undefined) throw new Error('the agent answers with something else than keys');
    keys.push({ blob, type: keyType(blob), comment: comment.toString() });
  }
  return keys;
}

/** Of `SSH_AGENTC_SIGN_REQUEST`: which hash an RSA key signs with. */
const FLAGS: Readonly<Record<string, number>> = { sha256: 2, sha512: 4 };

/**
 * The signature alone, without the name of its algorithm. It may take long: an agent may ask its user.
 *
 * @throws {Error} When the agent refuses.
 */
export async function signWithAgent(
  socketPath: string,
  blob: Buffer,
  data: Buffer,
  hash: string | undefined,
  signal?: AbortSignal,
  ms = 120_000,
): Promise<Buffer> {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(hash === undefined ? 0 : (FLAGS[hash] ?? 0));
  const payload = Buffer.concat([Buffer.of(SIGN_REQUEST), wireString(blob), wireString(data), flags]);
  const answer = await request(socketPath, payload, ms, signal);
  const signed = answer[0] === SIGN_RESPONSE ? new WireReader(answer.subarray(1)).string() : undefined;
  const reader = signed === undefined ? undefined : new WireReader(signed);
  reader?.string();
  const signature = reader?.string();
  if (signature === undefined) throw new Error('the agent refused to sign');
  return signature;
}
