/**
 * One client of the proxy: turns its messages into increases of a contributor. A client without a job counts into its
 * node; a job description makes it a rank of that job's run, a second one moves it to another run.
 */

import { refuseJobid } from '../../shared/model/job.ts';
import type { Kind } from '../../shared/model/values.ts';
import { Contributor } from '../live/contributor.ts';
import type { Before, LiveRun, Runs } from '../live/runs.ts';
import type { Scope } from '../live/scope.ts';
import { placeOf, type SeriesTable } from '../live/series-table.ts';
import type { Budget } from './budget.ts';
import { rankIdentity, type ClientJob, type Launches } from './launch.ts';
import type { Message, Reason } from './messages.ts';
import { escapedName, hashBytes, IntMap, type NameTable } from './names.ts';
import type { IngestStats } from './stats.ts';
import type { WireSink } from './wire.ts';

/** So many bad messages in a row mean that the other side speaks something else. */
export const MAX_BAD_IN_A_ROW = 100;

/** Different spellings of names that a scope takes, by series that it may have. */
const SPELLINGS_PER_SERIES = 2;

/** What a client needs of the engine. */
export interface ClientHost {
  readonly runs: Runs;
  readonly nodeScope: Scope;
  /** Name of this host. */
  readonly host: string;
  readonly stats: IngestStats;
  readonly budget: Budget;
  /** Launches that end with a goodbye, or not. */
  readonly launches: Launches;
}

export class Client implements WireSink {
  readonly #host: ClientHost;
  #run: LiveRun | null = null;
  #contributor: Contributor | null = null;
  #names: SeriesTable | null = null;
  /** Entry of the scope's names to 2 × own place + (1 for a gauge): what this client has described. */
  #own = new IntMap();
  #launch: string | null = null;
  #badInARow = 0;
  /** Stays: good messages later in the same read do not take it back. */
  #hopeless = false;

  constructor(host: ClientHost) {
    this.#host = host;
  }

  /** The other side speaks something else: close the connection. */
  get hopeless(): boolean {
    return this.#hopeless;
  }

  /** The launch that it stands for: it promised to say goodbye. */
  get launch(): string | null {
    return this.#launch;
  }

