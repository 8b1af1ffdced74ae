/**
 * Runs: which client belongs to which execution of which job, and when an execution is over.
 *
 * A run lives while a client holds it, plus a grace time, so that ranks that start late and shell loops that start one
 * process after another stay one run. The count of holders is the set of contributors itself: however a connection ends,
 * its contributor is removed, and nothing can leak.
 */

import { randomBytes } from 'node:crypto';
import type { Profile, RankValues } from '../../shared/api/profiles.ts';
import type { Run, RunState } from '../../shared/api/runs.ts';
import { mergeJobDesc, toMilliseconds, type JobDesc } from '../../shared/model/job.ts';
import { runScope } from '../../shared/model/scope.ts';
import { gaugeValue } from '../../shared/model/values.ts';
import type { InterruptedRun } from '../store/store.ts';
import { Contributor } from './contributor.ts';
import { headline, type Headline } from './headline.ts';
import type { MergeRules } from './merge.ts';
import { RankRows, type RankIdentity } from './rank-rows.ts';
import { Scope } from './scope.ts';
import { seriesValues } from './values.ts';

/** Ended ranks of a run kept apart for its profile. Further ones are folded into one entry: never dropped. */
export const MAX_ENDED_RANKS = 4096;
/** The same limit in values, and in values of a profile: ranks × series. Wide runs keep fewer ranks apart. */
export const MAX_RANK_VALUES = 1_000_000;
/** Host shown for the entry that ranks beyond the limit are folded into. */
const FOLDED = '(folded)';
/** Node runs a timer that is longer than this at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;
/**
 * So many runs end within so many ms; others of the same moment a little later. The profiles of a thousand jobs that
 * are killed together would else be made faster than they can be stored, and wait in memory.
 */
const ENDINGS = 50;
const ENDINGS_WITHIN = 20;

export class LiveRun {
  readonly id: string;
  readonly scope: Scope;
  desc: JobDesc;
  state: RunState = 'running';
  readonly nodes = new Set<string>();
  /** Ranks seen so far. */
  ranks = 0;
  readonly #rows: RankRows;
  readonly #ended: Contributor[] = [];
  #endedValues = 0;
  #folded: Contributor | null = null;
  /** Ranks of an earlier life that are not back yet, and when that life ended, ms since the epoch. */
  #missing = 0;
  #earlierUntil = -Infinity;
  #headline: Headline = { key: null, settled: false };
  #headlineTotal = 0;
  /** Increase per second of the headline counter over the last period. */
  headlineRate: number | null = null;
  /** When this engine opened the run, ms since the epoch. */
  readonly opened: number;

  constructor(id: string, desc: JobDesc, opened: number, rules: MergeRules | undefined) {
    this.id = id;
    this.desc = desc;
    this.opened = opened;
    this.scope = new Scope(runScope(id), 'run', rules);
    this.#rows = new RankRows(this.scope);
  }

