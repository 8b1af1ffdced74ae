/** Which keys a host is offered, in OpenSSH's order: agents, then files; and which ones only `ssh` itself can use. */

import { readFile, stat } from 'node:fs/promises';

import type { ResolvedHost } from '../types.ts';
import { listAgent, signWithAgent, type AgentKey } from './agent.ts';
import { keyFileFacts, openKeyFile, type KeyFileFacts } from './key-file.ts';
import { signWithKey, type HeldKey, type KeyRing } from './key-ring.ts';
import { unlockKey } from './unlock.ts';
import { keyType } from './wire.ts';

/** A key file is not longer; whatever else a path leads to is not read into memory. */
const MOST_BYTES = 256 * 1024;
const PASSPHRASE_TRIES = 3;
const USABLE = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/;

/** Asks for a file's passphrase; null: not this key. `failed` counts the wrong ones before. */
export type AskPassphrase = (file: string, failed: number, signal: AbortSignal) => Promise<string | null>;

export interface OfferedKey {
  /** For the log: `the agent's key NAME`, `the key file PATH`. */
  readonly label: string;
  /** The public part; a file that hides it is opened for it. null: it cannot be had. */
  blob(signal: AbortSignal): Promise<Buffer | null>;
  /** @throws {Error} When it cannot: the next key is tried. */
  sign(data: Buffer, hash: string | undefined, signal: AbortSignal): Promise<Buffer>;
}

export interface Identities {
  readonly keys: readonly OfferedKey[];
  /** Certificates that the configuration names or that lie beside a key, in words. */
  readonly certificates: readonly string[];
  /** Keys on security devices, and certificates in the agent, in words. */
  readonly hardware: readonly string[];
  /** What could not be read, in words. */
  readonly problems: readonly string[];
}

export interface IdentityOptions {
  readonly ring: KeyRing;
  readonly askPassphrase: AskPassphrase;
  readonly authSocket: string | undefined;
  /** An agent that hangs is not waited for when nobody wants the connection any more. */
  readonly signal: AbortSignal;
}

interface KeyFile {
  readonly path: string;
  readonly text: string;
  /** null: the file has a public key only, its private part is in an agent. */
  readonly facts: KeyFileFacts | null;
  readonly blob: Buffer | null;
}