  /** Handle of the metric that this client has described under this name, else -1. */
  described(name: string): number {
    const bytes = escapedName(name);
    const entry = this.names?.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length)) ?? -1;
    return entry < 0 ? -1 : this.handleOf(entry);
  }

  accepted(count: number): void {
    this.#badInARow = 0;
    this.#host.stats.messages += count;
  }

  rejected(reason: Reason): void {
    if (++this.#badInARow >= MAX_BAD_IN_A_ROW) this.#hopeless = true;
    this.#host.stats.reject(reason);
  }

  /** The run it counts into; null: its node. */
  get run(): LiveRun | null {
    return this.#run;
  }

  /** The rank of its run that it counts as; null: it counts into its node. */
  get rank(): Contributor | null {
    return this.#run === null ? null : this.#contributor;
  }

  /** Of the rank that it counts as in its run. */
  get rankNumber(): number | undefined {
    return this.#run === null ? undefined : this.#contributor?.rank;
  }

  get names(): NameTable | null {
    return this.#names === null ? null : this.#names.names;
  }

  handleOf(entry: number): number {
    return this.#own.get(entry);
  }

  counter(handle: number, increase: number): Reason | null {
    if ((handle & 1) === 1) return 'value_of_other_kind';
    return this.#contributor!.increase(handle >>> 1, increase) ? null : 'sum_overflow';
  }

  /** The same for many counters at once, known to be such; returns how many were refused for a sum that overflows. */
  counters(handles: Int32Array, increases: Float64Array, count: number): number {
    return this.#contributor!.increaseMany(handles, increases, count);
  }

  gauge(handle: number, min: number, max: number, hits: number, total: number): Reason | null {
    if ((handle & 1) === 0) return 'value_of_other_kind';
    this.#contributor!.setGauge(handle >>> 1, min, max, hits, total);
    return null;
  }

  /** So much of the counter was taken before the engine started, and is in the run. */
  resume(handle: number, total: number): void {
    this.#contributor!.restore(handle >>> 1, total);
  }

  /** So much of the counter goes to the rank that this client turns out to be. */
  giveUp(handle: number, total: number): void {
    this.#contributor!.giveUp(handle >>> 1, total);
  }

  /** `next`, a client of the same run, stands for this one from now on, and has all that it counted. */
  replaceBy(next: Client): void {
    const [run, from, to] = [this.#run, this.#contributor, next.#contributor];
    if (run === null || from === null || to === null || next.#run !== run) return this.close();
    this.#release(from, () => this.#host.runs.replace(run, from, to));
    this.#run = this.#contributor = this.#names = null;
  }

  /** The client is of this job. `before`: what it was before the engine started. */
  begin(job: ClientJob, before: Before | null): Reason | null {
    return this.#job(job, before);
  }

  describeKnownCounter(entry: number): boolean {
    const place = this.#names!.place(entry);
    if ((place & 1) === 1) return false;
    return this.#describes(entry, place) === null;
  }

  message(message: Message): Reason | null {
    switch (message.type) {
      case 'job':
        return this.#job(message.desc);
      case 'desc':
        return this.#describe(message.name, message.doc, message.kind);
      default:
        return 'value_before_desc';
    }
  }

  #job(job: ClientJob, before: Before | null = null): Reason | null {
    const { launch, rank: _rank, goodbye, ...desc } = job;
    if (goodbye === true && launch !== undefined && this.#launch === null) {
      this.#launch = launch;
      this.#host.launches.opened(launch, this);
    }
    const refused = refuseJobid(desc.jobid) ?? this.#host.budget.refuseRun(this.#host.runs, desc.jobid);
    if (refused) {
      // Whatever it counts from here on is not of the job it named before.
      if (this.#run) this.#move(() => this.#enterNode());
      // A program outside of any job says so with an empty id: nothing is wrong with that.
      return refused === 'jobid_empty' ? null : refused;
    }
    if (this.#run?.desc.jobid === desc.jobid) {
      this.#host.runs.redescribe(this.#run, desc);
      return null;
    }
    this.#move(() => {
      const { run, rank } = this.#host.runs.join(desc, this.#host.host, { identity: rankIdentity(job), before });
      this.#run = run;
      this.#enter(rank);
    });
    return null;
  }

  /** Leaves the present scope for another one, where everything described so far is described again. */
  #move(enter: () => void): void {
    const described = this.#leave();
    enter();
    for (const { name, doc, kind } of described) {
      const refused = this.#describe(name, doc, kind);
      if (refused) this.#host.stats.reject(refused);
    }
  }

  #enterNode(): void {
    this.#enter(new Contributor(this.#host.nodeScope, 0, this.#host.host));
  }

  #enter(contributor: Contributor): void {
    this.#contributor = contributor;
    this.#names = contributor.scope.table;
    this.#own = new IntMap();
  }

  #describe(name: string, doc: string, kind: Kind): Reason | null {
    if (this.#contributor === null) this.#enterNode();
    const { budget } = this.#host;
    const { scope } = this.#contributor!;
    const refused = budget.refuseSeries(scope, name);
    if (refused) return refused;
    const before = scope.seriesCount;
    const registered = scope.register(name, doc, kind);
    if ('refused' in registered) return registered.refused;
    budget.added(scope, scope.seriesCount - before);
    const table = this.#names!;
    const { names } = table;
    const place = placeOf(kind, registered.index);
    const bytes = escapedName(name);
    let entry = names.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
    if (entry < 0) {
      // One metric has many spellings; they take memory too.
      if (names.count >= SPELLINGS_PER_SERIES * budget.seriesOf(scope)) return 'too_many_series';
      entry = table.addSpelling(bytes, place);
    }
    return this.#describes(entry, place);
  }

  /** Notes that this client has described a name, once. */
  #describes(entry: number, place: number): Reason | null {
    if (this.#own.get(entry) >= 0) return null;
    const { budget } = this.#host;
    if (budget.rankValuesFull) return 'too_many_rank_values';
    const gauge = place & 1;
    const contributor = this.#contributor!;
    const before = contributor.values;
    const local = gauge === 1 ? contributor.addGauge(place >>> 1) : contributor.addCounter(place >>> 1);
    this.#own.add(entry, 2 * local + gauge);
    budget.addRankValues(contributor.scope, contributor.values - before);
    return null;
  }

  /** Leaves the scope; returns what was described there, for the next one. */
  #leave(): { name: string; doc: string; kind: Kind }[] {
    const [contributor, table] = [this.#contributor, this.#names];
    if (contributor === null || table === null) return [];
    const described = [];
    for (const [entry] of this.#own.entries()) {
      const place = table.place(entry);
      const kind = (place & 1) === 1 ? ('gauge' as const) : ('counter' as const);
      described.push({ entry, name: table.names.name(entry), doc: table.doc(kind, place >>> 1), kind });
    }
    this.#detach(contributor);
    this.#run = null;
    this.#contributor = null;
    this.#names = null;
    return described.toSorted((a, b) => a.entry - b.entry);
  }

  #detach(contributor: Contributor): void {
    const run = this.#run;
    this.#release(contributor, () => (run ? this.#host.runs.leave(run, contributor) : contributor.detach()));
  }

  #release(contributor: Contributor, leave: () => void): void {
    const run = this.#run;
    const kept = run?.endedValues ?? 0;
    leave();
    // Others are the same rank, and hold its values.
    if (contributor.scope.contributors.has(contributor)) return;
    // What the run keeps apart for its profile is still held; what it folded is not.
    this.#host.budget.addRankValues(contributor.scope, (run?.endedValues ?? 0) - kept - contributor.values);
  }

  /** The connection ended, in whatever way. May be called more than once. */
  close(): void {
    this.#leave();
  }
}
