/**
 * Alarms as a whole: the list of rules, what they come to with each tick, what people say of it, and who is told. What a
 * tick changes is written in one transaction and told afterwards; without a rule there is nothing to do at all.
 */

import type {
  AcknowledgeRequest,
  Acknowledgement,
  Alarm,
  AlarmHistory,
  HistoryQuery,
  PreviewLine,
  PreviewRequest,
  StateCounts,
} from '../../shared/api/alarms.ts';
import type { LiveAlarms, LiveNotification } from '../../shared/api/live.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { TickInfo } from '../live/sampler.ts';
import type { Scope } from '../live/scope.ts';
import { Book, describeAlarm, fires, type Held } from './book.ts';
import type { Evaluator } from './evaluate.ts';
import type { Change, Instance } from './instances.ts';
import { Journal, type NewEvent } from './journal.ts';
import { eventOf, goesOn } from './happened.ts';
import { acknowledgementOf, instancesOf } from './kept.ts';
import type { Notifier, NotifierHost, Told } from './notifier.ts';
import { Children, type ChildAlarm, type ChildChanges } from './parent.ts';
import type { RecordChange, Records } from './records.ts';
import { RuleDesk } from './rule-desk.ts';
import type { RuleRecord, Rules } from './rules.ts';
import { SilenceDesk } from './silence-desk.ts';

/** Values of alarms are looked at this often while somebody watches them live, ms; of so many alarms. */
const LOOK_EVERY = 5000;
const MAX_LOOKED = 1000;
/** Targets that left the list while this engine was down are noticed after so long: some are found late. */
const FORGET_TARGETS_EVERY = 5 * 60_000;
/** Events of before the start that live readers can go on from. */
const REMEMBERED = 1000;

export interface AlarmsOptions {
  readonly records: Records;
  /** Host name, as alarms have it in their label `engine`. */
  readonly engine: string;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** Live readers look at what is new. */
  readonly announce: () => void;
  /** Loaded when there is a rule: most engines have none. */
  readonly evaluator: () => Promise<Evaluator>;
  /** When a rule would have fired. */
  readonly preview: (request: PreviewRequest, signal: AbortSignal) => AsyncIterable<PreviewLine>;
  /** Whether a target is on the list. */
  readonly hasTarget?: (id: string) => boolean;
  /** Loaded when there is a channel, or somebody asks for them. */
  readonly notifier: (records: Records, host: NotifierHost) => Promise<Notifier>;
}

type Show = (notification: LiveNotification) => void;

export class Alarms {
  readonly #options: AlarmsOptions;
  readonly book: Book;
  readonly journal: Journal;
  readonly desk: RuleDesk;
  readonly silences: SilenceDesk;
  /** Of the engines below this one. */
  readonly children = new Children();
  #evaluator: Evaluator | null = null;
  #notifier: Notifier | null = null;
  #opening: Promise<Notifier> | null = null;
  /** Pages that show notifications, and what ends it where they are known to the notifier. */
  readonly #watchers = new Map<Show, () => void>();
  /** Scopes of which something was learnt that patterns look at. */
  readonly #refresh = new Set<ScopeId>();
  /** When it was looked at last whether engines below are still on the list, ms since the epoch. */
  #visited: number;
  /** When live readers had present values last, ms since the epoch. */
  #looked = 0;
  /** Whether there is a way to tell people, as of a moment ago. */
  #telling = { at: -Infinity, yes: false };
  #closed = false;

  private constructor(options: AlarmsOptions, last: number) {
    const { records, warn, now } = options;
    this.#options = options;
    this.#visited = now();
    this.book = new Book(options.engine);
    this.journal = new Journal(records, last, warn);
    this.desk = new RuleDesk({
      ...{ records, now },
      changed: (rules) => this.#rulesChanged(rules),
      ofRule: (id) => this.#ofRule(id),
    });
    this.silences = new SilenceDesk({
      ...{ records, now, book: this.book },
      changed: (helds) => this.#later([], [], helds, helds.filter(fires)),
      looked: () => this.#showChildren([...this.children]),
    });
  }

  /** Reads what was kept. `until`: up to when the engine before certainly watched, ms since the epoch. */
  static async open(options: AlarmsOptions, until: () => Promise<number>): Promise<Alarms> {
    const { records, warn, now } = options;
    const last = await records.lastNumber();
    const alarms = new Alarms(options, last);
    const bad = alarms.rules.load(await records.read('rule'));
    if (bad.length > 0) warn(`${bad.length} rule(s) for alarms cannot be understood and are left out`);
    alarms.silences.load(await records.read('silence'), now());
    if (alarms.rules.size > 0) await alarms.#restore(until);
    alarms.children.load(await records.read('child'));
    for (const child of alarms.children) child.version = alarms.book.next();
    if (last > 0) alarms.journal.fill((await records.history({ limit: REMEMBERED })).events.reverse());
    if ((await records.read('channel')).size > 0) await alarms.notifier();
    return alarms;
  }

