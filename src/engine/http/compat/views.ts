/**
 * The sums and runs that the old proxies' readers ask for by a job id, each kept for a while with the form of its
 * answers: a reader comes again every few seconds, and little but the numbers has changed.
 */

import { MAIN_JOB, NODE_JOB_PREFIX } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
import { changesSoFar } from '../../live/changes.ts';
import type { Scope } from '../../live/scope.ts';
import { MergedView, type Part } from '../../live/view.ts';
import type { ScopeAbout } from '../../targets/type.ts';
import type { Body } from './body.ts';

/** Views kept, not used for at most this long in ms, of at most this many series: forms take some 300 bytes for each. */
const MAX_VIEWS = 8;
const KEEP_MS = 300_000;
const MAX_SERIES = 50_000;
/** An answer is shared for at most this long, in ms. */
const SHARE_MS = 1000;

/** The id under which readers of the old proxies know what a target has of elsewhere. */
export const jobOf = (about: ScopeAbout): string =>
  about.kind === 'node' ? `${NODE_JOB_PREFIX}${about.host}` : about.desc.jobid;

/** What an answer consists of beside the numbers. */
export interface Form {
  /** Bytes of an answer, about. */
  readonly size: number;
}

class JobView {
  readonly view = new MergedView();
  used = 0;
  readonly #forms = new Map<string, { form: Form; version: number; count: number }>();

  /** The form of that name, made anew when series have come or gone. */
  form<F extends Form>(name: string, make: (view: MergedView) => F): F {
    const { version, count } = this.view;
    const known = this.#forms.get(name);
    if (known && known.version === version && known.count === count) return known.form as F;
    const form = make(this.view);
    this.#forms.set(name, { form, version, count });
    return form;
  }
}

export class JobViews {
  readonly #engine: EngineContext;
  readonly #views = new Map<string, JobView>();
  readonly #shared = new Map<string, { body: Body; changes: string }>();
  #sweep: NodeJS.Timeout | null = null;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  /** What a job is made of; null when there is none of this id. `main` and the node's sum are the same on one host. */
  parts(jobid: string): Part[] | null {
    const { config, ended, node, runs, targets } = this.#engine;
    const own = `${NODE_JOB_PREFIX}${config.host}`;
    if (jobid === MAIN_JOB || jobid === own) {
      const elsewhere = jobid === MAIN_JOB ? new Set<Scope>() : this.#elsewhere();
      const pulled = [...targets.contributions()].filter((scope) => !elsewhere.has(scope));
      // Ended runs first: a metric keeps its first kind, and a counter of theirs must not vanish for a later gauge.
      const scopes = [ended.scope, node, ...Array.from(runs.live.values(), ({ scope }) => scope), ...pulled];
      return scopes.map((scope) => ({ scope }));
    }
    const remote = [...targets.remote()].filter(({ about }) => jobOf(about) === jobid).map(({ scope }) => ({ scope }));
    const run = runs.live.get(jobid);
    if (!run) return remote.length > 0 ? remote : null;
    // A run is shown with the metrics of its nodes beside its own.
    const rest = run.nodes.has(config.host) ? [{ scope: node, rest: true }] : [];
    return [{ scope: run.scope }, ...remote, ...rest];
  }

  /** Scopes of targets that are about other hosts. */
  #elsewhere(): Set<Scope> {
    const { config, targets } = this.#engine;
    const others = [...targets.remote()].filter(({ about }) => jobOf(about) !== `${NODE_JOB_PREFIX}${config.host}`);
    return new Set(others.map(({ scope }) => scope));
  }

  /** Whether all that counts at all counts on this host. */
  #isAlone(): boolean {
    return this.#engine.targets.remote().next().done === true;
  }

  /** The present values of a job; null when there is none of this id. */
  get(jobid: string): JobView | null {
    const parts = this.parts(jobid);
    if (!parts) return null;
    const key = jobid === MAIN_JOB && this.#isAlone() ? `${NODE_JOB_PREFIX}${this.#engine.config.host}` : jobid;
    const known = this.#views.get(key) ?? new JobView();
    known.view.update(parts);
    known.used = performance.now();
    this.#views.delete(key);
    if (known.view.count <= MAX_SERIES) this.#views.set(key, known);
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= MAX_VIEWS) break;
      this.#views.delete(oldest);
    }
    if (this.#sweep === null) this.#forgetLater();
    return known;
  }

  #forgetLater(): void {
    this.#sweep = setTimeout(() => {
      this.#sweep = null;
      for (const [key, { used }] of this.#views) if (performance.now() - used >= KEEP_MS) this.#views.delete(key);
      if (this.#views.size > 0) this.#forgetLater();
    }, KEEP_MS).unref();
  }

  /**
   * An answer that all share who ask before anything changes: readers that come at the same moment, as after a tick they
   * do, wait for one to be made, not for as many as they are.
   */
  answer(key: string, make: () => Body | null): Body | null {
    const { runs } = this.#engine;
    const changes = `${changesSoFar()} ${runs.live.size} ${runs.ended} ${this.#engine.targets.size}`;
    const known = this.#shared.get(key);
    if (known?.changes === changes) return known.body;
    const body = make();
    if (!body) return null;
    // What is there is of the past, or soon will be.
    if (this.#shared.size === 0) setTimeout(() => this.#release(), SHARE_MS).unref();
    else if (known) known.body.release();
    else if (this.#shared.size >= MAX_VIEWS) this.#release();
    this.#shared.set(key, { body, changes });
    return body;
  }

  #release(): void {
    for (const { body } of this.#shared.values()) body.release();
    this.#shared.clear();
  }
}

const viewsOf = new WeakMap<EngineContext, JobViews>();

export function jobViews(engine: EngineContext): JobViews {
  let views = viewsOf.get(engine);
  if (!views) viewsOf.set(engine, (views = new JobViews(engine)));
  return views;
}
