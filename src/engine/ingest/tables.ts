/**
 * The shared tables of this engine's clients. Each is read once per tick and counts like a legacy client that sends what
 * grew; a table lives as long as its connection or its process. The last values taken are stored with the samples that
 * they gave, so that the next start goes on from there; a table's file stays until its last values are stored.
 */

import { z } from 'zod';
import type { ScopeId } from '../../shared/model/scope.ts';
import { useCompilers } from '../compilers.ts';
import type { TableState } from '../store/store.ts';
import { Client, type ClientHost } from './client.ts';
import { ClientJob } from './launch.ts';
import { decodeMark, encodeMark, type Mark } from './marks.ts';
import { MAX_DOC, type Reason } from './messages.ts';
import { escapedName, hashBytes } from './names.ts';
import { isOwn, ProcessUsage, usageFamily, type Measured, type ProcessId } from './process-usage.ts';
import { listTables, openTable, tableDirectories, type TableFile } from './table-file.ts';
import { TableReader, type TableSink, type World } from './table.ts';

/** Bytes of all tables together: they are copied once per tick. */
const MAX_BYTES = 1024 ** 3;
/** A process closes its connection a little before it is gone; then it is looked at again, after so many ms. */
const LOOK_AGAIN = 50;
/** Files that nobody announces are looked for: clients of an engine that was restarted come within 2 s. In ms. */
const FIRST_SWEEP = 5000;
const SWEEP_EVERY = 60_000;
/**
 * Those that the store does not know may be another engine's of this user, which is down for a while, or their announce
 * waits in the socket: they are left alone for so long after they were first seen without a process. In ms.
 */
const UNKNOWN_FOR = 3_600_000;
/** A reader that asks for values of now has them read again after so many ms at the earliest. */
const REFRESH_AFTER = 10;
/** And so that no more than this part of the time goes into it. */
const REFRESH_SHARE = 0.1;
/** Files that wait for the store. */
const MAX_LEAVING = 4096;

const Announce = z.object({
  table: z
    .string()
    .max(1024)
    .regex(/^\/[^\0]*$/),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  job: ClientJob.omit({ goodbye: true }).nullable(),
  /** Whoever counts is a tracer of this process: pid and start time. What is none of it is not known. */
  traced: z
    .string()
    .regex(/^\d{1,10}-\d{1,20}$/)
    .optional()
    .catch(''),
});

export interface TablesOptions {
  readonly host: ClientHost;
  /** Where tables may lie. */
  readonly directories?: readonly string[];
  /** What the last start stored of its tables. */
  readonly states?: readonly TableState[];
  /** Everything up to this time is stored, ms since the epoch; absent: nothing is, or needs to be. */
  readonly durableUntil?: () => number;
}

/** Connection of a table's client. */
export interface TableConnection {
  destroy(): void;
}

/** What a table's values count as. */
interface Counting {
  reader: TableReader;
  client: Client;
  sink: ClientSink;
  /** With the rank that the program has said, when its launcher said none. */
  job: TableJob | null;
}

interface Table extends Counting {
  readonly file: TableFile;
  /** As it was announced. */
  readonly announced: TableJob | null;
  /** Null: it has closed, and the process was still there. */
  connection: TableConnection | null;
  /** Null: the process is not looked at. */
  measured: Measured | null;
}

type TableJob = Omit<ClientJob, 'goodbye'>;

/** A table that has ended, and what is left to do. */
interface Leaving {
  readonly nonce: string;
  readonly scope: ScopeId;
  /** Its last values are in a frame of this time; null: not yet. */
  stored: number | null;
  readonly path: string;
  readonly file: TableFile;
}

/** Takes a table's values as a client. */
class ClientSink implements TableSink {
  readonly #client: Client;
  readonly #host: ClientHost;
  /** The run has what this client counted before the engine started. */
  readonly #goesOn: boolean;
  /** Something was taken since its values were last stored. */
  changed = true;
  /** Families that the engine would give for the process, and the program gives itself. */
  readonly owns = new Set<string>();

  constructor(client: Client, host: ClientHost, goesOn: boolean) {
    this.#client = client;
    this.#host = host;
    this.#goesOn = goesOn;
  }

  describe(name: string, doc: string, kind: 'counter' | 'gauge'): number {
    const own = usageFamily(name);
    if (own !== null) this.owns.add(own);
    const refused = this.#client.message({ type: 'desc', name, doc: doc.slice(0, MAX_DOC).toWellFormed(), kind });
    if (refused) {
      this.#host.stats.reject(refused);
      return -1;
    }
    const bytes = escapedName(name);
    const entry = this.#client.names?.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length)) ?? -1;
    return entry < 0 ? -1 : this.#client.handleOf(entry);
  }

