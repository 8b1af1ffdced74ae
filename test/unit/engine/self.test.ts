import { expect, test } from 'vitest';
import { MemoryGuard } from '../../../src/engine/memory-guard.ts';
import { Refusals } from '../../../src/engine/refusals.ts';
import { LiveHub } from '../../../src/engine/live/hub.ts';
import { Rules } from '../../../src/engine/alarms/rules.ts';
import { sourceWriter } from '../../../src/engine/live/node.ts';
import { SelfMetrics } from '../../../src/engine/self.ts';
import { StoreSize } from '../../../src/engine/store-size.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import type { StoreStatus } from '../../../src/shared/api/status.ts';
import { harness, valuesOf, type Harness } from './ingest/harness.ts';

const sampler = { ticks: 5, late: 2, lastMs: 1, lateMs: 700 };

function selfOf(engine: Harness, refusals = new Refusals()): SelfMetrics {
  const status: StoreStatus = { kind: 'memory', durable_until: 0, queued: 0, dropped: 4, error: null };
  const store = { status: () => status } as unknown as Store;
  return new SelfMetrics(sourceWriter(engine.node, 'n1'), {
    stats: engine.stats,
    runs: engine.runs,
    hub: new LiveHub(),
    store,
    refusals,
    memory: new MemoryGuard(1e9),
    budget: engine.budget,
    loop: { take: () => ({ mean: 0.002, max: 0.03, busy: 0.25 }), close: () => undefined },
    storeSize: new StoreSize(null),
    targets: {
      counts: () => ({ total: 3, new: 0, up: 2, slow: 0, down: 1, refused: 0, paused: 0 }),
      scrapes: { good: 7, failed: 2, samples: 900, bytes: 5000, seconds: 0.25 },
      late: 1,
      entries: () => [],
    },
    alarms: { firing: 0, figures: null, rules: new Rules(() => null) },
    httpConnections: () => 3,
    now: () => 1000,
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

test('what was turned away is counted by its reason', () => {
  const engine = harness();
  const refusals = new Refusals();
  const self = selfOf(engine, refusals);
  refusals.add('too_many_connections');
  refusals.add('too_many_connections');
  self.sample(1, sampler);
  expect(valuesOf(engine.node)).toMatchObject({ 'vigie_refused_total{reason="too_many_connections"}': 2 });
});

test('a client without a job cannot take a figure’s name', () => {
  const engine = harness();
  engine
    .connect()
    .gauge('vigie_ingest_messages_total')
    .gauge('vigie_ingest_rejected_total{reason="malformed_json"}')
    .push('!\0');
  const self = selfOf(engine);
  self.sample(1, sampler);
  expect(valuesOf(engine.node)).toMatchObject({
    vigie_ingest_messages_total: 0,
    'vigie_ingest_rejected_total{reason="name_reserved"}': 2,
    'vigie_ingest_rejected_total{reason="malformed_json"}': 1,
  });
});

test('what the engine costs and how it keeps up stands there too', () => {
  const engine = harness();
  selfOf(engine).sample(1, sampler);
  const gauge = (value: number) => ({ min: value, max: value, hits: 1, total: value });
  const values = valuesOf(engine.node);
  expect(values).toMatchObject({
    vigie_event_loop_delay_seconds: gauge(0.002),
    vigie_event_loop_delay_max_seconds: gauge(0.03),
    vigie_event_loop_busy_ratio: gauge(0.25),
    vigie_tick_seconds: gauge(0.001),
    vigie_tick_lateness_seconds: gauge(0.7),
    vigie_http_connections: gauge(3),
    vigie_store_failing: gauge(0),
    vigie_store_queued_ticks: gauge(0),
  });
  expect(values['vigie_cpu_seconds_total']).toBeGreaterThan(0);
  // Nothing is on disk.
  expect(values).not.toHaveProperty('vigie_store_bytes');
  expect(values).not.toHaveProperty('vigie_store_behind_seconds');
});
