/** Alarms and what is kept of them, for tests of those who tell people. */

import type { Alarm } from '../../src/shared/api/alarms.ts';
import type { LiveNotification } from '../../src/shared/api/live.ts';
import type { Message, MessageAlarm } from '../../src/engine/alarms/notify/channel.ts';
import type { NotifierHost, Told } from '../../src/engine/alarms/notifier.ts';
import type { RecordChange, Records } from '../../src/engine/alarms/records.ts';

/** Records in memory, as JSON: what a restart would find. Writing takes a turn of the loop. */
export class MemoryRecords implements Records {
  readonly kept = new Map<string, string>();
  /** Writes that are still taken; the ones after them never come to an end, as when the engine is killed. */
  left = Infinity;
  /** Set: writing fails with this. */
  failure: Error | null = null;
  writes = 0;

  read(kind: RecordChange['kind']): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const [key, text] of this.kept) {
      if (key.startsWith(`${kind} `)) found.set(key.slice(kind.length + 1), JSON.parse(text));
    }
    return Promise.resolve(found);
  }

  async write(changes: readonly RecordChange[]): Promise<void> {
    if (this.left <= 0) return new Promise(() => undefined);
    this.left--;
    if (this.failure) throw this.failure;
    this.writes++;
    // As it is now, whatever becomes of it afterwards.
    const texts = changes.map(
      ({ kind, id, value }) => [`${kind} ${id}`, value === null ? null : JSON.stringify(value)] as const,
    );
    await Promise.resolve();
    for (const [key, text] of texts) {
      if (text === null) this.kept.delete(key);
      else this.kept.set(key, text);
    }
  }

  history(): ReturnType<Records['history']> {
    return Promise.resolve({ events: [], next: null });
  }

  lastNumber(): Promise<number> {
    return Promise.resolve(0);
  }
}

export function alarm(id: string, over: Partial<Alarm> = {}): Alarm {
  const severity = over.severity ?? 'warning';
  return {
    ...{ id, rule: 'r1', name: 'Disk full', state: 'firing', severity, scope: 'node/node7', place: 'node7' },
    ...{ metric: `disk_used{mount="${id}"}`, value: 97.125, threshold: 95, since: 1000, fired: 1000 },
    ...{ description: '', link: '', silenced: [], acknowledged: null, from: null },
    ...over,
    labels: {
      alarmname: over.name ?? 'Disk full',
      severity,
      engine: 'here',
      scope: over.scope ?? 'node/node7',
      mount: id,
      ...over.labels,
    },
  };
}

export const resolved = (of: Alarm, time: number): Alarm => ({ ...of, state: 'resolved', since: time, value: 50 });

/** The engine around a notifier: which alarms there are now. */
export class Alarms implements NotifierHost {
  readonly all = new Map<string, Alarm>();
  readonly events: Told[] = [];
  readonly warnings: string[] = [];
  readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  warn = (words: string): void => void this.warnings.push(words);

  told(told: readonly Told[]): void {
    this.events.push(...told);
  }

  alarm(id: string): Alarm | null {
    return this.all.get(id) ?? null;
  }

  firing(): Alarm[] {
    return [...this.all.values()].filter(({ state }) => state === 'firing');
  }

  put(...alarms: Alarm[]): Alarm[] {
    for (const each of alarms) this.all.set(each.id, each);
    return alarms;
  }
}

export function message(over: Partial<Message> = {}, alarms: readonly Partial<MessageAlarm>[] = [{}]): Message {
  const list = alarms.map((given, i): MessageAlarm => {
    const { id, rule, name, severity, scope, place, metric, labels, value, threshold, description, link } = alarm(
      `m${i}`,
    );
    return {
      ...{ id, rule, name, severity, scope, place, metric, labels, value, threshold, description, link },
      ...{ fired: 1_700_000_000_000, status: 'fresh', ended: null },
      ...given,
    };
  });
  return {
    ...{
      id: 'abc123',
      kind: 'firing',
      time: 1_700_000_001_000,
      engine: 'here',
      thread: 't1',
      title: 'Disk full: node7',
    },
    ...{ group: { alarmname: 'Disk full' }, firing: list.length, resolved: 0 },
    ...over,
    alarms: list,
  };
}

/** Notifications as a page gets them. */
export const collect = (): { shown: LiveNotification[]; show: (notification: LiveNotification) => void } => {
  const shown: LiveNotification[] = [];
  return { shown, show: (notification) => void shown.push(notification) };
};
