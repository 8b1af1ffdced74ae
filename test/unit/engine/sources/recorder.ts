import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { refuseMetricName } from '../../../../src/shared/model/metric.ts';
import type { Roots, SourceWriter } from '../../../../src/engine/sources/source.ts';

export const FIXTURES = join(import.meta.dirname, '../../../fixtures/sources');

interface Written {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly doc: string;
  /** Null when never set, or cleared. */
  value: number | null;
}

/** Keeps what sources write, and refuses what no source may write. */
export class Recorder implements SourceWriter {
  readonly #written: Written[] = [];
  readonly #handles = new Map<string, number>();
  sets = 0;

  counter(name: string, doc: string): number {
    return this.#register('counter', name, doc);
  }

  gauge(name: string, doc: string): number {
    return this.#register('gauge', name, doc);
  }

  setCounter(handle: number, total: number): void {
    this.#set('counter', handle, total);
  }

  setGauge(handle: number, value: number): void {
    this.#set('gauge', handle, value);
  }

  clearGauge(handle: number): void {
    this.#at('gauge', handle).value = null;
  }

  /** The value under a name; undefined when there is no such series. */
  value(name: string): number | null | undefined {
    const handle = this.#handles.get(name);
    return handle === undefined ? undefined : this.#written[handle]!.value;
  }

  docs(): string[] {
    return this.#written.map((w) => w.doc);
  }

  names(): string[] {
    return [...this.#handles.keys()];
  }

  /** One line for each series, by name; `-` stands for no value. */
  text(): string {
    return this.#written
      .map((w) => `${w.kind.padEnd(7)} ${w.name} ${w.value ?? '-'}\n`)
      .sort((a, b) => (a.slice(8) < b.slice(8) ? -1 : 1))
      .join('');
  }

  #register(kind: Written['kind'], name: string, doc: string): number {
    const refused = refuseMetricName(name);
    if (refused !== null) throw new Error(`${refused}: ${JSON.stringify(name)}`);
    const known = this.#handles.get(name);
    if (known !== undefined) {
      this.#at(kind, known);
      return known;
    }
    this.#handles.set(name, this.#written.length);
    return this.#written.push({ kind, name, doc, value: null }) - 1;
  }

  #at(kind: Written['kind'], handle: number): Written {
    const written = this.#written[handle];
    if (written?.kind !== kind) throw new Error(`handle ${handle} is no ${kind}`);
    return written;
  }

  #set(kind: Written['kind'], handle: number, value: number): void {
    const written = this.#at(kind, handle);
    if (!Number.isFinite(value) || value < 0) throw new Error(`${written.name} set to ${value}`);
    if (/_percent/.test(written.name) && value > 100) throw new Error(`${written.name} set to ${value}`);
    written.value = value;
    this.sets++;
  }
}

/** Files by path, and the folders that are gone at this moment. */
interface Packed {
  readonly files: ReadonlyMap<string, string>;
  readonly gone: readonly string[];
}

/**
 * A moment of a tree in one text: `>>> PATH` begins a file, `<<< PATH` says that a folder is gone. For /sys, which has a
 * file for each number, and names that not every system allows.
 */
function unpack(name: string, moment: 't0' | 't1'): Packed {
  const files = new Map<string, string>();
  const gone: string[] = [];
  const path = join(FIXTURES, name, `${moment}.txt`);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  for (const part of text.split(/^(?=>>> |<<< )/m).filter(Boolean)) {
    const end = part.indexOf('\n');
    const file = part.slice(4, end);
    if (part.startsWith('<')) gone.push(file);
    else files.set(file, part.slice(end + 1));
  }
  return { files, gone };
}

/** One file of a moment that is kept in one text. */
export function packed(name: string, moment: 't0' | 't1', file: string): Uint8Array {
  const content = unpack(name, moment).files.get(file);
  if (content === undefined) throw new Error(`${name} has no ${file} at ${moment}`);
  return Buffer.from(content);
}

/** A copy of a tree under the fixtures, to be changed while sources hold its files open. */
export interface Tree {
  readonly roots: Roots;
  readonly path: string;
  /** Seconds between the two moments. */
  readonly seconds: number;
  /** Goes on to the tree's second moment. */
  advance(): void;
  write(file: string, content: string | Uint8Array): void;
  /** Takes a folder away. */
  drop(folder: string): void;
  remove(): void;
}

export function openTree(name: string): Tree {
  const path = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
  const from = join(FIXTURES, name);
  if (existsSync(join(from, 't0'))) cpSync(join(from, 't0'), path, { recursive: true });
  // Written in place, so that an open file shows its new content at the next read, as those of the kernel do.
  const write = (file: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  };
  const drop = (folder: string): void => {
    // Emptied first: of what the kernel took away, open files tell nothing any more.
    for (const file of readdirSync(join(path, folder), { recursive: true, encoding: 'utf8' })) {
      if (statSync(join(path, folder, file)).isFile()) write(join(folder, file), '');
    }
    rmSync(join(path, folder), { recursive: true });
  };
  for (const [file, content] of unpack(name, 't0').files) write(file, content);
  return {
    roots: { proc: join(path, 'proc'), sys: join(path, 'sys') },
    path,
    seconds: Number(readFileSync(join(from, 'seconds'), 'utf8')),
    advance() {
      const later = join(from, 't1');
      const files = existsSync(later) ? readdirSync(later, { recursive: true, encoding: 'utf8' }) : [];
      for (const file of files) {
        if (statSync(join(later, file)).isFile()) write(file, readFileSync(join(later, file)));
      }
      const { files: inText, gone } = unpack(name, 't1');
      for (const [file, content] of inText) write(file, content);
      for (const folder of gone) drop(folder);
    },
    drop,
    write,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const fixture = (file: string): Uint8Array => readFileSync(join(FIXTURES, file));

/** Compares with the file, or writes it when UPDATE_GOLDEN is set. Returns what the file should hold. */
export function golden(file: string, text: string): string {
  const path = join(FIXTURES, file);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
