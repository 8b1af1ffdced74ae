/**
 * Jobs that targets tell of, from when they are first told of to their profiles. Such a run is over when its target does
 * not list it any more; it is interrupted when nothing is told of it for long, or the target is taken off the list.
 * What was interrupted goes on when it is told of again, also after a restart: it is one run, with one profile.
 */

import { createHash } from 'node:crypto';
import type { Profile } from '../../shared/api/profiles.ts';
import type { Run, RunState } from '../../shared/api/runs.ts';
import type { SeriesValue } from '../../shared/api/series.ts';
import { refuseJobid, type JobDesc } from '../../shared/model/job.ts';
import { GAUGE_WIDTH, gaugeValue } from '../../shared/model/values.ts';
import { headline } from '../live/headline.ts';
import type { Scope } from '../live/scope.ts';
import { Recent } from '../recent.ts';
import { seriesValues } from '../live/values.ts';
import type { InterruptedRun } from '../store/store.ts';
import type { ScopeAbout } from './type.ts';

/** Nothing is told of a run for so long: nobody knows any more how it goes on. Milliseconds. */
export const GIVEN_UP_AFTER = 300_000;

/** Ids that are remembered. */
const MAX_USED = 10_000;

export type RunAbout = Extract<ScopeAbout, { kind: 'run' }>;

const descOf = ({ jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time }: JobDesc) => ({
  ...{ jobid, command, size, nodelist, partition, cluster, run_dir, start_time, end_time },
});

export class RemoteRun {
  readonly id: string;
  readonly scope: Scope;
  state: RunState = 'running';
  #about: RunAbout;
  /** When this engine was first told of it, ms since the epoch. */
  readonly #opened: number;
  /** Since when nothing is told of it, ms since the epoch; null: its last scrape told of it. */
  until: number | null = null;
  /** The gauges of then: they leave live sums meanwhile, and belong to the profile. */
  #gauges: Float64Array | null = null;

  constructor(id: string, scope: Scope, about: RunAbout, opened: number) {
    this.id = id;
    this.scope = scope;
    this.#about = about;
    this.#opened = opened;
  }

  /** It is told of. True: it is described in another way than before. */
  tell(about: RunAbout): boolean {
    const before = JSON.stringify(this.describe());
    this.#about = about;
    this.until = this.#gauges = null;
    this.state = 'running';
    return JSON.stringify(this.describe()) !== before;
  }

  /** Nothing more is told of it for now. Before its gauges leave. */
  still(now: number): void {
    if (this.until !== null) return;
    this.until = now;
    this.scope.settle();
    this.#gauges = this.scope.gauges.slice(0, GAUGE_WIDTH * this.scope.gaugeCount);
  }

  describe(): Run {
    const { desc, nodes, ranks } = this.#about;
    const isOver = this.state === 'finished' || this.state === 'interrupted';
    const end = isOver ? (this.until ?? this.#opened) : 0;
    const started = desc.start_time > 0 ? desc.start_time : this.#opened;
    return {
      ...descOf(desc),
      // The other clock may be ahead of this one.
      start_time: isOver ? Math.min(started, end) : started,
      end_time: end,
      id: this.id,
      scope: this.scope.id,
      state: this.state,
      nodes: [...nodes],
      ranks,
      clients: 0,
      series: this.scope.seriesCount,
      headline: headline(this.scope).key,
    };
  }

  /** Ranks are not told of, only how many there were. */
  profile(): Profile {
    this.scope.settle();
    return { run: this.describe(), series: this.#lastValues(), ranks: [] };
  }

  #lastValues(): SeriesValue[] {
    const series = seriesValues(this.scope);
    const gauges = this.#gauges;
    if (!gauges) return series;
    const counters = this.scope.counterCount;
    for (let i = 0; i < gauges.length / GAUGE_WIDTH; i++) {
      const [min, max, hits, total] = gauges.subarray(GAUGE_WIDTH * i, GAUGE_WIDTH * (i + 1)) as unknown as Numbers;
      const shown = series[counters + i];
      if (!shown || shown.gauge === null || shown.gauge.hits > 0 || !(hits > 0)) continue;
      const gauge = { min, max, hits, total };
      series[counters + i] = { ...shown, value: gaugeValue(gauge), gauge };
    }
    return series;
  }
}

/** The same for the same run after a restart. */
const idOf = (name: string): string => `t${createHash('sha256').update(name).digest('base64url').slice(0, 21)}`;

type Numbers = readonly [number, number, number, number];

export interface RemoteRunsOptions {
  /** Runs that the engine's last stop left open. */
  readonly interrupted: readonly InterruptedRun[];
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** One began, goes on, or is described in another way. */
  readonly changed: (run: RemoteRun) => void;
  /** Its profile is to be stored. More than once for a run that went on after it was interrupted. */
  readonly ended: (run: RemoteRun) => void;
  readonly givenUpAfter?: number;
}

export class RemoteRuns {
  readonly #options: RemoteRunsOptions;
  readonly #open = new Map<Scope, RemoteRun>();
  /** Of the last start, by id. */
  readonly #interrupted: Map<string, InterruptedRun>;
  readonly #used = new Recent<true>(MAX_USED);
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RemoteRunsOptions) {
    this.#options = options;
    this.#interrupted = new Map(options.interrupted.map((one) => [one.run.id, one]));
  }

