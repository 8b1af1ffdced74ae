/**
 * Alarms of the engines below this one, as they tell of them: shown here beside the own ones, and told to people where the
 * engine that has them has no channel. They are kept, so that nobody is told twice because this engine was started anew.
 */

import { Alarm } from '../../shared/api/alarms.ts';
import type { LiveAlarms } from '../../shared/api/live.ts';
import type { RecordChange } from './records.ts';

/** Of one engine; more are left out. */
const MAX_OF_ONE = 20_000;

/** One of them. `version` grows with what readers may see of it. */
export interface ChildAlarm {
  alarm: Alarm;
  version: number;
  /** Not told of anew since the connection was. */
  stale: boolean;
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
  readonly #of = new Map<string, Map<string, ChildAlarm>>();
  readonly #byId = new Map<string, ChildAlarm>();

  load(documents: ReadonlyMap<string, unknown>): void {
    for (const [id, document] of documents) {
      const parsed = Alarm.safeParse(document);
      const target = id.slice(0, id.indexOf('/'));
      if (parsed.success && target !== '')
        this.#put(target, { alarm: { ...parsed.data, id }, version: 0, stale: true });
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
    if (!of) this.#of.set(target, (of = new Map<string, ChildAlarm>()));
    of.set(child.alarm.id, child);
    this.#byId.set(child.alarm.id, child);
  }

  #remove(target: string, id: string): void {
    this.#of.get(target)?.delete(id);
    this.#byId.delete(id);
  }

  /** What an engine says. `from`: its address, for people. */
  take(target: string, from: string, { all, alarms, removed, more }: LiveAlarms): ChildChanges {
    const changes = new Changes();
    const of = this.#of.get(target) ?? new Map<string, ChildAlarm>();
    if (all) for (const child of of.values()) child.stale = true;
    for (const given of alarms) {
      const id = `${target}/${given.id}`;
      const alarm: Alarm = { ...given, id, from: given.from === null ? from : `${given.from} (${from})`.slice(0, 500) };
      const known = of.get(id);
      if (!known && of.size >= MAX_OF_ONE) continue;
      const child = known ?? { alarm, version: 0, stale: false };
      const was = known?.alarm ?? null;
      child.alarm = alarm;
      child.stale = false;
      if (!known) this.#put(target, child);
      changes.note(child, was);
    }
    for (const id of removed) this.#end(target, of.get(`${target}/${id}`), changes);
    // The list is complete: what it does not have is no more.
    if (more !== true) for (const child of [...of.values()]) if (child.stale) this.#end(target, child, changes);
    return changes;
  }

  /** A target was removed: what is known of it means nothing any more. */
  drop(target: string): ChildChanges {
    const changes = new Changes();
    for (const child of [...(this.#of.get(target)?.values() ?? [])]) this.#end(target, child, changes);
    this.#of.delete(target);
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
    const isTelling = (one: Alarm | null): string =>
      one?.state === 'firing' ? `firing ${one.silenced.length > 0} ${one.acknowledged !== null}` : '';
    if (isTelling(alarm) === isTelling(was) && was !== null && was.state === alarm.state) return;
    this.records.push({ kind: 'child', id: alarm.id, value: alarm.state === 'inactive' ? null : alarm });
    // Who has it tells of it.
    if (alarm.told !== true && isTelling(alarm) !== isTelling(was)) this.told.push(alarm);
  }
}
