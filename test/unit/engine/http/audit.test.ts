import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AuditLog, type Change } from '../../../../src/engine/http/audit.ts';
import type { AuditEntry } from '../../../../src/shared/api/audit.ts';

const change = (over: Partial<Change> = {}): Change => ({
  who: { by: 'token', name: 'ci' },
  what: 'POST /accumulate',
  summary: 'key=a_total',
  outcome: 'done',
  status: 200,
  ...over,
});

describe('the audit log', () => {
  let stored: Map<string, AuditEntry>;
  let puts: number;
  let log: AuditLog;
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_800_000_000_000 });
    stored = new Map();
    puts = 0;
    log = new AuditLog({
      put(entry) {
        puts++;
        stored.set(entry.id, entry);
      },
      now: Date.now,
    });
  });
  afterEach(() => {
    log.close();
    vi.useRealTimers();
  });
  const entries = (): AuditEntry[] => [...stored.values()];

  test('stores a change at once', () => {
    log.note(change());
    expect(entries()).toEqual([
      {
        ...change(),
        id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        time: Date.now(),
        last: Date.now(),
        count: 1,
      },
    ]);
  });

  test('counts the same within a minute, and writes that seldom', () => {
    for (let i = 0; i < 500; i++) {
      log.note(change());
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(3000);
    expect(entries()).toHaveLength(1);
    expect(entries()[0]).toMatchObject({ count: 500, time: 1_800_000_000_000, last: 1_800_000_000_000 + 49_900 });
    expect(puts).toBeLessThan(30);
  });

  test('begins a new entry after a minute; another asker, outcome or parameter has its own', () => {
    log.note(change());
    vi.advanceTimersByTime(60_001);
    log.note(change());
    expect(entries().map(({ count }) => count)).toEqual([1, 1]);
    log.note(change({ who: { by: 'token', name: 'other' } }));
    log.note(change({ who: { by: 'compat', name: 'ci' } }));
    log.note(change({ outcome: 'refused', status: 403 }));
    log.note(change({ summary: 'key=b_total' }));
    expect(entries()).toHaveLength(6);
  });

  test('one asker cannot wash the log out: what is too much is told without its parameters', () => {
    for (let i = 0; i < 5000; i++) log.note(change({ summary: `key=k${i}` }));
    log.note(change({ who: { by: 'token', name: 'other' }, summary: 'key=mine' }));
    vi.advanceTimersByTime(3000);
    expect(entries().length).toBeLessThan(70);
    expect(entries().reduce((sum, { count }) => sum + count, 0)).toBe(5001);
    expect(entries().find(({ summary }) => summary === '…')).toMatchObject({ count: 4940 });
    expect(entries().some(({ summary }) => summary === 'key=mine')).toBe(true);
    vi.advanceTimersByTime(120_000);
    log.note(change({ summary: 'key=later' }));
    expect(entries().some(({ summary }) => summary === 'key=later')).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('closing stores what was counted', () => {
    log.note(change());
    log.note(change());
    log.close();
    expect(entries()[0]).toMatchObject({ count: 2 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('no timer is left when nothing happens', () => {
    log.note(change());
    vi.advanceTimersByTime(200_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
