/**
 * A database says its version twice, in `user_version` and in `application_id`: a changed byte in its header is so told
 * from a version that is not known here.
 */

import Database from 'better-sqlite3';
import { closeSync, openSync, readSync } from 'node:fs';
import { MIGRATIONS } from '../migrations/index.ts';

/** "Vg" in the upper two bytes. */
const MARK = 0x5667_0000;

export const applicationId = (version: number): number => MARK + version;

/** Those of the first versions say it once only. */
export function hasTwoVersions(db: Database.Database): boolean {
  const [version, id] = ['user_version', 'application_id'].map((name) => db.pragma(name, { simple: true }) as number);
  return id !== 0 && id !== applicationId(version!);
}

const SCHEMA = `SELECT type, name, tbl_name, sql FROM sqlite_schema
  WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name`;

/** Its tables are other ones than those of a version: each letter of the schema counts for how rows are read. */
export function hasOtherSchema(db: Database.Database, version: number): boolean {
  const model = new Database(':memory:');
  try {
    for (const step of MIGRATIONS.slice(0, version)) model.exec(step);
    return JSON.stringify(model.prepare(SCHEMA).raw().all()) !== JSON.stringify(db.prepare(SCHEMA).raw().all());
  } finally {
    model.close();
  }
}

/** Where a file says which version of SQLite's format may write it; with another than these it is opened to read only. */
const WRITE_VERSION = 18;
const WRITE_VERSIONS = [1, 2];

/** A changed byte in its header says that it must not be written. */
export function isMarkedReadOnly(path: string): boolean {
  const bytes = Buffer.alloc(WRITE_VERSION + 1);
  const fd = openSync(path, 'r');
  try {
    if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return false;
  } finally {
    closeSync(fd);
  }
  return !WRITE_VERSIONS.includes(bytes[WRITE_VERSION]!);
}