  /** One that is told of at the moment. */
  byId(id: string): RemoteRun | null {
    for (const run of this.#open.values()) if (run.id === id && run.state === 'running') return run;
    return null;
  }

  /** A target tells of a job. Before the first values are written into its scope. */
  tell(scope: Scope, about: RunAbout): void {
    const { now, changed } = this.#options;
    const known = this.#open.get(scope);
    if (known) {
      if (known.tell(about)) changed(known);
      return;
    }
    if (refuseJobid(about.desc.jobid) !== null) return;
    const opened = now();
    const { start_time } = about.desc;
    // Without a start time nothing tells one run of a job from the next one. One that came back after it was over is
    // another one: what it had counted is not counted again.
    let id = idOf(`${scope.id}\0${start_time}`);
    if (start_time === 0 || this.#used.get(id)) id = idOf(`${scope.id}\0${start_time}\0${opened}`);
    this.#used.add(id, true);
    const earlier = this.#interrupted.get(id);
    this.#interrupted.delete(id);
    if (earlier?.snapshot && scope.seriesCount === 0) scope.restore(earlier.snapshot.series, earlier.snapshot.columns);
    const run = new RemoteRun(id, scope, about, opened);
    this.#open.set(scope, run);
    changed(run);
  }

  /** Nothing more is told of it for now. Before its gauges leave. */
  still(scope: Scope): void {
    const run = this.#open.get(scope);
    if (!run) return;
    run.still(this.#options.now());
    this.#giveUpLater();
  }

  /** It is over: its scope gets no more values. */
  end(scope: Scope, state: 'finished' | 'interrupted'): void {
    const run = this.#open.get(scope);
    if (!run) return;
    this.#open.delete(scope);
    run.still(this.#options.now());
    run.state = state;
    this.#options.ended(run);
  }

  /** Nobody may ever tell of it again. When somebody does, it goes on. */
  interrupt(scope: Scope): void {
    const run = this.#open.get(scope);
    if (!run || run.state === 'interrupted') return;
    run.still(this.#options.now());
    run.state = 'interrupted';
    this.#options.ended(run);
  }

  /** It cannot go on any more; what became of it is stored. */
  forget(scope: Scope): void {
    this.interrupt(scope);
    this.#open.delete(scope);
  }

  #giveUpLater(): void {
    const { now, givenUpAfter = GIVEN_UP_AFTER } = this.#options;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      let waits = false;
      for (const [scope, run] of this.#open) {
        if (run.until === null || run.state === 'interrupted') continue;
        if (now() - run.until >= givenUpAfter) this.interrupt(scope);
        else waits = true;
      }
      if (waits) this.#giveUpLater();
    }, givenUpAfter / 10).unref();
  }

  /** Those that are open are interrupted: the engine stops. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const scope of this.#open.keys()) this.interrupt(scope);
    this.#open.clear();
  }
}
