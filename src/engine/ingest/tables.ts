/**
 * The shared tables of this engine's clients. Each is read once per tick and counts like a legacy client that sends what
 * grew; a table lives as long as its connection or its process.
 */

import { z } from 'zod';
import { JobDesc } from '../../shared/model/job.ts';
import { useCompilers } from '../compilers.ts';
import { Client, type ClientHost } from './client.ts';
import { MAX_DOC, type Reason } from './messages.ts';
import { escapedName, hashBytes } from './names.ts';
import { openTable, tableDirectories, type TableFile } from './table-file.ts';
import { TableReader, type TableSink } from './table.ts';

/** Bytes of all tables together: they are copied once per tick. */
const MAX_BYTES = 1024 ** 3;
/** A process closes its connection a little before it is gone; then it is looked at again, after so many ms. */
const LOOK_AGAIN = 50;

const Announce = z.object({
  table: z
    .string()
    .max(1024)
    .regex(/^\/[^\0]*$/),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  job: JobDesc.nullable(),
});

export interface TablesOptions {
  readonly host: ClientHost;
  /** Where tables may lie. */
  readonly directories?: readonly string[];
  /** When the engine started, ms since the epoch. */
  readonly started: number;
  /** This run goes on from before that. */
  readonly reopened: (runId: string) => boolean;
}

/** Connection of a table's client. */
export interface TableConnection {
  destroy(): void;
}

interface Table {
  readonly file: TableFile;
  readonly reader: TableReader;
  readonly client: Client;
  /** Null: it has closed, and the process was still there. */
  connection: TableConnection | null;
}

/** Takes a table's values as a client. */
class ClientSink implements TableSink {
  readonly #client: Client;
  readonly #host: ClientHost;

  constructor(client: Client, host: ClientHost) {
    this.#client = client;
    this.#host = host;
  }

  describe(name: string, doc: string, kind: 'counter' | 'gauge'): number {
    const refused = this.#client.message({ type: 'desc', name, doc: doc.slice(0, MAX_DOC).toWellFormed(), kind });
    if (refused) {
      this.#host.stats.reject(refused);
      return -1;
    }
    const bytes = escapedName(name);
    const entry = this.#client.names?.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length)) ?? -1;
    return entry < 0 ? -1 : this.#client.handleOf(entry);
  }

  counter(handle: number, increase: number): void {
    this.#note(this.#client.counter(handle, increase));
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
  #bytes = 0;

  constructor(options: TablesOptions) {
    this.#options = options;
    this.#directories = options.directories ?? tableDirectories();
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
    const known = this.#tables.get(asked.nonce);
    const table = known?.file.path === asked.table ? known : this.#open(asked);
    if (typeof table === 'string') return table;
    // Whoever knows the nonce is the same client, whose earlier connection is not known to be closed yet.
    const earlier = table.connection;
    table.connection = connection;
    earlier?.destroy();
    return () => this.#closed(asked.nonce, table, connection);
  }

  #open({ table: path, nonce, job }: z.output<typeof Announce>): Table | Reason {
    const { host, started, reopened } = this.#options;
    if (this.#tables.has(nonce)) return 'table_invalid';
    if (this.#tables.size >= host.budget.limits.connections || this.#bytes >= MAX_BYTES) return 'too_many_tables';
    const file = openTable(path, nonce, this.#directories);
    if (typeof file === 'string') return file;
    const client = new Client(host);
    const refused = job && client.message({ type: 'job', desc: job });
    if (refused) {
      client.close();
      file.close();
      return refused;
    }
    const table: Table = {
      file,
      reader: new TableReader(file.readAt, new ClientSink(client, host)),
      client,
      connection: null,
    };
    // A run that goes on has what an earlier engine took from this table: counting it again would be a lie.
    const run = job && host.runs.live.get(job.jobid);
    const counted = run ? reopened(run.id) && file.header.made < started : false;
    if (!table.reader.readAll(!counted)) {
      client.close();
      file.close();
      return 'table_invalid';
    }
    this.#tables.set(nonce, table);
    this.#bytes += table.reader.size;
    host.stats.tables++;
    // Its values come with the ticks, not with bytes on a connection.
    useCompilers();
    return table;
  }

  /** Reads all tables. Once per tick. */
  read(): void {
    for (const [nonce, table] of this.#tables) {
      if (table.connection === null && !this.#lives(table)) this.#end(nonce, table);
      else this.#readOne(nonce, table);
    }
  }

  #readOne(nonce: string, table: Table): void {
    if (this.#look(table)) return;
    this.#options.host.stats.reject('table_invalid');
    this.#end(nonce, table);
  }

  #look(table: Table): boolean {
    const before = table.reader.size;
    const valid = table.reader.read();
    this.#bytes += table.reader.size - before;
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
    setTimeout(() => {
      const here = this.#tables.get(nonce) === table && table.connection === null;
      if (here && !this.#lives(table)) this.#end(nonce, table);
    }, LOOK_AGAIN).unref();
  }

  /** The last look; then the client is gone, and so is its table. */
  #end(nonce: string, table: Table): void {
    // The second look takes the entries that the first one has seen.
    if (this.#look(table)) this.#look(table);
    table.file.remove();
    this.#drop(nonce, table);
    table.connection?.destroy();
  }

  #drop(nonce: string, table: Table): void {
    this.#tables.delete(nonce);
    this.#bytes -= table.reader.size;
    this.#options.host.stats.tables--;
    table.client.close();
    table.file.close();
  }

  /** Stops reading. Tables stay where they are: their programs announce them to the next engine. */
  close(): void {
    for (const [nonce, table] of this.#tables) this.#drop(nonce, table);
  }
}

function parse(text: string): z.output<typeof Announce> | null {
  try {
    return Announce.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
