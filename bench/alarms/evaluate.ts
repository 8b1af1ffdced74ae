/** A process that evaluates rules once per second over series that all change, and says which round it is in. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Evaluator } from '../../src/engine/alarms/evaluate.ts';
import { Scope } from '../../src/engine/live/scope.ts';
import { startChild } from '../support/child.ts';
import { loadedRules, SERIES, type Form } from './rules.ts';

/** Somebody who evaluates rules. `rounds`: so far. */
export interface Evaluating {
  readonly pid: number;
  rounds(): Promise<number>;
  stop(): Promise<void>;
}

export function startOwn(form: Form): Evaluating {
  const child = startChild(process.execPath, [import.meta.filename, form]);
  return {
    pid: child.pid,
    async rounds() {
      child.say('rounds');
      return (JSON.parse(await child.line(20_000)) as { rounds: number }).rounds;
    },
    stop: () => child.stop(),
  };
}

async function serve(form: Form): Promise<void> {
  const scope = new Scope('node/bench', 'node');
  const counters = 0.8 * SERIES;
  for (let i = 0; i < SERIES; i++) {
    const labels = `{path="/api/v1/item${String(i).padStart(5, '0')}",method="GET",code="200"}`;
    if (i < counters) scope.register(`app_requests_total${labels}`, '', 'counter');
    else scope.register(`app_queue_length${labels}`, '', 'gauge');
  }
  const evaluator = new Evaluator({ about: () => ({ kind: 'node', place: 'bench', names: ['bench'] }) });
  evaluator.setRules(loadedRules(form));
  const gauge = new Float64Array(4);
  let changes = 0;
  let rounds = 0;
  process.stdin.on('data', () => console.log(JSON.stringify({ rounds, changes })));
  process.stdin.on('end', () => process.exit());
  for (let due = performance.now(); ; due += 1000, rounds++) {
    // As the exporters of Prometheus have them.
    const turn = rounds % 20;
    for (let i = 0; i < counters; i++) scope.putCounter(i, 1_000_000 + i + 7 * turn);
    for (let i = counters; i < SERIES; i++) {
      const value = ((i * 7919 + turn * 104_729) % 100_000) / 1000;
      gauge.set([value, value, 1, value]);
      scope.putGauge(i - counters, gauge);
    }
    const tick = { time: Date.now(), interval: rounds === 0 ? 0 : 1000, sequence: rounds, gap: rounds === 0 };
    changes += evaluator.tick(tick, [scope]).length;
    scope.clear();
    evaluator.takeWrites();
    await sleep(Math.max(0, due + 1000 - performance.now()));
  }
}

if (process.argv[1] === import.meta.filename) await serve(process.argv[2] as Form);
