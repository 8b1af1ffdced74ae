/** Files that come over HTTP to be imported: one after another, each first on the disk as a whole. */

import { createWriteStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImportReport, ImportState } from '../../shared/api/profiles.ts';
import { ApiError } from '../../shared/errors.ts';
import { formatSize } from '../../shared/size.ts';
import type { Store } from '../store/store.ts';
import { importFiles } from './files.ts';

/** Bytes of a file; files that wait. */
const MAX_FILE = 8 * 2 ** 30;
const MOST_WAITING = 16;
/** Reports that are kept of an import. */
const MOST_REPORTS = 100;
const PREFIX = 'vigie-import-';

const IDLE: ImportState = {
  ...{ state: 'idle', name: null, done: 0, total: null, imported: 0, known: 0, failed: 0 },
  ...{ reports: [], reason: null },
};

export class ImportDesk {
  readonly #store: Store;
  readonly #folder: string;
  #state: ImportState = IDLE;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  /** `data`: the engine's directory; null: it keeps everything in memory. */
  constructor(store: Store, data: string | null) {
    this.#store = store;
    this.#folder = data ?? tmpdir();
    // What an engine that was killed had not finished. Others may be at work in the common directory.
    if (data === null) return;
    for (const name of readdirSync(data)) {
      if (name.startsWith(PREFIX)) rmSync(join(data, name), { recursive: true, force: true });
    }
  }

  state(): ImportState {
    return this.#state;
  }

  /**
   * Resolves when the file is here as a whole; it is then imported behind those that wait. Errors: `overloaded`,
   * `payload_too_large`, `bad_request` when there is no room for it.
   */
  async take(name: string, body: Readable): Promise<ImportState> {
    if (this.#waiting >= MOST_WAITING) throw new ApiError('overloaded', 'many files wait to be imported; try again');
    this.#waiting++;
    let folder: string | null = null;
    try {
      folder = mkdtempSync(join(this.#folder, PREFIX));
      // What it is called there is no path here; how it ends tells what it is.
      const path = join(folder, name.endsWith('.trace') ? 'upload.trace' : 'upload');
      await pipeline(body, atMost(MAX_FILE), createWriteStream(path, { mode: 0o600, flags: 'wx' }));
      this.#begin(basename(name), path, folder);
      return this.#state;
    } catch (error) {
      this.#waiting--;
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      if (error instanceof ApiError) throw error;
      throw new ApiError('bad_request', `the file could not be kept for importing: ${(error as Error).message}`);
    }
  }

  #begin(name: string, path: string, folder: string): void {
    if (this.#state.state !== 'running') this.#state = { ...IDLE, state: 'running', name };
    this.#last = this.#last.then(async () => {
      try {
        await this.#import(name, path);
      } finally {
        this.#waiting--;
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  async #import(name: string, path: string): Promise<void> {
    this.#state = { ...IDLE, state: 'running', name };
    const count = (report: ImportReport): void => {
      const state = this.#state;
      const shown = { ...report, files: report.files.map((file) => (file === path ? name : file)) };
      this.#state = {
        ...state,
        done: state.done + 1,
        [report.outcome]: state[report.outcome] + 1,
        reports: state.reports.length < MOST_REPORTS ? [...state.reports, shown] : state.reports,
      };
    };
    try {
      const total = (runs: number): void => {
        this.#state = { ...this.#state, total: runs };
      };
      for await (const report of importFiles(this.#store, [path], { total })) count(report);
      const { imported, known, failed, reports } = this.#state;
      const nothing = imported + known === 0 && failed > 0;
      const reason = nothing ? (reports[0]?.notes[0] ?? 'nothing could be read') : null;
      this.#state = { ...this.#state, state: nothing ? 'failed' : 'done', reason };
    } catch (error) {
      this.#state = { ...this.#state, state: 'failed', reason: (error as Error).message.slice(0, 1000) };
    }
  }
}

function atMost(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen <= bytes) done(null, chunk);
      else done(new ApiError('payload_too_large', `a file to import may have ${formatSize(bytes)} at most`));
    },
  });
}
