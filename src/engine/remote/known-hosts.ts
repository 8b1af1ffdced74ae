/** The known_hosts files of one host: which keys are to be expected of it, and new ones written down, as OpenSSH does. */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lowerCase } from './config/pattern.ts';
import { fingerprint, keyTypeOf } from './fingerprint.ts';
import { hashName, isAbout, parseKnownHostsLine, type KnownHostsEntry } from './known-hosts-line.ts';
import type { HostKeyName, HostKeys, HostKeyVerdict, KnownHostsLine, KnownKey } from './types.ts';

const DEFAULT_PORT = 22;
/** Largest file, in bytes: a site's list of 100,000 keys has 12 MiB. */
const MAX_FILE_BYTES = 32 << 20;
/** Problems that are told of one host's files. */
const MAX_PROBLEMS = 100;

export interface KnownHostsFiles {
  /** New keys are added to the first. */
  readonly user: readonly string[];
  readonly global: readonly string[];
  /** `HashKnownHosts`: new names are hashed. */
  readonly hash?: boolean;
}

interface Located extends KnownHostsEntry, KnownHostsLine {}

/** The name under which OpenSSH looks a host up: an alias as it is, the port only where it is not 22. */
export function nameOf({ hostname, port, alias }: HostKeyName): string {
  if (alias !== undefined) return lowerCase(alias);
  return lowerCase(port === DEFAULT_PORT ? hostname : `[${hostname}]:${port}`);
}

async function readFile(path: string): Promise<string> {
  // Not blocking: opening a FIFO would wait for a writer for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (path === '/dev/null') return '';
    if (!stat.isFile()) throw new Error('is not a file');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES >> 20} MiB`);
    const buffer = Buffer.alloc(stat.size);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    // Latin-1: a name is compared byte by byte, and a file may have any.
    return buffer.toString('latin1', 0, length);
  } finally {
    await handle.close();
  }
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `cannot be read (${code})`;
}

async function endsInLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

/** Lines are added one after another. */
let adding: Promise<unknown> = Promise.resolve();

/** For one attempt to connect: files are read at the first look-up and not again, but for what is added here. */
export class KnownHosts implements HostKeys {
  readonly #files: KnownHostsFiles;
  readonly #problems: string[] = [];
  #entries: Promise<Located[]> | undefined;

  constructor(files: KnownHostsFiles) {
    this.#files = files;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  #tell(text: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(text);
  }

  async #read(): Promise<Located[]> {
    const entries: Located[] = [];
    for (const file of new Set([...this.#files.user, ...this.#files.global])) {
      let text: string;
      try {
        text = await readFile(file);
      } catch (error) {
        // Most of the default files are not there.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#tell(`${file} ${wordsOf(error)}`);
        continue;
      }
      text.split('\n').forEach((line, index) => {
        const entry = parseKnownHostsLine(line);
        if (typeof entry === 'string') this.#tell(`${file} line ${index + 1} is passed over: ${entry}`);
        else if (entry !== undefined) entries.push({ ...entry, file, line: index + 1 });
      });
    }
    return entries;
  }

  async #about(name: string): Promise<Located[]> {
    this.#entries ??= this.#read();
    return (await this.#entries).filter((entry) => isAbout(entry, name));
  }

  async lookup(name: HostKeyName, key: Buffer): Promise<HostKeyVerdict> {
    const at = ({ file, line }: Located): KnownHostsLine => ({ file, line });
    const known = ({ file, line, keyType, key: blob }: Located): KnownKey => ({
      ...{ file, line, keyType, fingerprint: fingerprint(blob) },
    });
    const entries = await this.#about(nameOf(name));
    // OpenSSH accepts a key that is listed without the port. One that is revoked there is not taken for a new one either.
    const withPort = name.alias === undefined && name.port !== DEFAULT_PORT;
    const plain = withPort ? await this.#about(nameOf({ ...name, port: DEFAULT_PORT })) : [];
    const revoked = [...entries, ...plain].find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
    if (revoked !== undefined) return { kind: 'revoked', at: at(revoked) };
    const keys = entries.filter(({ marker }) => marker === 'none');
    const same = keys.find((entry) => entry.key.equals(key));
    if (same !== undefined) return { kind: 'known', at: at(same) };
    if (keys.length > 0) return { kind: 'changed', was: keys.map(known) };
    const others = plain.filter(({ marker }) => marker === 'none');
    const without = others.find((entry) => entry.key.equals(key));
    if (without !== undefined) return { kind: 'known', at: at(without) };
    const authority = entries.find(({ marker }) => marker === 'cert-authority');
    if (authority !== undefined) return { kind: 'needs-ca', at: at(authority) };
    return { kind: 'unknown', others: others.map(known) };
  }

  async knownTypes(name: HostKeyName): Promise<readonly string[]> {
    const entries = await this.#about(nameOf(name));
    return [...new Set(entries.filter(({ marker }) => marker === 'none').map(({ keyType }) => keyType))];
  }

  async hasAuthority(name: HostKeyName): Promise<boolean> {
    return (await this.#about(nameOf(name))).some(({ marker }) => marker === 'cert-authority');
  }

  /** Where it stands: another connection may have been told to write the same down a moment ago. */
  async add(name: HostKeyName, key: Buffer): Promise<KnownHostsLine> {
    const added = adding.then(async () => {
      const verdict = await new KnownHosts(this.#files).lookup(name, key);
      return verdict.kind === 'known' ? verdict.at : this.#add(name, key);
    });
    adding = added.catch(() => undefined);
    return added;
  }

  async #add(name: HostKeyName, key: Buffer): Promise<KnownHostsLine> {
    const [file] = this.#files.user;
    if (file === undefined) throw new Error('the configuration names no known_hosts file to add a key to');
    const keyType = keyTypeOf(key);
    if (keyType === undefined) throw new Error('this is no key');
    const host = nameOf(name);
    // In a list of patterns these would stand for other hosts, or for another line.
    if (!/^[!-~]+$/.test(host) || /^[@#]|[,*?!|"]/.test(host)) {
      throw new Error('a name like this cannot stand in a known_hosts file');
    }
    const hosts = this.#files.hash === true ? hashName(host, randomBytes(20)) : host;
    const text = `${hosts} ${keyType} ${key.toString('base64')}\n`;
    let line: number;
    try {
      line = await this.#append(file, text);
    } catch (error) {
      throw new Error(`${file} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'error'})`, {
        cause: error,
      });
    }
    const entry: Located = { marker: 'none', hosts, keyType, key: Buffer.from(key), file, line };
    (await this.#entries)?.push(entry);
    return { file, line };
  }

  /** Returns the line's number. */
  async #append(file: string, text: string): Promise<number> {
    // `~/.ssh` of somebody who never used ssh.
    await mkdir(dirname(file), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const handle = await open(
      file,
      constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK,
      0o600,
    );
    try {
      if (!(await handle.stat()).isFile()) throw new Error('not a file');
      // One write: another ssh may add a line at the same moment.
      await handle.appendFile((await endsInLine(handle)) ? text : `\n${text}`);
    } finally {
      await handle.close();
    }
    const lines = (await readFile(file)).split('\n');
    const at = lines.lastIndexOf(text.trimEnd());
    return at < 0 ? lines.length : at + 1;
  }
}
