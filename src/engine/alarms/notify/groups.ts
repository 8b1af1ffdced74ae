/**
 * Alarms that are told together: which of them wait to be told, and when. No clock and no disk of its own; what has to
 * outlive the engine comes out as changes of records, together with the message they belong to.
 */

import { createHash } from 'node:crypto';
import type { Alarm } from '../../../shared/api/alarms.ts';
import type { RecordChange } from '../records.ts';
import type { MessageAlarm, ToldAlarm } from './channel.ts';
import { GroupRecord, groupKey, isFiring, isQuiet, memberKey, MemberRecord, toldAlarm, type Member } from './member.ts';
import type { GroupTimes, Lane, Routes } from './routes.ts';

interface Group {
  readonly id: string;
  readonly channel: string;
  readonly route: string;
  readonly labels: Readonly<Record<string, string>>;
  times: GroupTimes;
  readonly members: Map<string, Member>;
  /** When a message of it was made last, ms; 0: none was. */
  told: number;
  /** When it has something to tell, ms; null: it has to be looked at. */
  next: number | null;
}

/** What one message is made of. */
export interface Batch {
  readonly channel: string;
  /** Ids of the groups, in the order of their names. */
  readonly groups: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly kind: 'firing' | 'resolved' | 'repeat';
  readonly fresh: readonly MessageAlarm[];
  readonly resolved: readonly MessageAlarm[];
  readonly still: readonly MessageAlarm[];
  /** To be written with the message. */
  readonly changes: readonly RecordChange[];
}

const SEVERITY = { critical: 0, warning: 1, info: 2 } as const;

const hash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);

const change = (id: string, value: unknown): RecordChange => ({ kind: 'group', id, value });

