/** One rule at work: which of its series are in any state but inactive, and how they change at a tick. */

import { MAX_RULE_SERIES, type AlarmState, type RuleSettings } from '../../shared/api/alarms.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { newInst, revisionOf, type Change, type Inst, type SeriesCounts } from './instances.ts';
import type { Column } from './measure.ts';
import type { Moment } from './moment.ts';
import { compare, conditionOf, finish, held, RESOLVED_FOR, step, type Condition, type RuleState } from './rule.ts';
import { isEarly, mayHold, scan } from './scan.ts';
import { mergeId, type Binding, type Segment, type Selection } from './selection.ts';
import type { Shared } from './sharing.ts';

export interface Now extends Moment {
  /** There is room for one more. */
  mayBegin(): boolean;
  /** Its state is another one now. */
  changed(rule: Watched, inst: Inst, was: AlarmState, kind: Change['kind']): void;
  /** Its timer began, stopped or was reset. */
  touched(inst: Inst): void;
  /** It is not held any more, of which nothing is told. */
  dropped(inst: Inst): void;
}

/** Series of a segment in any state but inactive. */
interface Active {
  readonly list: Inst[];
  /** One byte per series. */
  marks: Uint8Array;
}

/** Slots found by a scan; shared, since a rule is done before the next one. */
let hits = new Int32Array(1024);

export class Watched {
  readonly id: string;
  readonly revision: string;
  readonly shared: Shared;
  #settings: RuleSettings;
  #condition: Condition;
  readonly #active = new Map<Segment, Active>();
  /** Those whose series is not there: not yet since a restart, or not any more. */
  readonly #loose = new Set<Inst>();
  /** Of `absent`: nothing at all matches. */
  #nothing: Inst | null = null;
  /** Since when, observed clock. */
  #nothingFrom: number;
  readonly #counts: Record<AlarmState, number> = { inactive: 0, pending: 0, firing: 0, resolved: 0, no_data: 0 };
  #tooMany = false;

  constructor(id: string, settings: RuleSettings, shared: Shared, clock: number) {
    this.id = id;
    this.shared = shared;
    this.revision = revisionOf(settings);
    this.#settings = settings;
    this.#condition = conditionOf(settings);
    this.#nothingFrom = clock;
  }

  set settings(settings: RuleSettings) {
    this.#settings = settings;
    this.#condition = conditionOf(settings);
  }

  get seriesCount(): number {
    return typeof this.shared === 'string' ? 0 : this.shared.selection.count;
  }

