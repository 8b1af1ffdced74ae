/**
 * A database with bytes changed: it opens, what can be read of it goes on, and the new one is whole. An input is a list
 * of changes, six bytes each: where (u32, modulo the length) and two bytes that are put there.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { isDamage } from '../../src/engine/store/errors.ts';
import { makeSmallStore, openInside } from '../support/small-store.ts';
import type { FuzzTarget } from './target.ts';

const CHANGE = 6;

let folder: string | null = null;
let whole: Buffer | null = null;

function prepare(): { data: string; bytes: Buffer } {
  folder ??= mkdtempSync(join(tmpdir(), 'vigie-fuzz-'));
  if (!whole) {
    makeSmallStore(join(folder, 'original'));
    whole = readFileSync(join(folder, 'original', 'vigie.sqlite'));
  }
  const data = join(folder, 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  return { data, bytes: Buffer.from(whole) };
}

/** A change of two bytes as text. */
const change = (at: number, a: number, b: number): string =>
  Buffer.from([at & 255, (at >> 8) & 255, (at >> 16) & 255, at >>> 24, a, b]).toString('latin1');

/** Null: what is damaged is where nobody looked when it was opened. It is told then, and mended at the next start. */
function runsOf(db: Database.Database): number | null {
  try {
    return db.prepare('SELECT count(*) FROM run').pluck().get() as number;
  } catch (error) {
    if (isDamage(error)) return null;
    throw error;
  }
}

export const database: FuzzTarget = {
  name: 'database',
  words: [
    ...[0, 16, 18, 24, 28, 36, 44, 52, 60, 68, 92, 96, 100, 101, 103, 105, 108].map((at) => change(at, 0xff, 0xff)),
    ...[1, 2, 3, 8, 16, 20, 25].map((page) => change(4096 * page, 0x0d, 0)),
    ...[2, 9, 17, 24].map((page) => change(4096 * page + 3, 0x7f, 0xff)),
    ...[5, 16, 20, 26].map((page) => change(4096 * page + 8, 0, 9)),
  ],
  check(input) {
    const changes = Buffer.from(Buffer.from(input).toString('utf8'), 'latin1');
    const { data, bytes } = prepare();
    for (let at = 0; at + CHANGE <= changes.length; at += CHANGE) {
      const place = changes.readUInt32LE(at) % (bytes.length - 1);
      changes.copy(bytes, place, at + 4, at + CHANGE);
    }
    writeFileSync(join(data, 'vigie.sqlite'), bytes);
    const { db, store, warnings } = openInside(data);
    try {
      const runs = runsOf(db);
      if (warnings.length === 0) return runs === null ? 'opened, and damage is met later' : 'opened';
      if (runs === null) throw new Error('the new one cannot be read');
      if (db.pragma('integrity_check', { simple: true }) !== 'ok') throw new Error('the new one is damaged');
      const text = warnings.map((warning) => /\(([^)]*)\)/.exec(warning)?.[1] ?? '').join();
      return `${text.replaceAll(/[\d]+/g, 'n').slice(0, 50)} ${runs}`;
    } finally {
      store.close();
    }
  },
  close() {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
    folder = whole = null;
    return Promise.resolve();
  },
};