export class Groups {
  #routes: Routes;
  /** By channel, then by id. */
  readonly #groups = new Map<string, Map<string, Group>>();
  /** Where an alarm is, by channel, then by its id: in one group of each channel at most. */
  readonly #where = new Map<string, Map<string, Group>>();
  /** Changes that belong to no message. */
  readonly #loose: RecordChange[] = [];

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** What was kept: groups and who was told what. `alarm`: how an alarm is now; null: it is inactive. */
  restore(records: ReadonlyMap<string, unknown>, alarm: (id: string) => Alarm | null, now: number): void {
    for (const [key, value] of records) {
      const parsed = key.startsWith('g/') ? GroupRecord.safeParse(value) : null;
      if (!parsed?.success) continue;
      const { channel, route, labels, times, told } = parsed.data;
      const id = key.slice(2);
      this.#of(this.#groups, channel).set(id, {
        id,
        channel,
        route,
        labels,
        times,
        told,
        members: new Map(),
        next: null,
      });
    }
    for (const [key, value] of records) {
      const [, channel = '', id = ''] = /^m\/([^/]*)\/(.*)$/s.exec(key) ?? [];
      const parsed = id === '' ? null : MemberRecord.safeParse(value);
      const group = parsed?.success ? this.#groups.get(channel)?.get(parsed.data.group) : undefined;
      if (!parsed?.success || !group) {
        if (key.startsWith('m/')) this.#loose.push(change(key, null));
        continue;
      }
      const present = alarm(id);
      const firing = present !== null && isFiring(present);
      const ended = firing ? null : present?.state === 'resolved' ? present.since : now;
      const member = { alarm: parsed.data.alarm, firing, quiet: false, told: true, since: now, ended };
      group.members.set(id, member);
      this.#of(this.#where, channel).set(id, group);
    }
  }

  /** Other routes or channels. What fires has to be told to {@link changed} again. */
  setRoutes(routes: Routes): void {
    this.#routes = routes;
  }

  /** Forgets a channel and all that it was told. */
  forget(channel: string): RecordChange[] {
    const groups = [...(this.#groups.get(channel)?.values() ?? [])];
    this.#groups.delete(channel);
    this.#where.delete(channel);
    return groups.flatMap(({ id, members }) => [
      change(groupKey(id), null),
      ...[...members.keys()].map((alarm) => change(memberKey(channel, alarm), null)),
    ]);
  }

  changed(alarms: Iterable<Alarm>, now: number): void {
    for (const alarm of alarms) {
      if (isFiring(alarm)) this.#fires(alarm, now);
      else this.#ends(alarm, now);
    }
  }

  #fires(alarm: Alarm, now: number): void {
    const lanes = this.#routes.lanes(alarm.labels, alarm.severity);
    for (const lane of lanes) {
      const where = this.#of(this.#where, lane.channel);
      const group = this.#group(lane, alarm);
      const before = where.get(alarm.id);
      let member = before?.members.get(alarm.id);
      if (before && member && before !== group) {
        before.members.delete(alarm.id);
        before.next = null;
        // It was told with the others there: this is no reason to tell it again, nor sooner.
        if (member.told) {
          group.told = Math.max(group.told, before.told);
          this.#loose.push(this.#memberChange(group, member.alarm), this.#groupChange(group));
        }
      }
      // Never later than now: it may have fired by a clock that was ahead.
      member ??= {
        alarm: toldAlarm(alarm, now),
        firing: true,
        quiet: false,
        told: false,
        since: Math.min(now, alarm.fired ?? now),
        ended: null,
      };
      this.#update(group, member, alarm, now);
      group.members.set(alarm.id, member);
      where.set(alarm.id, group);
    }
    for (const [channel, where] of this.#where) {
      const group = where.get(alarm.id);
      if (!group || lanes.some((lane) => lane.channel === channel)) continue;
      const member = group.members.get(alarm.id)!;
      // Its end is told to whom its beginning was told.
      if (member.told) this.#update(group, member, alarm, now);
      else this.#remove(group, alarm.id);
    }
  }

  #update(group: Group, member: Member, alarm: Alarm, now: number): void {
    const quiet = isQuiet(alarm);
    // What was silent begins to wait now: nobody was to be told before.
    if (member.quiet && !quiet) member.since = now;
    Object.assign(member, { alarm: toldAlarm(alarm, member.alarm.fired), firing: true, quiet, ended: null });
    group.next = null;
  }

  #ends(alarm: Alarm, now: number): void {
    for (const where of this.#where.values()) {
      const group = where.get(alarm.id);
      const member = group?.members.get(alarm.id);
      if (!group || !member) continue;
      if (!member.told) {
        this.#remove(group, alarm.id);
        continue;
      }
      const ended = alarm.state === 'resolved' ? Math.min(now, alarm.since) : now;
      const { fired } = member.alarm;
      Object.assign(member, {
        alarm: { ...toldAlarm(alarm, fired), fired },
        firing: false,
        ended: member.ended ?? ended,
      });
      group.next = null;
    }
  }

  #remove(group: Group, alarm: string): void {
    group.members.delete(alarm);
    this.#where.get(group.channel)?.delete(alarm);
    group.next = null;
  }

  #of<T>(all: Map<string, Map<string, T>>, channel: string): Map<string, T> {
    let found = all.get(channel);
    if (!found) {
      found = new Map();
      all.set(channel, found);
    }
    return found;
  }

  #group({ channel, route, by, times }: Lane, { labels }: Alarm): Group {
    const pairs = by.map((name) => [name, Object.hasOwn(labels, name) ? labels[name]! : ''] as const);
    const id = hash([channel, route, pairs]);
    const groups = this.#of(this.#groups, channel);
    let group = groups.get(id);
    if (!group) {
      group = { id, channel, route, labels: Object.fromEntries(pairs), times, members: new Map(), told: 0, next: null };
      groups.set(id, group);
    }
    group.times = times;
    return group;
  }

  /** When a channel has something to tell, ms; Infinity: nothing waits. */
  next(channel: string, now: number): number {
    let next = Infinity;
    for (const group of this.#groups.get(channel)?.values() ?? []) next = Math.min(next, this.#look(group, now));
    return next;
  }

  #look(group: Group, now: number): number {
    // A clock that was set back: nobody waits for longer than they would have.
    if (group.told > now) {
      group.told = now;
      group.next = null;
    }
    return (group.next ??= this.#due(group));
  }

  #due(group: Group): number {
    const { members, told, times } = group;
    let [fresh, over, loud, since] = [0, 0, 0, Infinity];
    for (const [id, member] of members) {
      if (member.firing) {
        if (member.quiet) continue;
        if (member.told) loud++;
        else {
          fresh++;
          since = Math.min(since, member.since);
        }
      } else if (times.resolved) over++;
      else {
        this.#loose.push(change(memberKey(group.channel, id), null));
        members.delete(id);
        this.#where.get(group.channel)?.delete(id);
      }
    }
    // Kept for an interval after it is empty: what comes and goes is not told at every turn.
    if (members.size === 0) return told === 0 ? 0 : told + times.interval;
    let next = Infinity;
    if (fresh + over > 0) next = told === 0 ? (over > 0 ? 0 : since + times.wait) : told + times.interval;
    if (loud > 0 && times.repeat > 0) next = Math.min(next, told + times.repeat);
    return next;
  }

  /**
   * What is to be told to a channel now, in `most` messages at most: what is over it is told together, in the last one.
   * From here on it counts as told.
   */
  take(channel: string, now: number, most: number): Batch[] {
    const due: Group[] = [];
    for (const group of this.#groups.get(channel)?.values() ?? []) {
      if (this.#look(group, now) > now) continue;
      if (group.members.size > 0) due.push(group);
      else {
        this.#groups.get(channel)!.delete(group.id);
        if (group.told > 0) this.#loose.push(change(groupKey(group.id), null));
      }
    }
    if (due.length === 0 || most < 1) return [];
    const urgency = new Map(due.map((group) => [group, urgencyOf(group)]));
    due.sort((a, b) => urgency.get(a)! - urgency.get(b)! || a.next! - b.next! || (a.id < b.id ? -1 : 1));
    const alone = due.length <= most ? due.length : most - 1;
    const together = due.slice(alone);
    return [...due.slice(0, alone).map((group) => [group]), ...(together.length > 0 ? [together] : [])].map((groups) =>
      this.#batch(groups, now),
    );
  }

  #batch(groups: readonly Group[], now: number): Batch {
    const lists: Record<MessageAlarm['status'], MessageAlarm[]> = { fresh: [], resolved: [], still: [] };
    const changes: RecordChange[] = [];
    for (const group of groups) {
      for (const [id, member] of group.members) {
        const { alarm, ended } = member;
        if (!member.firing) {
          lists.resolved.push({ ...alarm, status: 'resolved', ended });
          changes.push(change(memberKey(group.channel, id), null));
          this.#remove(group, id);
        } else if (member.quiet) continue;
        else if (member.told) lists.still.push({ ...alarm, status: 'still', ended: null });
        else {
          lists.fresh.push({ ...alarm, status: 'fresh', ended: null });
          member.told = true;
          changes.push(this.#memberChange(group, alarm));
        }
      }
      group.told = now;
      group.next = null;
      changes.push(this.#groupChange(group));
    }
    for (const list of Object.values(lists)) list.sort((a, b) => SEVERITY[a.severity] - SEVERITY[b.severity]);
    const [first] = groups;
    return {
      channel: first!.channel,
      groups: groups.map(({ id }) => id).sort(),
      labels: groups.length === 1 ? first!.labels : {},
      kind: lists.fresh.length > 0 ? 'firing' : lists.resolved.length > 0 ? 'resolved' : 'repeat',
      ...lists,
      changes,
    };
  }

  #memberChange(group: Group, alarm: ToldAlarm): RecordChange {
    return change(memberKey(group.channel, alarm.id), { group: group.id, alarm } satisfies MemberRecord);
  }

  #groupChange({ id, channel, route, labels, times, told }: Group): RecordChange {
    return change(groupKey(id), { channel, route, labels, times, told } satisfies GroupRecord);
  }

  /** Changes that belong to no message: to be written some time. */
  loose(): RecordChange[] {
    return this.#loose.splice(0);
  }

  /** What a channel was told of and goes on, also where it is silent meanwhile. */
  told(channel: string): ToldAlarm[] {
    const found: ToldAlarm[] = [];
    for (const { members } of this.#groups.get(channel)?.values() ?? []) {
      for (const { alarm, told, firing } of members.values()) if (told && firing) found.push(alarm);
    }
    return found;
  }
}

/** Of what is new in it. */
function urgencyOf({ members }: Group): number {
  let found = 3;
  for (const { alarm, firing, told, quiet } of members.values()) {
    if (firing && !told && !quiet) found = Math.min(found, SEVERITY[alarm.severity]);
  }
  return found;
}
