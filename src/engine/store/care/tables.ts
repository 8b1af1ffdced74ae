/**
 * What a row of each table must be. SQLite says whether its pages hang together; whether a row means anything is looked
 * at here: types, checksums of blocks, frames that decode, JSON that fits.
 */

import type Database from 'better-sqlite3';
import { z } from 'zod';
import { AlarmEvent } from '../../../shared/api/alarms.ts';
import { AuditEntry } from '../../../shared/api/audit.ts';
import { Exits, Profile } from '../../../shared/api/profiles.ts';
import { Run } from '../../../shared/api/runs.ts';
import { decodeFrame } from '../../../shared/frame.ts';
import { scopeKind } from '../../../shared/model/scope.ts';
import { Block } from '../block/index.ts';
import { frameTime, unpackTail } from '../tail.ts';
import type { SqlValue } from './pages.ts';

export type Row = Readonly<Record<string, SqlValue>>;

interface Column {
  readonly name: string;
  /** As declared: INTEGER, REAL, TEXT or BLOB. */
  readonly type: string;
  readonly nullable: boolean;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Its first column is the row's number, which is not among the stored values. */
  readonly numbered: boolean;
  readonly withoutRowid: boolean;
}

/** All tables of a database, as its schema has them. */
export function tablesOf(db: Database.Database): Table[] {
  const found = db.pragma('table_list') as { schema: string; name: string; type: string; wr: number }[];
  return found
    .filter(({ schema, name, type }) => schema === 'main' && type === 'table' && !name.startsWith('sqlite_'))
    .map(({ name, wr }): Table => {
      const info = db.pragma(`table_info("${name}")`) as { name: string; type: string; notnull: number; pk: number }[];
      const keys = info.filter(({ pk }) => pk > 0);
      return {
        name,
        columns: info.map((each) => ({ name: each.name, type: each.type, nullable: !each.notnull && !each.pk })),
        numbered: wr === 0 && keys.length === 1 && keys[0]!.type === 'INTEGER',
        withoutRowid: wr === 1,
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const TYPES: Readonly<Record<string, (value: SqlValue) => boolean>> = {
  INTEGER: Number.isSafeInteger,
  REAL: (value) => typeof value === 'number',
  TEXT: (value) => typeof value === 'string',
  BLOB: (value) => value instanceof Uint8Array,
};

/** What is wrong with a row, for people; null: nothing. */
export function faultOf(table: Table, row: Row): string | null {
  for (const { name, type, nullable } of table.columns) {
    const value = row[name] ?? null;
    if (value === null ? !nullable : !TYPES[type]?.(value)) return `${name} is no ${type}`;
  }
  try {
    return CHECKS[table.name]?.(row) ?? null;
  } catch (error) {
    return (error as Error).message;
  }
}

const CardAbout = z.object({ user: z.string(), exits: Exits });
const StoredMarks = z.object({
  tags: z.array(z.string()),
  note: z.string(),
  baseline: z.boolean(),
  deleted: z.number().nullable(),
});

/** Checks by table. They may throw, and may take for granted that the types are right. */
const CHECKS: Readonly<Record<string, (row: Row) => string | null>> = {
  engine: ({ id, epochs }) =>
    /^[0-9a-f]{32}$/.test(id as string) && (epochs as number) >= 0 ? null : 'it is no engine',
  scope: ({ name, epoch }) =>
    scopeKind(name as string) !== null && (epoch as number) >= 0 ? null : 'its name is none of a scope',
  // Before blocks, names stood here.
  series: ({ kind, place }) => ([0, 1, 'counter', 'gauge'].includes(kind as number) ? isPlace(place) : 'of no kind'),
  old_series: ({ kind, place }) => (kind === 'counter' || kind === 'gauge' ? isPlace(place) : 'of no kind'),
  frame: ({ time, bytes }) => {
    decodeFrame(bytes as Uint8Array);
    return frameTime(bytes as Uint8Array) === time ? null : 'its frame is of another time';
  },
  tail: ({ bytes }) => tailFault(bytes as Uint8Array),
  block: (row) => blockFault(row),
  run: ({ id, body }) => {
    const run = json(Run, body);
    return run.id === id ? null : 'it is of another run';
  },
  profile: ({ run, body }) => (json(Profile, body).run.id === run ? null : 'it is of another run'),
  card: ({ about, duration }) => {
    json(CardAbout, about);
    return (duration as number) >= -1 ? null : 'its duration cannot be';
  },
  mark: ({ body }) => {
    json(StoredMarks, body);
    return null;
  },
  audit: ({ body }) => {
    json(AuditEntry, body);
    return null;
  },
  alarm_record: ({ body }) => {
    JSON.parse(body as string);
    return null;
  },
  alarm_event: ({ number, body }) => (json(AlarmEvent, body).number === number ? null : 'it is of another event'),
};

const isPlace = (place: SqlValue | undefined): string | null => ((place as number) >= 0 ? null : 'it has no place');

const decoder = new TextDecoder('utf-8', { fatal: true });

function json<T>(schema: z.ZodType<T>, body: SqlValue | undefined): T {
  const text = typeof body === 'string' ? body : decoder.decode(body as Uint8Array);
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new Error(`${path.join('.')}: ${message}`);
}

function tailFault(bytes: Uint8Array): string | null {
  let frames = 0;
  for (const frame of unpackTail(bytes)) {
    decodeFrame(frame.bytes);
    frames++;
  }
  const told = bytes.byteLength < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return frames === told ? null : 'it has fewer frames than it says';
}

function blockFault({ scope, tier, first, last, rows, size, bytes }: Row): string | null {
  const block = Block.open(bytes as Uint8Array);
  if (block.identity.scope !== scope || block.shape.tier !== tier) return 'its block is another one';
  if (block.rows !== rows || (bytes as Uint8Array).byteLength !== size) return 'its block has another size';
  // What a clock that was set back left behind may be cut off; buckets begin before their first sample, or at it.
  const begins = tier === 0 ? block.first === first : (first as number) <= block.first;
  return begins && (tier !== 0 || (last as number) <= block.last) ? null : 'its block is of another time';
}
