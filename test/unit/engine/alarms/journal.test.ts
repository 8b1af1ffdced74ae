import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Journal, type NewEvent } from '../../../../src/engine/alarms/journal.ts';
import type { RecordChange, Records } from '../../../../src/engine/alarms/records.ts';
import { MemoryRecords } from '../../../support/alarm-notify.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A disk that takes nothing until it is let. */
class Hanging extends MemoryRecords {
  asked = 0;
  go: (() => void) | null = null;
  readonly #free = new Promise<void>((resolve) => (this.go = resolve));
  readonly numbers: number[] = [];

  override async write(changes: readonly RecordChange[], events: Parameters<Records['write']>[1] = []): Promise<void> {
    this.asked++;
    await this.#free;
    await super.write(changes);
    this.numbers.push(...events.map(({ number }) => number));
  }
}

const event: NewEvent = {
  ...{
    time: 1,
    kind: 'state',
    alarm: 'a',
    rule: 'r',
    name: 'r',
    severity: 'info',
    scope: 's',
    place: 'p',
    metric: 'm',
  },
  ...{ was: 'inactive', state: 'firing', value: 1, threshold: 0, note: '' },
};

test('a disk that hangs does not keep people from being told; all of it is written when it goes on', async () => {
  const records = new Hanging();
  const warnings: string[] = [];
  const journal = new Journal(records, 0, (message) => void warnings.push(message));
  const told: number[] = [];
  const add = (value: number): void =>
    journal.add([{ kind: 'instance', id: 'a', value }], [event], () => void told.push(value));
  add(1);
  await vi.advanceTimersByTimeAsync(5000);
  add(2);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual([1, 2]);
  add(3);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(told).toEqual([1, 2, 3]);
  // It is not asked again and again meanwhile.
  expect(records.asked).toBe(1);
  expect(warnings).toEqual(['alarms cannot be written, and are tried again: the disk did not answer within 10 s']);
  records.go!();
  await vi.advanceTimersByTimeAsync(5000);
  expect(records.kept.get('instance a')).toBe('3');
  expect(records.numbers).toEqual([1, 1, 2, 3]);
  expect(told).toEqual([1, 2, 3]);
  await journal.close();
});