async function readBounded(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    // A pipe or a device has no end.
    return !found.isFile() || found.size > MOST_BYTES ? null : await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** The blob of a line as a `.pub` file has it. */
function publicLine(text: string): Buffer | null {
  const [type, base64] = text.trim().split(/\s+/);
  if (type === undefined || base64 === undefined) return null;
  const blob = Buffer.from(base64, 'base64');
  return keyType(blob) === type ? blob : null;
}

async function readKeyFile(path: string): Promise<KeyFile | null> {
  const text = await readBounded(path);
  if (text === null) {
    // As OpenSSH: the private part may be in the agent alone, and `.pub` says which one is meant.
    const pub = await readBounded(`${path}.pub`).catch(() => null);
    const blob = pub === null ? null : publicLine(pub);
    return blob === null ? null : { path, text: '', facts: null, blob };
  }
  const own = publicLine(text);
  if (own !== null) return { path, text: '', facts: null, blob: own };
  const facts = keyFileFacts(text);
  if (facts.blob !== undefined) return { path, text, facts, blob: facts.blob };
  const pub = await readBounded(`${path}.pub`).catch(() => null);
  return { path, text, facts, blob: pub === null ? null : publicLine(pub) };
}

/** Opened once, when the host says that it would take it: until then nobody is asked for a passphrase. */
function fileKey({ path, text, facts, blob }: KeyFile, options: IdentityOptions): OfferedKey {
  const open = async (signal: AbortSignal): Promise<HeldKey> => {
    const held = options.ring.get(path);
    if (held !== undefined) return held;
    if (facts?.encrypted !== true) {
      const opened = openKeyFile(text, '');
      if (opened === null) throw new Error('the key file cannot be read');
      return options.ring.add(path, opened);
    }
    for (let failed = 0; failed < PASSPHRASE_TRIES; failed++) {
      const passphrase = await options.askPassphrase(path, failed, signal);
      if (passphrase === null) throw new Error('no passphrase was given');
      const opened = await unlockKey(text, passphrase, signal);
      if (opened !== null) return options.ring.add(path, opened);
    }
    throw new Error(`the passphrase was wrong ${PASSPHRASE_TRIES} times`);
  };
  return {
    label: `the key file ${path}`,
    blob: async (signal) => blob ?? (await open(signal)).blob,
    sign: async (data, hash, signal) => {
      const held = await open(signal);
      return signWithKey(held, keyType(held.blob), data, hash);
    },
  };
}

function agentKey(socket: string, { blob, comment }: AgentKey): OfferedKey {
  return {
    label: `the agent's key ${comment}`,
    blob: () => Promise.resolve(blob),
    sign: (data, hash, signal) => signWithAgent(socket, blob, data, hash, signal),
  };
}

function agentSocket(host: ResolvedHost, authSocket: string | undefined): string | undefined {
  if (host.identityAgent === undefined || host.identityAgent === 'SSH_AUTH_SOCK') return authSocket;
  return host.identityAgent === 'none' ? undefined : host.identityAgent;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

async function listAgentKeys(socket: string | undefined, problems: string[], signal: AbortSignal): Promise<AgentKey[]> {
  if (socket === undefined || socket === '') return [];
  try {
    return await listAgent(socket, signal);
  } catch (error) {
    problems.push(`the agent at ${socket} is left out: ${(error as Error).message}`);
    return [];
  }
}

/** Reads the configured files and asks the agent; asks nobody for anything yet. */
export async function findIdentities(host: ResolvedHost, options: IdentityOptions): Promise<Identities> {
  const problems: string[] = [];
  const certificates: string[] = [];
  const hardware: string[] = [];
  if (!host.pubkeyAuthentication) return { keys: [], certificates, hardware, problems };
  for (const file of host.certificateFiles) if (await exists(file)) certificates.push(`the certificate ${file}`);
  const files: KeyFile[] = [];
  for (const path of new Set(host.identityFiles)) {
    try {
      const file = await readKeyFile(path);
      if (file === null) continue;
      const type = file.blob === null ? '' : keyType(file.blob);
      if (await exists(`${path}-cert.pub`)) certificates.push(`the certificate ${path}-cert.pub`);
      if (type !== '' && !USABLE.test(type)) hardware.push(`the key file ${path} (${type})`);
      else files.push(file);
    } catch (error) {
      problems.push(`the key file ${path} is left out: ${(error as Error).message}`);
    }
  }
  const socket = agentSocket(host, options.authSocket);
  const all = await listAgentKeys(socket, problems, options.signal);
  const listed = (blob: Buffer): boolean => files.some((file) => file.blob?.equals(blob) === true);
  const wanted = all.filter(({ blob }) => !host.identitiesOnly || listed(blob));
  const usable = wanted.filter(({ type }) => USABLE.test(type));
  for (const { type, comment } of wanted) {
    if (!USABLE.test(type)) hardware.push(`the agent's key ${comment} (${type})`);
  }
  const inAgent = (file: KeyFile): AgentKey | undefined => usable.find(({ blob }) => file.blob?.equals(blob) === true);
  const first = files.map(inAgent).filter((key) => key !== undefined);
  const others = usable.filter((key) => !first.includes(key));
  const rest = files.filter((file) => file.facts !== null && inAgent(file) === undefined);
  const ofAgent = [...first, ...others].map((key) => agentKey(socket ?? '', key));
  return { keys: [...ofAgent, ...rest.map((file) => fileKey(file, options))], certificates, hardware, problems };
}
