import { describe, expect, test } from 'vitest';
import { storeState } from '../../../../src/renderer/format/store.ts';
import type { Status } from '../../../../src/shared/api/status.ts';

const NOW = Date.UTC(2026, 10, 21);
type Store = Status['store'];

function state(change: Partial<Store>, period = '1s', reachable = true) {
  const store = { ...({ kind: 'sqlite', error: null, durable_until: NOW } as Store), ...change };
  return storeState({ store, time: NOW, period }, reachable);
}

describe('the store in the status bar', () => {
  test('what is usual is said quietly, only a real lag is named', () => {
    expect(state({ durable_until: NOW - 1000 })).toEqual({ text: 'on disk', notable: false });
    expect(state({ durable_until: NOW - 4999 })).toEqual({ text: 'on disk', notable: false });
    expect(state({ durable_until: NOW - 12_000 })).toEqual({ text: '12 s behind', notable: true });
  });

  test('a long period allows a longer lag', () => {
    expect(state({ durable_until: NOW - 40_000 }, '10s').text).toBe('on disk');
    expect(state({ durable_until: NOW - 60_000 }, '10s').text).toBe('60 s behind');
  });

  test('an engine that is away has no lag, but its last failure stays', () => {
    expect(state({ durable_until: NOW - 60_000 }, '1s', false).text).toBe('on disk');
    expect(state({ error: 'disk full' }, '1s', false)).toEqual({ text: 'fails: disk full', notable: true });
  });

  test('no disk, nothing written', () => {
    expect(state({ kind: 'memory' }).text).toBe('in memory only');
    expect(state({ durable_until: 0 }).text).toBe('nothing written yet');
  });
});