  async #restore(until: () => Promise<number>): Promise<void> {
    const { records, now } = this.#options;
    const kept = instancesOf((await records.read('instance')).values());
    const said = await records.read('acknowledgement');
    const evaluator = await this.#evaluating();
    const watched = kept.length === 0 ? 0 : await until();
    const over = evaluator.restore(kept, watched);
    const gone: RecordChange[] = [];
    for (const instance of evaluator.active()) this.#hold(instance, acknowledgementOf(said.get(instance.alarm)));
    for (const id of said.keys()) {
      if (!this.book.get(id)?.acknowledged) gone.push({ kind: 'acknowledgement', id, value: null });
    }
    this.journal.add(gone, []);
    this.#apply(over, now());
  }

  /** One that goes on from before the start. */
  #hold(instance: Instance, acknowledged: Acknowledgement | null): void {
    const rule = this.rules.get(instance.rule);
    if (!rule) return;
    const { alarm: id, scope, place, metric, state, since, fired, value } = instance;
    const { raise, clear } = rule.settings;
    const threshold = state === 'resolved' ? (clear ?? raise) : raise;
    const labels = this.book.labelsOf(rule, scope, metric);
    const silenced = this.silences.hitting(labels);
    const held = { id, rule, scope, place, metric, labels, state, since, fired, value, threshold, silenced };
    this.book.put({ ...held, acknowledged: fired === null ? null : acknowledged, version: 0 });
    this.book.show(this.book.get(id)!);
  }

  get rules(): Rules {
    return this.desk.rules;
  }

  /** All alarms by state; of rules that are off nothing is counted. */
  counts(): StateCounts {
    const counts = this.book.counts();
    if (this.#evaluator) for (const { id } of this.rules) counts.inactive += this.#evaluator.counts(id).inactive;
    for (const child of this.children) {
      const { state, silenced, acknowledged } = this.describeChild(child);
      counts[state]++;
      if (state === 'firing' && silenced.length > 0) counts.silenced++;
      if (state === 'firing' && acknowledged) counts.acknowledged++;
    }
    return counts;
  }

  /** What the evaluation says of a rule. */
  #ofRule(id: string): { counts: StateCounts; series: number; problem: string | null } {
    const counts = this.book.counts(id);
    const evaluator = this.#evaluator;
    if (!evaluator) return { counts, series: 0, problem: null };
    counts.inactive = evaluator.counts(id).inactive;
    return { counts, series: evaluator.seriesCount(id), problem: evaluator.problem(id) };
  }

  /** Alarms that fire. */
  get firing(): number {
    return this.book.firing;
  }

  *#firing(): Generator<Alarm, void> {
    for (const held of this.book) if (fires(held)) yield describeAlarm(held);
    for (const { alarm } of this.children)
      if (alarm.state === 'firing' && alarm.told !== true) yield this.#quieted(alarm);
  }

  alarm(id: string): Alarm | null {
    const held = this.book.get(id);
    const child = this.children.get(id);
    return held ? this.describe(held) : child ? this.describeChild(child) : null;
  }

  /** With its value of now. */
  describe(held: Held): Alarm {
    this.#look(held);
    return { ...describeAlarm(held), told: this.#tells };
  }

  /** One of an engine below this one. */
  describeChild({ alarm }: ChildAlarm): Alarm {
    return { ...this.#quieted(alarm), told: alarm.told === true || this.#tells };
  }

  /** With the silences of here, too. */
  #quieted(alarm: Alarm): Alarm {
    const here = this.silences.hitting(alarm.labels);
    return here.length === 0 ? alarm : { ...alarm, silenced: [...alarm.silenced, ...here] };
  }

  /** This engine has a way to tell people: an engine above it need not. */
  get #tells(): boolean {
    const now = this.#options.now();
    if (Math.abs(now - this.#telling.at) >= 1000) {
      const yes = this.#notifier?.channels().some(({ enabled }) => enabled) ?? false;
      this.#telling = { at: now, yes };
    }
    return this.#telling.yes;
  }

  /** Another engine, which is a target, says of its alarms. `from`: its address. */
  fromTarget(target: string, from: string, update: LiveAlarms): void {
    if (!this.#closed) this.#takeChildren(this.children.take(target, from, update));
  }

  #takeChildren({ records, seen, told }: ChildChanges): void {
    if (seen.length > 0) this.#showChildren(seen, records, told);
  }

  #showChildren(
    seen: readonly ChildAlarm[],
    records: readonly RecordChange[] = [],
    told: readonly Alarm[] = seen.map(({ alarm }) => alarm).filter((alarm) => alarm.told !== true),
  ): void {
    if (seen.length === 0) return;
    this.journal.add(records, [], () => {
      for (const child of seen) child.version = this.book.next();
      this.#options.announce();
      if (told.length > 0)
        this.#notifier?.changed(
          told.map((alarm) => this.#quieted(alarm)),
          this.#options.now(),
        );
    });
  }

  /** True: its value is another one. What is over keeps the value that ended it. */
  #look(held: Held): boolean {
    const value = held.state === 'resolved' ? null : (this.#evaluator?.alarm(held.id)?.value ?? null);
    if (value === null || value === held.value) return false;
    held.value = value;
    return true;
  }

  /** Live readers see values move, now and then: not each one with each tick. */
  lookAtValues(): void {
    const now = this.#options.now();
    if (Math.abs(now - this.#looked) < LOOK_EVERY) return;
    this.#looked = now;
    let count = 0;
    for (const held of this.book) {
      if (count++ === MAX_LOOKED) return;
      if (held.version > 0 && this.#look(held)) this.book.show(held);
    }
  }

  history(query: HistoryQuery): Promise<AlarmHistory> {
    return this.#options.records.history(query);
  }

  preview(request: PreviewRequest, signal: AbortSignal): AsyncIterable<PreviewLine> {
    return this.#options.preview(request, signal);
  }

  /** In turn with the scopes that have a sample of this tick; `gaps`: those that nobody watched for a while before it. */
  tick(tick: TickInfo, sampled: readonly Scope[], gaps?: ReadonlySet<Scope>): void {
    const evaluator = this.#evaluator;
    if (evaluator) {
      for (const scope of this.#refresh) this.#apply(evaluator.refresh(scope, tick.time), tick.time);
      this.#refresh.clear();
      this.#apply(evaluator.tick(tick, sampled, gaps), tick.time);
    }
    if (Math.abs(tick.time - this.#visited) >= FORGET_TARGETS_EVERY) this.#forgetTargets(tick.time);
    this.silences.look(tick.time);
    this.#notifier?.tick(tick.time);
  }

  #forgetTargets(time: number): void {
    this.#visited = time;
    const { hasTarget } = this.#options;
    for (const id of this.children.targets()) if (hasTarget?.(id) === false) this.#takeChildren(this.children.drop(id));
  }

  /** A run is over, or a target was removed. */
  ended(scope: ScopeId): void {
    // Runs that end because the engine does are open again soon.
    if (this.#closed) return;
    const target = /^target\/([^/]+)$/.exec(scope)?.[1];
    if (target !== undefined) this.#takeChildren(this.children.drop(target));
    this.#refresh.delete(scope);
    const time = this.#options.now();
    if (this.#evaluator) this.#apply(this.#evaluator.ended(scope, time), time);
  }

  /** Something of a scope is known better now. */
  learnt(scope: ScopeId): void {
    if (this.#evaluator) this.#refresh.add(scope);
  }

  async #evaluating(): Promise<Evaluator> {
    this.#evaluator ??= await this.#options.evaluator();
    this.#evaluator.setRules([...this.rules], this.#options.now());
    return this.#evaluator;
  }

  /** The list of rules is another one: these are new or were changed. */
  async #rulesChanged(changed: readonly RuleRecord[]): Promise<void> {
    if (!this.#evaluator && this.rules.size === 0) return;
    this.#evaluator ??= await this.#options.evaluator();
    const time = this.#options.now();
    this.#apply(this.#evaluator.setRules([...this.rules], time), time);
    const seen: Held[] = [];
    for (const rule of changed) {
      for (const held of this.book.ofRule(rule.id)) {
        const labels = this.book.labelsOf(rule, held.scope, held.metric);
        this.book.change(held, { rule, labels, silenced: this.silences.hitting(labels) });
        seen.push(held);
      }
    }
    this.#later([], [], seen, seen.filter(fires));
  }

  #apply(changes: readonly Change[], time: number): void {
    const writes = this.#evaluator?.takeWrites() ?? [];
    if (changes.length === 0 && writes.length === 0) return;
    const records = writes.map(({ alarm, instance }): RecordChange => ({
      kind: 'instance',
      id: alarm,
      value: instance,
    }));
    const events: NewEvent[] = [];
    const seen: Held[] = [];
    const told: Held[] = [];
    for (const change of changes) {
      const held = this.#take(change);
      if (!held) continue;
      events.push(eventOf(held, { time, kind: change.kind, was: change.was, value: change.value }));
      seen.push(held);
      const fired = change.was === 'firing' || (change.was === 'no_data' && change.fired !== null);
      if (fired !== fires(held) || change.kind !== 'state') told.push(held);
      if (held.acknowledged && !goesOn(held)) {
        this.book.change(held, { acknowledged: null });
        records.push({ kind: 'acknowledgement', id: held.id, value: null });
      }
      if (held.state === 'inactive' || change.kind !== 'state') this.book.remove(held);
    }
    for (const { alarm, instance } of writes) {
      // What was over already is no more, which is nothing to tell.
      const held = instance === null ? this.book.get(alarm) : null;
      if (!held) continue;
      this.book.remove(held);
      seen.push(held);
    }
    this.#later(records, events, seen, told);
  }

  #take(change: Change): Held | null {
    const { alarm: id, scope, place, metric, state, value, threshold, fired, time } = change;
    const known = this.book.get(id);
    if (known) {
      // The value that ended it says more than none.
      this.book.change(known, { state, value: value ?? known.value, threshold, fired, since: time });
      return known;
    }
    const rule = this.rules.get(change.rule);
    if (!rule) return null;
    const labels = this.book.labelsOf(rule, scope, metric);
    const silenced = this.silences.hitting(labels);
    const held: Held = {
      ...{ id, rule, scope, place, metric, labels, state, since: time, fired, value, threshold },
      ...{ silenced, acknowledged: null, version: 0 },
    };
    this.book.put(held);
    return held;
  }

  /** Written first, and then shown to readers (`seen`) and told to people (`told`, as they are now). */
  #later(
    records: readonly RecordChange[],
    events: readonly NewEvent[],
    seen: readonly Held[],
    told: readonly Held[],
  ): void {
    const alarms = told.map(describeAlarm);
    this.journal.add(records, events, () => {
      for (const held of seen) this.book.show(held);
      if (seen.length > 0 || events.length > 0) this.#options.announce();
      if (alarms.length > 0) this.#notifier?.changed(alarms, this.#options.now());
    });
  }

  /** How many were changed by it. Those that do not fire, or are unknown, are left out. */
  async acknowledge({ alarms, comment, on }: AcknowledgeRequest, by: string): Promise<number> {
    const time = this.#options.now();
    const acknowledged = on ? { by, time, comment } : null;
    const seen: Held[] = [];
    const records: RecordChange[] = [];
    const events: NewEvent[] = [];
    for (const id of new Set(alarms)) {
      const held = this.book.get(id);
      if (!held || !goesOn(held) || (held.acknowledged === null) === !on) continue;
      this.book.change(held, { acknowledged });
      seen.push(held);
      records.push({ kind: 'acknowledgement', id, value: acknowledged });
      const note = comment === '' ? by : `${by}: ${comment}`;
      events.push({ ...eventOf(held, { time, kind: on ? 'acknowledged' : 'unacknowledged' }), note });
    }
    this.#later(records, events, seen, seen.filter(fires));
    await this.journal.flush();
    return seen.length;
  }

  /** Who tells people. Opened by the first call. */
  notifier(): Promise<Notifier> {
    this.#opening ??= this.#openNotifier().catch((error: unknown) => {
      // The next one who asks tries again.
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #openNotifier(): Promise<Notifier> {
    const { records, now, warn } = this.#options;
    const notifier = await this.#options.notifier(records, {
      ...{ now, warn },
      told: (told) => this.#noteTold(told),
      alarm: (id) => this.alarm(id),
      firing: () => this.#firing(),
    });
    await notifier.restore();
    this.#notifier = notifier;
    for (const show of this.#watchers.keys()) this.#watchers.set(show, notifier.watch(show));
    return notifier;
  }

  /** What became of messages, for the history of what they were about. */
  #noteTold(told: readonly Told[]): void {
    const events = told.flatMap(({ alarm, kind, note, time }): NewEvent[] => {
      const held = this.book.get(alarm);
      return held ? [{ ...eventOf(held, { time, kind }), note }] : [];
    });
    if (events.length > 0) this.#later([], events, [], []);
  }

  /** A page that can show notifications. Returns what ends it. */
  watchNotifications(show: Show): () => void {
    this.#watchers.set(show, this.#notifier?.watch(show) ?? (() => undefined));
    return () => {
      this.#watchers.get(show)?.();
      this.#watchers.delete(show);
    };
  }

  /** What a notifier says of itself, for figures; null: there is none. */
  get figures(): ReturnType<Notifier['figures']> | null {
    return this.#notifier?.figures() ?? null;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const evaluator = this.#evaluator;
    this.#evaluator = null;
    // So that timers go on from here, whatever the store knows of this tick.
    const instances = Array.from(evaluator?.active() ?? [], (instance): RecordChange => {
      return { kind: 'instance', id: instance.alarm, value: instance };
    });
    this.journal.add(instances, []);
    await this.journal.flush();
    await this.#opening?.then((notifier) => notifier.close()).catch(() => undefined);
    await this.journal.close();
  }
}
