/**
 * When a rule would have fired: its states over stored samples, by the same function that evaluates it live. The store
 * reads on a thread of its own; what is left to do here is done in slices, so that nobody waits for it.
 *
 * Where samples are no longer kept, or would be too many, buckets stand for them: `step` of the answer says so.
 */

import type { PreviewLine, PreviewRequest, PreviewSeries, RuleSettings } from '../../shared/api/alarms.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from '../store/aggregate.ts';
import type { RangeTarget } from '../store/range-plan.ts';
import type { Store } from '../store/store.ts';
import { Drawn } from './drawn.ts';
import { matchesScope, type SourceAbout } from './match.ts';
import { Player } from './player.ts';
import { refuseRule } from './refuse.ts';

export interface PreviewHost {
  readonly store: Pick<Store, 'columns' | 'runs' | 'run'>;
  readonly now: () => number;
  /** Scopes that live now. */
  readonly live: () => Iterable<ScopeId>;
  /** What patterns see of one; null: no rule is about it. */
  readonly about: (scope: ScopeId) => SourceAbout | null;
  /** The same of a run that has ended. */
  readonly aboutRun: (run: Run) => SourceAbout;
}

/** Samples that are read in one question, and looked at between two turns of the loop at the least. */
const CHUNK_CELLS = 250_000;
/** What is asked for first, when nobody knows how dense samples are, ms. */
const FIRST_CHUNK = 3_600_000;
/** Longest time without letting others work, ms. */
const SLICE = 6;
/** More samples than this are not read one by one, but as buckets. */
const MAX_SAMPLES = 40_000_000;
const MAX_BUCKETS = 4_000_000;
/** Ended runs that are looked through. */
const MAX_RUNS = 1000;
const DAY = 86_400_000;

/** A scope to look at. */
interface Place {
  readonly scope: ScopeId;
  readonly about: SourceAbout | null;
  /** When it ended, ms since the epoch; null: it lives. */
  readonly ended: number | null;
}

/** Lines as the API answers them; the last one is `done` or `error`. Rejects with the signal's reason. */
export async function* preview(
  host: PreviewHost,
  request: PreviewRequest,
  signal: AbortSignal,
): AsyncGenerator<PreviewLine, void> {
  const { rule, from, to } = request;
  const refused = refuse(request);
  if (refused !== null) {
    yield { kind: 'error', code: 'bad_request', detail: refused };
    return;
  }
  const work = new Preview(host, request, signal);
  const places = await placesOf(host, request);
  const chosen = await work.choose(places);
  yield { kind: 'progress', done: 0 };
  let told = performance.now();
  const players: Player[] = [];
  let done = 0;
  for (const { place, targets, divisors } of chosen) {
    for await (const part of work.play(place, targets, divisors, players)) {
      if (performance.now() - told < 100) continue;
      told = performance.now();
      yield { kind: 'progress', done: Math.min(0.99, (done + part) / chosen.length) };
    }
    done++;
  }
  if (rule.measure.kind === 'absent' && chosen.length === 0)
    players.push(Player.ofNothing(rule, from, Math.min(to, host.now())));
  yield answer(players, request, work, Math.min(to, host.now()));
}

function refuse({ rule, from, to }: PreviewRequest): string | null {
  if (!(from < to)) return 'from is before to';
  if (rule.scope.kind === 'merge') return 'sums are not stored, so there is nothing to look back at';
  return refuseRule(rule);
}

/** Where to look: what is said, or all that the rule means and that was there in the range. */
async function placesOf(host: PreviewHost, { rule, from, to, scopes }: PreviewRequest): Promise<Place[]> {
  const live = new Set(host.live());
  const places: Place[] = [];
  if (scopes) {
    for (const scope of scopes) {
      const run =
        live.has(scope) || !scope.startsWith('run/') ? null : await host.store.run(scope.slice('run/'.length));
      const about = run ? host.aboutRun(run) : host.about(scope);
      places.push({ scope, about, ended: run ? run.end_time : null });
    }
    return places;
  }
  for (const scope of live) {
    const about = host.about(scope);
    if (about && matchesScope(rule.scope, about)) places.push({ scope, about, ended: null });
  }
  if (rule.scope.kind !== 'run' && rule.scope.kind !== 'all') return places;
  const { runs } = await host.store.runs({ state: 'ended', limit: MAX_RUNS });
  for (const run of runs) {
    if (run.end_time < from || run.start_time > to || live.has(run.scope)) continue;
    const about = host.aboutRun(run);
    if (matchesScope(rule.scope, about)) places.push({ scope: run.scope, about, ended: run.end_time });
  }
  return places;
}

interface Chosen {
  readonly place: Place;
  readonly targets: readonly RangeTarget[];
  readonly divisors: readonly RangeTarget[];
}

class Preview {
  readonly #host: PreviewHost;
  readonly #request: PreviewRequest;
  readonly #signal: AbortSignal;
  readonly #rule: RuleSettings;
  /** Where reading begins: before the range by as long as the past matters. */
  readonly #begin: number;
  /** Width of buckets that are asked for; 0: samples. */
  #wanted = 0;
  #slice = performance.now();
  step = 0;
  leftOut = 0;

  constructor(host: PreviewHost, request: PreviewRequest, signal: AbortSignal) {
    this.#host = host;
    this.#request = request;
    this.#signal = signal;
    const { rule } = request;
    this.#rule = rule;
    const { measure } = rule;
    const before = ('window' in measure ? measure.window : 0) + rule.for + rule.keep_firing_for;
    this.#begin = Math.max(0, request.from - before - 60_000);
  }