  /**
   * The rank that a client counts as from now on.
   * @param started When it was launched, ms since the epoch; 0: not known.
   */
  enter(node: string, identity: RankIdentity, started = 0, before: Before | null = null): Contributor {
    this.nodes.add(node);
    const own = before?.run === this.id ? before : null;
    const numbering = { size: this.desc.size, before: own?.number };
    const { rank, ended, added } = this.#rows.enter(node, identity, numbering);
    if (added) {
      const back = own !== null || (isKnown(identity) && started > 0 && started <= this.#earlierUntil);
      if (back && this.#missing > 0) this.#missing--;
      else this.ranks++;
    }
    if (!ended) return rank;
    const at = this.#ended.indexOf(rank);
    if (at >= 0) {
      this.#ended.splice(at, 1);
      this.#endedValues -= rank.values;
    }
    rank.reattach();
    return rank;
  }

  /** A client left its rank; false: others still count as it. */
  leave(rank: Contributor): boolean {
    if (!this.#rows.leave(rank)) return false;
    rank.detach();
    this.#keepEnded(rank);
    return true;
  }

  /** A client has left its rank for another one, which has all that it counted as it. */
  replace(rank: Contributor, next: Contributor): void {
    if (!this.#rows.replace(rank, next)) return void this.leave(rank);
    rank.detach(true);
    this.ranks--;
  }

  /** So many ranks there were in an earlier life, which ended at `until`, ms since the epoch. */
  goOn(ranks: number, until: number): void {
    this.ranks = ranks;
    this.#missing = ranks;
    this.#earlierUntil = until;
    this.#rows.startAt(ranks);
  }

  get clients(): number {
    return this.scope.contributors.size;
  }

  /** Ranks with their own values: the live ones, then the ended ones. */
  *rankList(): Generator<Contributor> {
    yield* this.scope.contributors;
    yield* this.#ended;
    if (this.#folded) yield this.#folded;
  }

  /** Values of the ended ranks that are kept apart. */
  get endedValues(): number {
    return this.#endedValues;
  }

  #keepEnded(rank: Contributor): void {
    const { values } = rank;
    if (values > 0 && this.#ended.length < MAX_ENDED_RANKS && this.#endedValues + values <= MAX_RANK_VALUES) {
      this.#ended.push(rank);
      this.#endedValues += values;
      return;
    }
    this.#rows.forget(rank);
    if (values > 0) this.#folded = fold(this.#folded, rank);
  }

  /** Canonical key of the series for a sparkline. Chosen once something moved: the choice must not jump about. */
  get headline(): string | null {
    if (!this.#headline.settled) this.#headline = headline(this.scope);
    return this.#headline.key;
  }

  /** Once per tick, `seconds` after the one before. */
  tick(seconds: number): void {
    const key = this.headline;
    const place = key === null ? null : this.scope.find(key);
    if (place?.kind !== 'counter') return;
    const total = this.scope.counters[place.index]!;
    this.headlineRate = seconds > 0 ? Math.max(0, total - this.#headlineTotal) / seconds : null;
    this.#headlineTotal = total;
  }

  /** As the API shows it. */
  describe(): Run {
    return {
      ...this.desc,
      id: this.id,
      scope: this.scope.id,
      state: this.state,
      nodes: [...this.nodes],
      ranks: this.ranks,
      clients: this.clients,
      series: this.scope.seriesCount,
      headline: this.headline,
    };
  }

  profile(): Profile {
    this.scope.settle();
    const series = seriesValues(this.scope);
    const room = Math.max(1, Math.floor(MAX_RANK_VALUES / Math.max(1, series.length)));
    const ranks: RankValues[] = [];
    let rest: Contributor | null = null;
    for (const rank of this.rankList()) {
      if (ranks.length < room) ranks.push(rankValues(rank, this.scope));
      else rest = fold(rest, rank);
    }
    if (rest) ranks.push(rankValues(rest, this.scope));
    ranks.sort((a, b) => a.rank - b.rank);
    return { run: this.describe(), series, ranks };
  }
}

/** One rank's values in the order of the scope's series: counters, then gauges. */
function rankValues(rank: Contributor, scope: Scope): RankValues {
  const values = Array.from<number | null>({ length: scope.seriesCount }).fill(null);
  for (let i = 0; i < rank.counterCount; i++) {
    const index = rank.counterMap[i]!;
    values[index] = (values[index] ?? 0) + rank.counters[i]!;
  }
  for (let i = 0; i < rank.gaugeCount; i++) {
    const value = gaugeValue(rank.gauge(i));
    values[scope.counterCount + rank.gaugeMap[i]!] = Number.isFinite(value) ? value : null;
  }
  return { rank: rank.rank, node: rank.node, values };
}

/** Adds a rank's counters to the entry for all folded ranks. The entry contributes nothing itself: it is detached. */
function fold(into: Contributor | null, rank: Contributor): Contributor {
  const target = into ?? new Contributor(new Scope(rank.scope.id, 'rank'), rank.rank, FOLDED);
  const places = new Map<number, number>();
  for (let i = 0; i < target.counterCount; i++) places.set(target.counterMap[i]!, i);
  for (let i = 0; i < rank.counterCount; i++) {
    const index = rank.counterMap[i]!;
    let place = places.get(index);
    if (place === undefined) places.set(index, (place = target.addCounter(index)));
    target.counters[place]! += rank.counters[i]!;
  }
  return target;
}

/** What a client was before the engine started. */
export interface Before {
  /** Id of the run. */
  readonly run: string;
  /** Of its rank; absent: not known. */
  readonly number?: number | undefined;
}

/** What is known of a client that joins beside its job. */
export interface JoinOptions {
  readonly identity?: RankIdentity;
  readonly before?: Before | null;
}

const isKnown = ({ rank, launch }: RankIdentity): boolean => rank !== undefined || launch !== undefined;

/** Of an interrupted run: its last sign of life, ms since the epoch. */
const lastSeen = ({ run, snapshot }: InterruptedRun): number => Math.max(run.end_time, snapshot?.time ?? 0);

export interface RunsOptions {
  /** How long a run without clients stays open, in ms. */
  readonly grace: number;
  /** Name of this host. */
  readonly host: string;
  readonly rules?: MergeRules;
  /** Runs the engine's last stop left open. */
  readonly interrupted: readonly InterruptedRun[];
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** A run began, or an interrupted one goes on. Its scope has no contributor yet. */
  readonly onOpen: (run: LiveRun, reopened: boolean) => void;
  /**
   * The last client left: the run's values of this moment belong to its history, which ends now. Returns their time.
   */
  readonly onIdle?: (run: LiveRun) => number;
  /** A run's description or state changed. */
  readonly onChange: (run: LiveRun) => void;
  /** The run is over; its values are final. Called once per run. */
  readonly onEnd: (run: LiveRun) => void;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #open = new Map<string, LiveRun>();
  readonly #byId = new Map<string, LiveRun>();
  readonly #timers = new Map<LiveRun, NodeJS.Timeout>();
  /** By job id and start time: runs that a returning client may go on with. */
  readonly #interrupted = new Map<string, InterruptedRun>();
  /** The same by id, those without a start time too. */
  readonly #interruptedById = new Map<string, InterruptedRun>();
  ended = 0;
  /** Runs that ended within {@link ENDINGS_WITHIN} ms, since this time on the monotonic clock. */
  #endings = 0;
  #endingsSince = -Infinity;
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    for (const one of options.interrupted) {
      const { jobid, start_time } = one.run;
      if (start_time > 0) this.#interrupted.set(`${start_time} ${jobid}`, one);
      this.#interruptedById.set(one.run.id, one);
    }
  }

  /** Open runs, in the order they were opened. */
  get live(): ReadonlyMap<string, LiveRun> {
    return this.#open;
  }

  byId(id: string): LiveRun | null {
    return this.#byId.get(id) ?? null;
  }

  /** Description of a run that is open, or that a client may go on with. */
  known(id: string): JobDesc | null {
    const interrupted = this.#interruptedById.get(id);
    return this.#byId.get(id)?.desc ?? (interrupted ? toDesc(interrupted.run) : null);
  }

  /**
   * A client of this job arrived: it becomes a rank of the job's open run, whatever its own start time says.
   * @param before What it was before the engine started: when no run of the job is open, that run goes on.
   */
  join(
    desc: JobDesc,
    node: string,
    { identity = {}, before = null }: JoinOptions = {},
  ): { run: LiveRun; rank: Contributor } {
    const incoming = fromClient(desc);
    let run = this.#open.get(desc.jobid);
    if (run) run.desc = mergeJobDesc(run.desc, incoming);
    else run = this.#start(incoming, identity, before);
    clearTimeout(this.#timers.get(run));
    this.#timers.delete(run);
    run.state = 'running';
    run.desc.end_time = 0;
    const rank = run.enter(node, identity, incoming.start_time, before);
    this.#changed(run);
    return { run, rank };
  }

  /** A client that holds the run describes it again. */
  redescribe(run: LiveRun, desc: JobDesc): void {
    run.desc = mergeJobDesc(run.desc, fromClient(desc));
    this.#changed(run);
  }

  /** Once closed, nobody is told of clients that still come before their sockets are gone: the store may be closed too. */
  #changed(run: LiveRun): void {
    if (!this.#closed) this.#options.onChange(run);
  }

  #start(desc: JobDesc, identity: RankIdentity, before: Before | null): LiveRun {
    const sameStart = desc.start_time > 0 ? this.#interrupted.get(`${desc.start_time} ${desc.jobid}`) : undefined;
    const own = before === null ? undefined : this.#interruptedById.get(before.run);
    const during = isKnown(identity) ? this.#launchedDuring(desc) : undefined;
    const earlier = own?.run.jobid === desc.jobid ? own : (sameStart ?? during);
    if (earlier) {
      this.#interruptedById.delete(earlier.run.id);
      this.#interrupted.delete(`${earlier.run.start_time} ${earlier.run.jobid}`);
    }
    const id = earlier?.run.id ?? randomBytes(9).toString('base64url');
    const run = new LiveRun(id, desc, this.#options.now(), this.#options.rules);
    if (earlier) {
      run.desc = mergeJobDesc({ ...toDesc(earlier.run), end_time: 0 }, desc);
      run.goOn(earlier.run.ranks, lastSeen(earlier));
      for (const node of earlier.run.nodes) run.nodes.add(node);
      if (earlier.snapshot) run.scope.restore(earlier.snapshot.series, earlier.snapshot.columns);
      // What it counted in its earlier life is not this period's increase.
      run.tick(0);
    }
    // Fixed from here on: every rank stamps a start time of its own.
    run.desc.start_time ||= this.#options.now();
    this.#open.set(desc.jobid, run);
    this.#byId.set(id, run);
    if (!this.#closed) this.#options.onOpen(run, earlier !== undefined);
    return run;
  }

  /** Each rank has a start of its own: any of them may be the first that is back. */
  #launchedDuring({ jobid, start_time }: JobDesc): InterruptedRun | undefined {
    for (const one of this.#interruptedById.values()) {
      const { run } = one;
      const began = run.start_time > 0 && run.start_time <= start_time;
      if (run.jobid === jobid && began && start_time <= lastSeen(one)) return one;
    }
    return undefined;
  }

  /** A client is gone, in whatever way. Its counters stay in the run. */
  leave(run: LiveRun, rank: Contributor): void {
    if (!run.leave(rank)) return;
    if (run.clients > 0 || run.state !== 'running' || this.#closed) return;
    run.state = 'ending';
    run.desc.end_time = Math.max(this.#options.now(), this.#options.onIdle?.(run) ?? 0);
    this.#changed(run);
    this.#endAfter(run, Math.min(this.#options.grace, MAX_TIMEOUT));
  }

  /** Another client of the run stands for one that counted as `rank`, and has all that it counted. */
  replace(run: LiveRun, rank: Contributor, next: Contributor): void {
    run.replace(rank, next);
    this.#changed(run);
  }

  #endAfter(run: LiveRun, ms: number): void {
    const end = (): void => {
      const now = performance.now();
      if (now - this.#endingsSince >= ENDINGS_WITHIN) [this.#endings, this.#endingsSince] = [0, now];
      if (this.#endings++ >= ENDINGS) return this.#endAfter(run, ENDINGS_WITHIN + 1);
      this.#end(run, 'finished');
    };
    this.#timers.set(run, setTimeout(end, ms));
  }

  #end(run: LiveRun, state: RunState): void {
    clearTimeout(this.#timers.get(run));
    this.#timers.delete(run);
    this.#open.delete(run.desc.jobid);
    this.#byId.delete(run.id);
    run.state = state;
    run.desc.end_time ||= this.#options.now();
    this.ended++;
    this.#options.onEnd(run);
  }

  /** Ends what is open: as interrupted where clients are still there, else as finished. */
  close(): void {
    this.#closed = true;
    for (const run of [...this.#open.values()]) this.#end(run, run.clients > 0 ? 'interrupted' : 'finished');
  }
}

/** A client does not know when its run ends. */
const fromClient = (desc: JobDesc): JobDesc => ({ ...desc, start_time: toMilliseconds(desc.start_time), end_time: 0 });

function toDesc(run: Run): JobDesc {
  const { jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time } = run;
  return { jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time };
}