  counters(handles: Int32Array, increases: Float64Array, count: number): void {
    this.changed = true;
    const refused = this.#client.counters(handles, increases, count);
    for (let i = 0; i < refused; i++) this.#host.stats.reject('sum_overflow');
  }

  resume(handle: number, total: number): void {
    if (this.#goesOn) this.#client.resume(handle, total);
  }

  gauge(handle: number, min: number, max: number, hits: number, total: number): void {
    this.#note(this.#client.gauge(handle, min, max, hits, total));
  }

  #note(refused: Reason | null): void {
    if (refused) this.#host.stats.reject(refused);
  }
}

export class Tables {
  readonly #options: TablesOptions;
  readonly #directories: readonly string[];
  readonly #tables = new Map<string, Table>();
  /** Of the last start, by nonce: what nobody has announced again yet. */
  readonly #states = new Map<string, TableState>();
  readonly #leaving = new Map<string, Leaving>();
  readonly #usage: ProcessUsage;
  /** Rows of the store that belong to no file any more. */
  #forgotten: string[] = [];
  #bytes = 0;
  #nextSweep = performance.now() + FIRST_SWEEP;
  /** Tables without a process that the store does not know, by nonce: when they were first seen. */
  #unknown = new Map<string, number>();
  #nextRefresh = 0;

  constructor(options: TablesOptions) {
    this.#options = options;
    this.#directories = options.directories ?? tableDirectories();
    this.#usage = new ProcessUsage(options.host.stats);
    for (const state of options.states ?? []) this.#states.set(state.nonce, state);
  }

  /**
   * A client announces its table, in JSON. Returns why it is refused, or what to call when the connection has closed.
   */
  announce(text: string, connection: TableConnection): Reason | (() => void) {
    const answer = this.#announce(text, connection);
    if (typeof answer === 'string') this.#options.host.stats.reject(answer);
    return answer;
  }