  /** Series that match, as many as are asked for. */
  async choose(places: readonly Place[]): Promise<Chosen[]> {
    const { max_series: most, to } = this.#request;
    const chosen: Chosen[] = [];
    let room = most;
    for (const place of places) {
      const all = await this.#targets(place.scope, this.#rule.metric);
      const targets = all.slice(0, room);
      this.leftOut += all.length - targets.length;
      room -= targets.length;
      if (targets.length === 0) continue;
      const { measure } = this.#rule;
      const divisors = measure.kind === 'ratio' ? await this.#targets(place.scope, measure.to) : [];
      chosen.push({ place, targets, divisors });
    }
    const series = most - room;
    const span = to - this.#begin;
    // Once per second is what most are sampled.
    if ((series * span) / 1000 > MAX_SAMPLES)
      this.#wanted = (series * span) / 60_000 > MAX_BUCKETS ? 3_600_000 : 60_000;
    return chosen;
  }

  async #targets(scope: ScopeId, selector: string): Promise<readonly RangeTarget[]> {
    const { to } = this.#request;
    const query = { scope, series: [], select: [selector], from: to, to, maxPoints: 2 };
    return (await this.#host.store.columns(query, this.#signal))?.targets ?? [];
  }

  /** Yields how much of the range is done. */
  async *play(
    { scope, about, ended }: Place,
    targets: readonly RangeTarget[],
    divisors: readonly RangeTarget[],
    players: Player[],
  ): AsyncGenerator<number, void> {
    const to = Math.min(this.#request.to, this.#host.now());
    const keys = [...targets, ...divisors].map(({ key }) => key);
    const unique = [...new Set(keys)];
    const at = new Map(unique.map((key, i) => [key, i]));
    const own = targets.map((target) => {
      const divisor = divisorOf(target, divisors);
      const place = about?.place ?? scope;
      const { from } = this.#request;
      const [row, below] = [at.get(target.key)!, divisor ? at.get(divisor.key)! : -1];
      return new Player(this.#rule, { scope, place, target, divisor, row, below, from, drawn: this.#drawn() });
    });
    players.push(...own);
    const ask = (from: number, until: number): Promise<RangeColumns | null> =>
      this.#host.store.columns(
        {
          ...{ scope, series: unique, from, to: until, maxPoints: Infinity },
          ...(this.#wanted > 0 ? { step: this.#wanted } : {}),
        },
        this.#signal,
      );
    const wide = this.#wanted > 0 ? Infinity : FIRST_CHUNK;
    let begin = this.#begin;
    let end = Math.min(to, begin + wide);
    let next: Promise<RangeColumns | null> | null = ask(begin, end);
    while (next) {
      const columns: RangeColumns | null = await next;
      // The next question is answered while this answer is looked at.
      const cells = columns ? columns.times.length * unique.length : 0;
      const width = cells > 0 ? (CHUNK_CELLS / cells) * (end - begin) : 24 * FIRST_CHUNK;
      [begin, end] = [end + 0.001, Math.min(to, end + width)];
      next = end > begin ? ask(begin, end) : null;
      next?.catch(() => undefined);
      if (columns) {
        this.step = Math.max(this.step, columns.step);
        for (const player of own) {
          player.play(columns);
          await this.#turn();
        }
      }
      yield (begin - this.#begin) / (to - this.#begin);
    }
    for (const player of own) player.end(ended === null ? to : Math.min(to, ended), ended !== null);
  }

  #drawn(): Drawn | null {
    const { points, from, to } = this.#request;
    return points === undefined ? null : new Drawn(from, Math.max(from + 1, Math.min(to, this.#host.now())), points);
  }

  async #turn(): Promise<void> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#slice < SLICE) return;
    await new Promise((resolve) => void setImmediate(resolve));
    this.#signal.throwIfAborted();
    this.#slice = performance.now();
  }
}

const labelsOf = (key: string): string => {
  const brace = key.indexOf('{');
  return brace < 0 ? '' : key.slice(brace);
};

/** With the same labels, or the only one. */
function divisorOf({ key }: RangeTarget, divisors: readonly RangeTarget[]): RangeTarget | null {
  const same = divisors.find((one) => labelsOf(one.key) === labelsOf(key));
  return same ?? (divisors.length === 1 ? divisors[0]! : null);
}

function answer(players: readonly Player[], { from }: PreviewRequest, work: Preview, to: number): PreviewLine {
  let [times, longest, total] = [0, 0, 0];
  const values: number[] = [];
  let [min, max] = [Infinity, -Infinity];
  const series: PreviewSeries[] = [];
  for (const player of players) {
    const { firing, pending } = player;
    times += player.times;
    longest = Math.max(longest, player.longest);
    total += player.total;
    min = Math.min(min, player.min);
    max = Math.max(max, player.max);
    for (const value of player.some) values.push(value);
    const { scope, place, metric, drawn } = player;
    series.push({ scope, place, metric, firing, pending, ...(drawn ? { plot: drawn.plot() } : {}) });
  }
  values.sort((a, b) => a - b);
  const median = values[values.length >>> 1];
  return {
    kind: 'done',
    ...{ series, times, per_day: (times * DAY) / Math.max(1, to - from), longest, total, left_out: work.leftOut },
    range: median === undefined ? null : { min, median, max },
    step: work.step,
  };
}
