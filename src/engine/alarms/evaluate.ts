/**
 * Evaluates all rules at each tick. What rules have in common is done once: the series that a pattern means, and what is
 * measured of them, are columns; a rule then compares a column with its threshold. There is an object only for a series
 * whose state under a rule is not inactive.
 */

import type { RuleSettings } from '../../shared/api/alarms.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { TickInfo } from '../live/sampler.ts';
import {
  changeOf,
  instanceOf,
  restored,
  revisionOf,
  type Change,
  type Inst,
  type Instance,
  type SeriesCounts,
} from './instances.ts';
import type { Source, SourceAbout } from './match.ts';
import { Learning, meansBinding, type Binding, type Selection } from './selection.ts';
import { Sharing } from './sharing.ts';
import { finish } from './rule.ts';
import { Watched, type Now } from './watched.ts';

export type { Change, Instance, SeriesCounts } from './instances.ts';
export type { Source, SourceAbout } from './match.ts';

/** A rule as it is kept. Durations in ms. */
export interface LoadedRule {
  readonly id: string;
  readonly settings: RuleSettings;
}

export interface EvaluatorOptions {
  /** What patterns are compared with; null: no rule means this scope. */
  readonly about: (source: Source) => SourceAbout | null;
  /** `main` or `Node: HOST`, with the values of now; null: there is none. Asked once per tick, for rules that name it. */
  readonly merge?: (name: string) => Source | null;
  /** A target that is not on the list, or what one that answers does not have any more: it is not waited for. */
  readonly gone?: (scope: ScopeId) => boolean;
}

/** A document to write, or (null) to remove. */
export interface InstanceWrite {
  readonly alarm: string;
  readonly instance: Instance | null;
}

