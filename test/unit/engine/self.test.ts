import { describe, expect, test } from 'vitest';
import { LiveHub } from '../../../src/engine/live/hub.ts';
import { sourceWriter } from '../../../src/engine/live/node.ts';
import { SelfMetrics } from '../../../src/engine/self.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import type { StoreStatus } from '../../../src/shared/api/status.ts';
import { harness, valuesOf, type Harness } from './ingest/harness.ts';

const sampler = { ticks: 5, late: 2, lastMs: 1 };

function selfOf(engine: Harness): SelfMetrics {
  const status: StoreStatus = { kind: 'memory', durable_until: 0, queued: 0, dropped: 4, error: null };
  const store = { status: () => status } as unknown as Store;
  return new SelfMetrics(sourceWriter(engine.node, 'n1'), {
    stats: engine.stats,
    runs: engine.runs,
    hub: new LiveHub(),
    store,
  });
}

test('the engine’s own figures stand in its node’s scope', () => {
  const engine = harness();
  const self = selfOf(engine);
  self.sample(0, sampler);
  engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1).add('c', -1).add('d', 1);
  self.sample(2, sampler);
  expect(valuesOf(engine.node)).toMatchObject({
    vigie_ingest_messages_total: 3,
    'vigie_ingest_rejected_total{reason="negative_increase"}': 1,
    'vigie_ingest_rejected_total{reason="value_before_desc"}': 1,
    vigie_ticks_late_total: 2,
    vigie_store_ticks_dropped_total: 4,
    vigie_runs_live: { min: 1, max: 1, hits: 1, total: 1 },
  });
  expect(self.rate).toBe(1.5);
});

describe('a client without a job', () => {
  test('that takes a figure’s name for the other kind costs that figure, not the tick', () => {
    const engine = harness();
    engine
      .connect()
      .gauge('vigie_ingest_messages_total')
      .gauge('vigie_ingest_rejected_total{reason="malformed_json"}')
      .push('!\0');
    const self = selfOf(engine);
    self.sample(1, sampler);
    expect(valuesOf(engine.node)).toMatchObject({
      vigie_ticks_late_total: 2,
      vigie_ingest_messages_total: { hits: 0 },
    });
    expect(engine.stats.rejected.get('malformed_json')).toBe(1);
  });
});
