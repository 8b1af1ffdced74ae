/**
 * Alarms of the engines below this one, as they tell of them: shown here beside the own ones, and told to people where the
 * engine that has them has no channel. They are kept, so that nobody is told twice because this engine was started anew.
 */

import { Alarm } from '../../shared/api/alarms.ts';
import type { LiveAlarms } from '../../shared/api/live.ts';
import type { RecordChange } from './records.ts';

/** Of one engine; more are left out. */
const MAX_OF_ONE = 20_000;
/** Characters of all of them together, as JSON. */
const MAX_TEXT = 16 * 1024 * 1024;

/** One of them. `version` grows with what readers may see of it. */
export interface ChildAlarm {
  alarm: Alarm;
  version: number;
  /** Not told of anew since the connection was. */
  stale: boolean;
  /** Characters that it takes. */
  size: number;
}

interface Child {
  readonly alarms: Map<string, ChildAlarm>;
  size: number;
}

/** What an update came to. */
export interface ChildChanges {
  readonly records: readonly RecordChange[];
  /** Known, or known no more, in another way than before. */
  readonly seen: readonly ChildAlarm[];
  /** Began or ended to fire, or was silenced or acknowledged there, as they are now. */
  readonly told: readonly Alarm[];
}

export class Children {
  /** By target. */
  readonly #of = new Map<string, Child>();
  readonly #byId = new Map<string, ChildAlarm>();

  load(documents: ReadonlyMap<string, unknown>): void {
    for (const [id, document] of documents) {
      const parsed = Alarm.safeParse(document);
      const target = id.slice(0, id.indexOf('/'));
      if (parsed.success && target !== '')
        this.#put(target, { alarm: { ...parsed.data, id }, version: 0, stale: true, size: sizeOf(parsed.data) });
    }
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): ChildAlarm | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): Iterator<ChildAlarm> {
    return this.#byId.values();
  }

  #put(target: string, child: ChildAlarm): void {
    let of = this.#of.get(target);
    if (!of) this.#of.set(target, (of = { alarms: new Map(), size: 0 }));
    of.alarms.set(child.alarm.id, child);
    of.size += child.size;
    this.#byId.set(child.alarm.id, child);
  }

  #remove(target: string, id: string): void {
    const of = this.#of.get(target);
    const child = of?.alarms.get(id);
    if (!of || !child) return;
    of.alarms.delete(id);
    of.size -= child.size;
    if (of.alarms.size === 0) this.#of.delete(target);
    this.#byId.delete(id);
  }

  /** What an engine says. `from`: its address, for people. */
  take(target: string, from: string, { all, alarms, removed, more }: LiveAlarms): ChildChanges {
    const changes = new Changes();
    if (all) for (const child of this.#all(target)) child.stale = true;
    for (const given of alarms) {
      const id = `${target}/${given.id}`;
      const known = this.#of.get(target)?.alarms.get(id);
      const via = given.from === null ? from : `${given.from} (${from})`.slice(0, 500);
      const alarm: Alarm = { ...given, id, from: via, link: linkOf(given.link) };
      const size = sizeOf(alarm);
      const { alarms: before, size: text } = this.#of.get(target) ?? { alarms: new Map<string, ChildAlarm>(), size: 0 };
      if ((!known && before.size >= MAX_OF_ONE) || text - (known?.size ?? 0) + size > MAX_TEXT) {
        // As it was, but not ended.
        if (known) known.stale = false;
        continue;
      }
      if (known) this.#remove(target, id);
      const child = known ?? { alarm, version: 0, stale: false, size };
      const was = known?.alarm ?? null;
      Object.assign(child, { alarm, stale: false, size });
      this.#put(target, child);
      changes.note(child, was);
    }
    for (const id of removed) this.#end(target, this.#byId.get(`${target}/${id}`), changes);
    // The list is complete: what it does not have is no more.
    if (more !== true) for (const child of this.#all(target)) if (child.stale) this.#end(target, child, changes);
    return changes;
  }

  #all(target: string): ChildAlarm[] {
    return [...(this.#of.get(target)?.alarms.values() ?? [])];
  }

  /** Targets of which something is known. */
  targets(): string[] {
    return [...this.#of.keys()];
  }

  /** A target was removed: what is known of it means nothing any more. */
  drop(target: string): ChildChanges {
    const changes = new Changes();
    for (const child of this.#all(target)) this.#end(target, child, changes);
    return changes;
  }

  #end(target: string, child: ChildAlarm | undefined, changes: Changes): void {
    if (!child) return;
    const was = child.alarm;
    child.alarm = { ...was, state: 'inactive', acknowledged: null };
    this.#remove(target, was.id);
    changes.note(child, was);
  }
}

class Changes implements ChildChanges {
  readonly records: RecordChange[] = [];
  readonly seen: ChildAlarm[] = [];
  readonly told: Alarm[] = [];

  note(child: ChildAlarm, was: Alarm | null): void {
    const { alarm } = child;
    this.seen.push(child);
    // Silence of the series is no end of the alarm.
    const isTelling = (one: Alarm | null): string =>
      one?.state === 'firing' || (one?.state === 'no_data' && one.fired !== null)
        ? `firing ${one.silenced.length > 0} ${one.acknowledged !== null}`
        : '';
    if (isTelling(alarm) === isTelling(was) && was !== null && was.state === alarm.state) return;
    this.records.push({ kind: 'child', id: alarm.id, value: alarm.state === 'inactive' ? null : alarm });
    // Who has it tells of it. Its end is told to those here who know that it fired, whoever tells of it by now.
    const tellsHere = alarm.told !== true || isTelling(alarm) === '';
    if (tellsHere && isTelling(alarm) !== isTelling(was)) this.told.push(alarm);
  }
}

const sizeOf = (alarm: Alarm): number => JSON.stringify(alarm).length;

/** As rules here may have it: an address of the web, or none. */
const linkOf = (link: string): string =>
  link.length <= 2048 && URL.canParse(link) && /^https?:$/.test(new URL(link).protocol) ? link : '';