const NO_GAPS: ReadonlySet<Source> = new Set();
/** Most alarms in any state but inactive, of all rules. */
const MAX_ACTIVE = 100_000;
/** How much of what is new is looked at in a tick, in units of some 10 ns: no tick waits for ten thousand patterns. */
const LEARNED_PER_TICK = 8_000_000;
/** An alarm of a run or node, or of a target that is gone, that is not seen again for so long after a restart is over, observed ms. */
const WAIT_FOR_SCOPE = 5 * 60_000;

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #rules = new Map<string, Watched>();
  readonly #sharing = new Sharing();
  readonly #bindings = new Map<ScopeId, Binding>();
  readonly #byAlarm = new Map<string, { inst: Inst; rule: Watched }>();
  readonly #dirty = new Map<string, Inst>();
  /** Observed time, ms. */
  #clock = 0;
  #time = 0;
  /** Bindings that have a sample of this tick. */
  #fresh: Binding[] = [];
  /** Series that rules have not looked at yet. */
  #learning: Learning[] = [];

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /**
   * From now on these rules. What fired under a rule that is gone, switched off, or has another condition is resolved;
   * what else changed of a rule holds from the next tick on.
   */
  setRules(rules: readonly LoadedRule[], time = this.#time): readonly Change[] {
    const changes: Change[] = [];
    const now = this.#now(time, changes);
    const wanted = new Map(rules.map((rule) => [rule.id, rule]));
    for (const watched of this.#rules.values()) {
      const next = wanted.get(watched.id);
      if (!next) this.#forget(watched, now, 'rule_deleted');
      else if (!next.settings.enabled || revisionOf(next.settings) !== watched.revision) {
        this.#forget(watched, now, 'rule_changed');
      } else watched.settings = next.settings;
    }
    const added: Selection[] = [];
    for (const { id, settings } of rules) {
      if (this.#rules.has(id) || !settings.enabled) continue;
      const watched = new Watched(id, settings, this.#sharing.take(settings, added), this.#clock);
      this.#rules.set(id, watched);
    }
    for (const binding of this.#bindings.values()) {
      const selections = added.filter(({ scope }) => meansBinding(scope, binding));
      if (selections.length > 0) this.#later(binding, selections, [0, binding.counters], [0, binding.gauges]);
    }
    return changes;
  }

  #forget(watched: Watched, now: Now, kind: Change['kind']): void {
    for (const inst of [...watched.all()]) watched.finish(inst, now, kind, true);
    this.#sharing.release(watched.shared);
    this.#rules.delete(watched.id);
  }

  /**
   * What was there when the engine stopped. After {@link setRules}, before the first tick. `until`: up to when the engine
   * certainly watched, ms since the epoch. Changes: what belongs to no rule any more, or to one that was changed since.
   */
  restore(instances: Iterable<Instance>, until: number): readonly Change[] {
    const changes: Change[] = [];
    const now = this.#now(until, changes);
    for (const kept of instances) {
      const inst = restored(kept, until, this.#clock);
      const watched = this.#rules.get(kept.rule);
      if (watched && watched.revision === kept.revision) {
        watched.adoptLater(inst);
        this.#byAlarm.set(inst.alarm, { inst, rule: watched });
      } else {
        const kind = watched ? 'rule_changed' : 'rule_deleted';
        const state = finish(inst.state, now.clock, until);
        this.#dirty.set(inst.alarm, { ...inst, state: { ...state, state: 'inactive' } });
        if (state.state !== kept.state) changes.push(changeOf(inst, kept.state, state.state, until, kind, 0));
      }
    }
    return changes;
  }

  /**
   * A tick in turn with the scopes that have a sample of it; a target's only when it was asked. What is known of a scope
   * that is not among them is as old as its last sample. Values are read at once, nothing is kept of the columns.
   * `gaps`: those of the scopes that nobody watched for a while before this tick.
   */
  tick(tick: TickInfo, sources: Iterable<Source>, gaps: ReadonlySet<Source> = NO_GAPS): readonly Change[] {
    if (!tick.gap) this.#clock += Math.max(0, tick.interval);
    this.#time = tick.time;
    const changes: Change[] = [];
    const now = this.#now(tick.time, changes);
    if (tick.gap) for (const binding of this.#bindings.values()) binding.missed = true;
    for (const binding of this.#fresh) for (const segment of binding.segments.values()) segment.fresh = false;
    this.#fresh = [];
    // Timers were noted by the wall clock, which does not tell how much of it was observed.
    if (tick.gap) for (const { inst } of this.#byAlarm.values()) if (inst.state.running) this.#note(inst);
    for (const source of sources) this.#sample(source, gaps.has(source));
    for (const name of this.#sharing.merges()) {
      const source = this.#options.merge?.(name);
      // What a part grew by while nobody watched it is in the sum, too.
      if (source) this.#sample(source, gaps.size > 0, true);
    }
    if (this.#learning.length > 0) this.#learn();
    for (const { segments } of this.#fresh) for (const segment of segments.values()) segment.read(this.#clock);
    for (const measured of this.#sharing.measured()) if (!measured.refused) measured.compute();
    for (const watched of this.#rules.values()) {
      this.#dropLost(watched, now);
      watched.evaluate(now);
    }
    return changes;
  }

  #sample(source: Source, gap: boolean, isMerge = false): void {
    const [clock, time] = [this.#clock, this.#time];
    let binding = this.#bindings.get(source.id);
    if (!binding || binding.source !== source) {
      const about = isMerge ? null : this.#options.about(source);
      if (binding) this.#unbind(binding);
      if (about === null && !isMerge) return;
      const since = { clock, time, gap, jump: 0, waited: 0 };
      binding = { source, about, counters: 0, gauges: 0, segments: new Map(), since, missed: false };
      this.#bindings.set(source.id, binding);
    }
    const { since: before, missed } = binding;
    const [jump, waited] = [time - before.time, clock - before.clock];
    binding.since = { clock, time, gap: gap || missed, jump, waited };
    binding.missed = false;
    this.#fresh.push(binding);
    const { counterCount, gaugeCount } = source;
    if (counterCount === binding.counters && gaugeCount === binding.gauges) return;
    const of = binding;
    const selections = [...this.#sharing.selections()].filter(({ scope }) => meansBinding(scope, of));
    this.#later(of, selections, [of.counters, counterCount], [of.gauges, gaugeCount]);
    of.counters = counterCount;
    of.gauges = gaugeCount;
  }

  #later(
    binding: Binding,
    selections: readonly Selection[],
    counters: [number, number],
    gauges: [number, number],
  ): void {
    this.#learning.push(new Learning(binding, selections, counters, gauges));
  }

  #learn(): void {
    let room = LEARNED_PER_TICK;
    while (room > 0) {
      const learning = this.#learning[0];
      if (!learning) break;
      room = learning.run(room, this.#clock);
      for (const watched of this.#rules.values()) watched.adopt(learning.binding);
      if (room > 0) this.#learning.shift();
    }
    this.#sharing.limit();
  }

  /** A scope that ended: a run is over, a target was removed. What fired there is resolved. */
  ended(scope: ScopeId, time: number): readonly Change[] {
    const changes: Change[] = [];
    const now = this.#now(time, changes);
    const binding = this.#bindings.get(scope);
    if (binding) this.#unbind(binding);
    for (const watched of this.#rules.values()) watched.over(scope, now);
    return changes;
  }

  /** What patterns see of a scope has changed: a run's command became known. */
  refresh(scope: ScopeId, time = this.#time): readonly Change[] {
    const changes: Change[] = [];
    const binding = this.#bindings.get(scope);
    const about = binding?.about ? this.#options.about(binding.source) : null;
    if (!binding || !about) return changes;
    binding.about = about;
    const now = this.#now(time, changes);
    const added: Selection[] = [];
    for (const selection of this.#sharing.selections()) {
      const means = meansBinding(selection.scope, binding);
      if (means && !binding.segments.has(selection)) added.push(selection);
      if (means || !binding.segments.has(selection)) continue;
      for (const watched of this.#rules.values()) if (watched.isOf(selection)) watched.unbind(binding, this.#clock);
      selection.drop(binding);
      this.#sharing.unbind(binding, selection);
      for (const watched of this.#rules.values()) if (watched.isOf(selection)) watched.over(scope, now);
    }
    if (added.length > 0) this.#later(binding, added, [0, binding.counters], [0, binding.gauges]);
    for (const watched of this.#rules.values()) {
      for (const inst of watched.all()) if (inst.scope === scope) inst.place = about.place;
    }
    return changes;
  }

  #unbind(binding: Binding): void {
    this.#bindings.delete(binding.source.id);
    for (const watched of this.#rules.values()) watched.unbind(binding, this.#clock);
    for (const selection of [...binding.segments.keys()]) selection.drop(binding);
    this.#sharing.unbind(binding);
    this.#fresh = this.#fresh.filter((one) => one !== binding);
    this.#learning = this.#learning.filter((one) => one.binding !== binding);
  }

  /** Ends what waits for a run or node that did not come back. Targets are waited for: they may be down for long. */
  #dropLost(watched: Watched, now: Now): void {
    for (const inst of watched.lost(now.clock - WAIT_FOR_SCOPE)) {
      const { scope } = inst;
      const isGone = scope.startsWith('target/') ? this.#options.gone?.(scope) === true : !scope.startsWith('merge/');
      if (isGone) watched.finish(inst, now, 'state', false);
    }
  }

  #now(time: number, changes: Change[]): Now {
    return {
      ...{ clock: this.#clock, time },
      mayBegin: () => this.#byAlarm.size < MAX_ACTIVE,
      changed: (rule, inst, was, kind) => {
        if (inst.state.state === 'inactive') this.#byAlarm.delete(inst.alarm);
        else if (was === 'inactive') this.#byAlarm.set(inst.alarm, { inst, rule });
        changes.push(changeOf(inst, was, inst.state.state, time, kind, rule.threshold(inst.state.state)));
        this.#note(inst);
      },
      touched: (inst) => this.#note(inst),
      dropped: (inst) => {
        this.#byAlarm.delete(inst.alarm);
        this.#note(inst);
      },
    };
  }

  #note(inst: Inst): void {
    this.#dirty.set(inst.alarm, inst);
  }

  /** What is to be written since the last call, so that a restart goes on from here. */
  takeWrites(): InstanceWrite[] {
    const writes = Array.from(this.#dirty.values(), (inst) => {
      const known = this.#byAlarm.get(inst.alarm);
      const instance = known ? instanceOf(known.inst, known.rule.revision, this.#clock, this.#time) : null;
      return { alarm: inst.alarm, instance };
    });
    this.#dirty.clear();
    return writes;
  }

  /** All in any state but inactive, as they are now. */
  *active(): Generator<Instance, void> {
    for (const { inst, rule } of this.#byAlarm.values()) yield instanceOf(inst, rule.revision, this.#clock, this.#time);
  }

  alarm(id: string): Instance | null {
    const known = this.#byAlarm.get(id);
    return known ? instanceOf(known.inst, known.rule.revision, this.#clock, this.#time) : null;
  }

  /** Series of a rule by state; `inactive` are those that it watches without anything to tell. */
  counts(rule: string): SeriesCounts {
    return this.#rules.get(rule)?.counts() ?? { inactive: 0, pending: 0, firing: 0, resolved: 0, no_data: 0 };
  }

  /** Series that a rule watches now. */
  seriesCount(rule: string): number {
    return this.#rules.get(rule)?.seriesCount ?? 0;
  }

  /** What is wrong with a rule now, in words to act on. */
  problem(rule: string): string | null {
    return this.#rules.get(rule)?.problem ?? null;
  }
}