  #announce(text: string, connection: TableConnection): Reason | (() => void) {
    const asked = parse(text);
    if (asked === null) return 'announce_malformed';
    const { table: path, nonce } = asked;
    const known = this.#tables.get(nonce);
    const table = known?.file.path === path ? known : this.#open(asked);
    if (typeof table === 'string') return table;
    // Whoever knows the nonce is the same client, whose earlier connection is not known to be closed yet.
    const earlier = table.connection;
    table.connection = connection;
    earlier?.destroy();
    return () => this.#closed(nonce, table, connection);
  }

  #open({ table: path, nonce, job, traced }: z.output<typeof Announce>): Table | Reason {
    const { host } = this.#options;
    if (this.#tables.has(nonce) || this.#leaving.has(nonce)) return 'table_invalid';
    if (this.#tables.size >= host.budget.limits.connections || this.#bytes >= MAX_BYTES) return 'too_many_tables';
    const file = openTable(path, nonce, this.#directories);
    if (typeof file === 'string') return file;
    const mark = job && this.#mark(nonce);
    const table = this.#join(file, job, mark);
    if (typeof table === 'string') return table;
    this.#measure(table, mark, traced);
    this.#states.delete(nonce);
    this.#tables.set(nonce, table);
    this.#bytes += table.reader.size;
    host.stats.tables++;
    // Its values come with the ticks, not with bytes on a connection.
    useCompilers();
    return table;
  }

  #mark(nonce: string): Mark | null {
    const state = this.#states.get(nonce)?.state;
    return state ? decodeMark(state) : null;
  }

  /** Begins to read; a mark tells how far an earlier engine came. */
  #join(file: TableFile, announced: TableJob | null, mark: Mark | null): Table | Reason {
    const counting = this.#count(file, withRank(announced, file.header.world), mark, mark);
    if (typeof counting !== 'string') return { file, announced, ...counting, connection: null, measured: null };
    file.close();
    return counting;
  }

  /** `traced`: the process that the table's own one traces; absent: none; empty: not known. */
  #measure(table: Table, mark: Mark | null, traced?: string): void {
    const [pid, startTime] = traced?.split('-') ?? [];
    const other = pid === undefined || startTime === undefined ? null : { pid, startTime };
    if (traced !== undefined && (other === null || !isOwn(other))) return;
    const process: ProcessId = other ?? table.file.header;
    // One that was attached to has run for long; what an earlier engine did not say it had is not counted twice.
    const before = mark?.run === table.client.run?.id ? (mark?.cpu ?? 'now') : other ? 'now' : 'start';
    table.measured = this.#usage.add(table, process, before);
  }

  /** `taken`: what the run has of the table already. */
  #count(
    file: TableFile,
    job: TableJob | null,
    before: Mark | null,
    taken: Pick<Mark, 'run' | 'values'> | null,
  ): Counting | Reason {
    const { host } = this.#options;
    const client = new Client(host);
    const refused = job && client.begin(job, before);
    if (refused) {
      client.close();
      return refused;
    }
    const sink = new ClientSink(client, host, taken !== null && client.run?.id === taken.run);
    const reader = new TableReader(file.readAt, sink, taken?.values);
    if (reader.read()) return { reader, client, sink, job };
    client.close();
    return 'table_invalid';
  }

  /** The program has said its rank: what it counted before goes along. */
  #say(table: Table): void {
    const { reader, client, announced } = table;
    const job = withRank(announced, reader.world);
    if (job === null || job.rank === table.job?.rank || client.run === null) return;
    table.job = job;
    // For a moment it is there twice.
    const { budget } = this.#options.host;
    if (budget.rankValues + reader.entries > budget.limits.rank_values) return;
    const next = this.#count(table.file, job, null, { run: client.run.id, values: reader.marks() });
    if (typeof next === 'string') return;
    reader.forEachCounter((handle, total) => client.giveUp(handle, total));
    if (table.measured) this.#usage.move(table.measured, next);
    client.replaceBy(next.client);
    this.#bytes += next.reader.size - reader.size;
    Object.assign(table, next);
  }

  /** Reads all tables. Once per tick. */
  read(): void {
    for (const [nonce, table] of this.#tables) {
      if (table.connection === null && !this.#lives(table)) this.#end(nonce, table);
      else this.#readOne(nonce, table);
    }
    this.#usage.sample();
    this.#removeFiles();
    if (performance.now() >= this.#nextSweep) this.sweep();
  }

  /**
   * Somebody asks for values of now, between two ticks. However often: the tables are read every 10 ms, and for a tenth
   * of the time, at most.
   */
  refresh(): void {
    const now = performance.now();
    if (this.#tables.size === 0 || now < this.#nextRefresh) return;
    for (const [nonce, table] of this.#tables) this.#readOne(nonce, table);
    const took = performance.now() - now;
    this.#nextRefresh = now + Math.max(REFRESH_AFTER, took / REFRESH_SHARE);
  }

  #readOne(nonce: string, table: Table): void {
    if (this.#look(table)) return;
    this.#options.host.stats.reject('table_invalid');
    this.#end(nonce, table);
  }

  #look(table: Table, all = false): boolean {
    const before = table.reader.size;
    const valid = table.reader.read(all);
    this.#bytes += table.reader.size - before;
    if (valid) this.#say(table);
    return valid;
  }

  #lives(table: Table): boolean {
    return !table.reader.left && table.file.alive;
  }

  #closed(nonce: string, table: Table, connection: TableConnection): void {
    if (this.#tables.get(nonce) !== table || table.connection !== connection) return;
    table.connection = null;
    // The state is in the table.
    this.#look(table);
    if (!this.#lives(table)) return this.#end(nonce, table);
    if (table.measured) this.#usage.look(table.measured);
    setTimeout(() => {
      const here = this.#tables.get(nonce) === table && table.connection === null;
      if (here && !this.#lives(table)) this.#end(nonce, table);
    }, LOOK_AGAIN).unref();
  }

  /** The last look; then the client is gone, and so is its table. */
  #end(nonce: string, table: Table): void {
    this.#look(table, true);
    const { client, file, measured } = table;
    if (measured) this.#usage.end(measured, file.lastWords());
    this.#tables.delete(nonce);
    const { run } = client;
    if (run === null || this.#options.durableUntil === undefined) {
      file.remove();
      file.close();
    } else this.#leave({ nonce, scope: run.scope.id, path: file.path, file, stored: null });
    // After that: a frame that is made because the last client of a run leaves has its last values.
    this.#drop(table);
    table.connection?.destroy();
  }

  #leave(leaving: Leaving): void {
    for (const [nonce, { file }] of this.#leaving) {
      if (this.#leaving.size < MAX_LEAVING) break;
      file.remove();
      file.close();
      this.#leaving.delete(nonce);
    }
    this.#leaving.set(leaving.nonce, leaving);
  }

  /** Files of tables whose last values are stored. */
  #removeFiles(): void {
    const until = this.#options.durableUntil?.() ?? Infinity;
    for (const [nonce, { stored, file }] of this.#leaving) {
      if (stored === null || stored > until) continue;
      file.remove();
      file.close();
      this.#leaving.delete(nonce);
    }
  }

  /**
   * The last values taken of the tables that count into these scopes, where something was taken since the last call: as
   * they are in a frame of this moment.
   * @param time Of the frame.
   */
  states(scopes: readonly { readonly id: ScopeId }[], time: number): TableState[] {
    if (this.#options.durableUntil === undefined) return [];
    if (this.#tables.size + this.#leaving.size + this.#forgotten.length === 0) return [];
    const ids = new Set(scopes.map(({ id }) => id));
    const states: TableState[] = this.#forgotten.map((nonce) => ({ nonce, scope: null, state: null }));
    this.#forgotten = [];
    for (const [nonce, { client, sink, reader, job, measured }] of this.#tables) {
      const { run } = client;
      if (!sink.changed || run === null || !ids.has(run.scope.id)) continue;
      sink.changed = false;
      const { rank, launch } = job ?? {};
      const head = { run: run.id, rank, number: client.rankNumber, launch, cpu: measured?.mark };
      const state = encodeMark({ ...head, values: reader.marks() });
      states.push({ nonce, scope: run.scope.id, state });
    }
    for (const leaving of this.#leaving.values()) {
      const { nonce, scope, stored } = leaving;
      if (stored !== null || !ids.has(scope)) continue;
      leaving.stored = time;
      states.push({ nonce, scope, state: null });
    }
    return states;
  }

  /**
   * Looks for tables of processes that ended while no engine was there. What they counted after the last stored sample
   * goes into their run, if there is one to go on with; then the files are removed, unknown ones an hour later.
   * @param now On the monotonic clock, ms.
   */
  sweep(now = performance.now()): void {
    this.#nextSweep = now + SWEEP_EVERY;
    const found = new Set<string>();
    const unknown = this.#unknown;
    this.#unknown = new Map();
    for (const { path, nonce } of listTables(this.#directories)) {
      found.add(nonce);
      if (this.#tables.has(nonce) || this.#leaving.has(nonce)) continue;
      const since = unknown.get(nonce);
      const waits = !this.#states.has(nonce) && (since === undefined || now - since < UNKNOWN_FOR);
      if (waits && since !== undefined) this.#unknown.set(nonce, since);
      else this.#sweepOne(path, nonce, waits ? now : null);
    }
    for (const nonce of this.#states.keys()) {
      if (found.has(nonce)) continue;
      this.#states.delete(nonce);
      this.#forgotten.push(nonce);
    }
  }

  /** `since`: an unknown one that is to be left alone is seen for the first time. */
  #sweepOne(path: string, nonce: string, since: number | null): void {
    const file = openTable(path, nonce, this.#directories);
    if (typeof file === 'string') return;
    if (file.alive) return file.close();
    if (since !== null) {
      this.#unknown.set(nonce, since);
      return file.close();
    }
    const mark = this.#mark(nonce);
    const desc = mark && this.#options.host.runs.known(mark.run);
    const known = this.#states.delete(nonce);
    if (mark && desc) {
      const { rank, launch } = mark;
      const table = this.#join(file, { ...desc, rank, launch }, mark);
      // Refused, and closed: unknown from now on.
      if (typeof table === 'string') return void this.#forgotten.push(nonce);
      this.#measure(table, mark);
      this.#bytes += table.reader.size;
      this.#options.host.stats.tables++;
      return this.#end(nonce, table);
    }
    if (known) this.#forgotten.push(nonce);
    file.remove();
    file.close();
  }

  #drop({ client, reader }: Table): void {
    this.#bytes -= reader.size;
    this.#options.host.stats.tables--;
    client.close();
  }

  /** Stops reading. Tables stay where they are: their programs announce them to the next engine. */
  close(): void {
    for (const table of this.#tables.values()) {
      this.#drop(table);
      table.file.close();
    }
    this.#tables.clear();
    this.#usage.clear();
    this.#removeFiles();
    for (const { file } of this.#leaving.values()) file.close();
    this.#leaving.clear();
  }
}

/** The launcher's word goes before the program's: copies of a program without MPI's launch all take themselves for rank 0. */
function withRank(job: TableJob | null, world: World | null): TableJob | null {
  if (job === null || world === null || job.rank !== undefined) return job;
  return { ...job, rank: world.rank, size: Math.max(job.size, world.size) };
}

function parse(text: string): z.output<typeof Announce> | null {
  try {
    return Announce.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
