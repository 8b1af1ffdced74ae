import { expect, test } from 'vitest';
import { Book } from '../../../../src/engine/alarms/book.ts';
import { SilenceDesk } from '../../../../src/engine/alarms/silence-desk.ts';
import type { RuleRecord } from '../../../../src/engine/alarms/rules.ts';
import { rule, T0 } from '../../../support/alarms.ts';
import { MemoryRecords } from '../../../support/alarm-notify.ts';

/** So many that fire, each with a label of this text. */
function deskOver(count: number, text: string): SilenceDesk {
  const book = new Book('host');
  const { id, settings } = rule('r');
  const of: RuleRecord = { id, settings, origin: 'hand', pack: null, compat: null, created: T0, changed: T0 };
  for (let i = 0; i < count; i++) {
    book.put({
      ...{ id: `a${i}`, rule: of, scope: 'node/n', place: 'n', metric: 'm', labels: { text }, state: 'firing' },
      ...{ since: T0, fired: T0, value: 1, threshold: 0, silenced: [], acknowledged: null, version: 0 },
    });
  }
  const nothing = (): void => undefined;
  return new SilenceDesk({ records: new MemoryRecords(), now: () => T0, book, changed: nothing, looked: nothing });
}

test(
  'a preview with a pattern that takes long lets others work, and comes to an end',
  { timeout: 120_000 },
  async () => {
    const desk = deskOver(5000, 'a'.repeat(1000));
    let turns = 0;
    const others = setInterval(() => turns++, 1);
    const preview = desk.preview([{ label: 'text', op: '=~', value: '((a?){99}){20}' }]);
    await expect(preview).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining('too long') });
    clearInterval(others);
    expect(turns).toBeGreaterThan(2);
    await expect(desk.preview([{ label: 'text', op: '=~', value: 'a+' }])).resolves.toMatchObject({ hits: 5000 });
  },
);