  get problem(): string | null {
    if (typeof this.shared === 'string') return this.shared;
    const { selection, refused } = this.shared;
    if (refused) return 'its window over so many series does not fit into memory: match less, or shorten the window';
    if (this.#tooMany) return 'more alarms than can be held are active: match less, or move the threshold';
    if (selection.leftOut > 0 && selection.count < MAX_RULE_SERIES) {
      return `all rules together match more series than can be watched: ${selection.leftOut} of this one's are not; match less`;
    }
    if (selection.leftOut > 0) {
      return `it matches more than ${MAX_RULE_SERIES} series; ${selection.leftOut} of them are not watched`;
    }
    return null;
  }

  counts(): SeriesCounts {
    const { pending, firing, resolved, no_data } = this.#counts;
    let attached = 0;
    for (const { list } of this.#active.values()) attached += list.length;
    return { inactive: Math.max(0, this.seriesCount - attached), pending, firing, resolved, no_data };
  }

  /** What the value was compared with when it came into a state. */
  threshold(state: AlarmState): number {
    const { raise, clear } = this.#condition;
    return state === 'resolved' ? clear : raise;
  }

  isOf(selection: Selection): boolean {
    return typeof this.shared !== 'string' && this.shared.selection === selection;
  }

  *all(): Generator<Inst, void> {
    for (const { list } of this.#active.values()) yield* [...list];
    yield* [...this.#loose];
    if (this.#nothing) yield this.#nothing;
  }

  /** Of an earlier start: it waits for its series. */
  adoptLater(inst: Inst): void {
    this.#counts[inst.state.state]++;
    if (inst.scope === '') this.#nothing = inst;
    else this.#loose.add(inst);
  }

  /** Those that wait since before a time of the observed clock. */
  *lost(before: number): Generator<Inst, void> {
    for (const inst of this.#loose) if (!inst.over && inst.from <= before) yield inst;
  }

  /** A scope has series, new ones perhaps: those that waited for them go on there. */
  adopt(binding: Binding): void {
    if (this.#loose.size === 0 || typeof this.shared === 'string') return;
    const segment = binding.segments.get(this.shared.selection);
    if (!segment) return;
    const { id } = binding.source;
    const waiting = [...this.#loose].filter(({ scope }) => scope === id);
    if (waiting.length === 0) return;
    const slots = new Map<string, number>();
    for (let slot = 0; slot < segment.count; slot++) slots.set(segment.key(slot), slot);
    for (const inst of waiting) {
      const slot = slots.get(inst.metric);
      if (slot === undefined) continue;
      this.#loose.delete(inst);
      inst.slot = slot;
      inst.over = false;
      inst.place = placeOf(binding);
      this.#attach(segment, inst);
    }
  }

  #attach(segment: Segment, inst: Inst): void {
    let active = this.#active.get(segment);
    if (!active) this.#active.set(segment, (active = { list: [], marks: new Uint8Array(segment.count) }));
    active.marks = withRoom(active.marks, segment.count);
    active.marks[inst.slot] = 1;
    active.list.push(inst);
  }

  /** The scope's series are no more; nothing is said of whether they come back. */
  unbind(binding: Binding, clock: number): void {
    if (typeof this.shared === 'string') return;
    const segment = binding.segments.get(this.shared.selection);
    const active = segment && this.#active.get(segment);
    if (!active) return;
    for (const inst of active.list) {
      inst.from = clock - segment.silent(inst.slot, clock);
      inst.slot = -1;
      this.#loose.add(inst);
    }
    this.#active.delete(segment);
  }

  /** A scope has ended. */
  over(scope: ScopeId, now: Now): void {
    for (const inst of [...this.#loose]) if (inst.scope === scope) this.finish(inst, now, 'state', false);
  }

  /** Ends an alarm. `all`: what is resolved is not even shown for a while. */
  finish(inst: Inst, now: Now, kind: Change['kind'], all: boolean): void {
    const was = inst.state.state;
    inst.state = finish(inst.state, now.clock, now.time);
    inst.over = true;
    const state = inst.state.state;
    if (state !== was) {
      this.#counts[was]--;
      this.#counts[state]++;
      now.changed(this, inst, was, kind);
    }
    if (!all && state !== 'inactive') return;
    this.#counts[state]--;
    if (state !== 'inactive') {
      // It was told that it is resolved; that it is not shown any more is nothing to tell.
      inst.state = { ...inst.state, state: 'inactive' };
      now.dropped(inst);
    }
    this.#remove(inst);
  }

  #remove(inst: Inst): void {
    this.#loose.delete(inst);
    if (this.#nothing === inst) this.#nothing = null;
  }

  evaluate(now: Now): void {
    if (typeof this.shared === 'string' || this.shared.refused) return;
    for (const column of this.shared.columns.values()) this.#column(column, now);
    if (this.#loose.size > 0) for (const inst of [...this.#loose]) this.#stepLoose(inst, now);
    if (this.#condition.absentAfter !== null) this.#stepNothing(now);
  }

  #column(column: Column, now: Now): void {
    const segment = column.of;
    const active = this.#active.size === 0 ? undefined : this.#active.get(segment);
    if (active) this.#stepAll(active, column, now);
    const c = this.#condition;
    if (c.absentAfter === null && segment.fresh && mayHold(c.op, column, c.raise)) this.#begin(column, now);
    const after = c.absentAfter ?? (c.noData === 'state' || c.noData === 'fire' ? c.noDataAfter : Infinity);
    if (after === Infinity) return;
    if (segment.silentCount === 0 && now.clock - segment.sampled < after) return;
    for (let slot = 0; slot < segment.count; slot++) {
      if (segment.silent(slot, now.clock) >= after) this.#start(segment, slot, NaN, now);
    }
  }

  #begin(column: Column, now: Now): void {
    const { of: segment } = column;
    const { op, raise } = this.#condition;
    if (hits.length < segment.count) hits = new Int32Array(2 * segment.count);
    const values = isEarly(this.#settings) ? column.partial : column.values;
    const n = scan(op, values, segment.count, raise, hits);
    if (n === 0) return;
    const marks = this.#active.get(segment)?.marks;
    for (let i = 0; i < n; i++) {
      const slot = hits[i]!;
      if (marks?.[slot] !== 1) this.#start(segment, slot, values[slot]!, now);
    }
  }

  #start(segment: Segment, slot: number, value: number, now: Now): void {
    if (this.#active.get(segment)?.marks[slot] === 1) return;
    const { binding } = segment;
    const inst = newInst(this.id, binding.source.id, placeOf(binding), segment.key(slot), slot, now.clock);
    if (this.#step(inst, value, segment.silent(slot, now.clock), now)) this.#attach(segment, inst);
  }

  #stepAll(active: Active, { of: segment, values, partial }: Column, now: Now): void {
    const { list, marks } = active;
    const { op, raise } = this.#condition;
    const early = isEarly(this.#settings);
    let kept = 0;
    for (let i = 0; i < list.length; i++) {
      const inst = list[i]!;
      const { slot } = inst;
      let value = segment.fresh ? values[slot]! : NaN;
      if (value !== value && early && segment.fresh && compare(op, partial[slot]!, raise)) value = partial[slot]!;
      if (this.#step(inst, value, segment.silent(slot, now.clock), now)) list[kept++] = inst;
      else marks[slot] = 0;
    }
    list.length = kept;
    if (kept === 0) this.#active.delete(segment);
  }

  #stepLoose(inst: Inst, now: Now): void {
    if (inst.over) {
      if (held(inst.state, now.clock) < RESOLVED_FOR) return;
      this.#set(inst, { ...inst.state, state: 'inactive', since: now.time, fired: null }, now);
    } else this.#step(inst, NaN, now.clock - inst.from, now);
    if (inst.state.state === 'inactive') this.#loose.delete(inst);
  }

  #stepNothing(now: Now): void {
    // One that waits was there, and may come back.
    const some = this.seriesCount > 0 || [...this.#loose].some(({ over }) => !over);
    if (some) this.#nothingFrom = now.clock;
    const inst = this.#nothing ?? (some ? null : newInst(this.id, '', '', '', -1, now.clock));
    if (!inst) return;
    this.#nothing = this.#step(inst, NaN, now.clock - this.#nothingFrom, now) ? inst : null;
  }

  /** False: it is inactive. */
  #step(inst: Inst, value: number, silent: number, now: Now): boolean {
    if (inst.state.state === 'inactive' && !now.mayBegin()) {
      this.#tooMany = true;
      return false;
    }
    if (silent === 0) inst.seen = now.time;
    if (value === value) inst.value = value;
    const next = step(this.#condition, inst.state, value, silent, now.clock, now.time);
    if (next !== inst.state) this.#set(inst, next, now);
    return next.state !== 'inactive';
  }

  #set(inst: Inst, next: RuleState, now: Now): void {
    const was = inst.state.state;
    inst.state = next;
    if (next.state === was) {
      now.touched(inst);
      return;
    }
    if (was !== 'inactive') this.#counts[was]--;
    if (next.state !== 'inactive') this.#counts[next.state]++;
    if (next.state === 'inactive') this.#tooMany = false;
    now.changed(this, inst, was, 'state');
  }
}

const placeOf = ({ about, source }: Binding): string => about?.place ?? source.id.slice(mergeId('').length);

function withRoom(marks: Uint8Array, count: number): Uint8Array {
  if (marks.length >= count) return marks;
  const next = new Uint8Array(Math.max(count, 2 * marks.length));
  next.set(marks);
  return next;
}
