/** Where readings go, one after the other: a file that is a whole document at any time, or a stream. */

import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { TimedValue } from './client-changes.ts';
import type { RecordFormat } from './client-formats.ts';

/** Where text goes. */
interface Sink {
  /** `tail`: what makes a whole document of it, as long as nothing follows. */
  append(text: string, tail: string): void;
  end(tail: string): void;
}

function writeAll(fd: number, text: string, at: number | null): number {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
  }
  return bytes.length;
}

/** The next text takes the tail's place: who kills the program, or looks meanwhile, finds a whole document. */
function fileSink(fd: number): Sink {
  let length = 0;
  let whole = '';
  return {
    append(text, tail) {
      try {
        writeAll(fd, text + tail, length);
      } catch (error) {
        // The disk is full: what was written before stays whole.
        ftruncateSync(fd, length);
        writeAll(fd, whole, length);
        throw error;
      }
      length += Buffer.byteLength(text);
      whole = tail;
    },
    end: () => closeSync(fd),
  };
}

function streamSink(write: (text: string) => void, close: () => void): Sink {
  return {
    append: (text) => write(text),
    end(tail) {
      if (tail !== '') write(tail);
      close();
    },
  };
}

/** Null: standard output. Throws when the file cannot be written. */
function openSink(file: string | null): Sink {
  if (file === null)
    return streamSink(
      (text) => process.stdout.write(text),
      () => undefined,
    );
  const fd = openSync(file, 'w');
  if (fstatSync(fd).isFile()) return fileSink(fd);
  // A pipe or a device has no places to write at.
  return streamSink(
    (text) => writeAll(fd, text, null),
    () => closeSync(fd),
  );
}

export class ReadingRecord {
  readonly #format: RecordFormat;
  readonly #sink: Sink;
  #count = 0;

  /** `file`: null is standard output. */
  constructor(format: RecordFormat, file: string | null) {
    this.#format = format;
    this.#sink = openSink(file);
    this.#sink.append(format.head, format.tail(0));
  }

  /** A reading in which nothing changed is left out. */
  add(values: readonly TimedValue[]): void {
    if (values.length === 0) return;
    this.#sink.append(this.#format.reading(values, this.#count), this.#format.tail(this.#count + 1));
    this.#count++;
  }

  end(): void {
    this.#sink.end(this.#format.tail(this.#count));
  }
}
