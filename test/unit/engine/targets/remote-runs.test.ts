import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Run } from '../../../../src/shared/api/runs.ts';
import { bareJob } from '../../../../src/shared/model/job.ts';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { RemoteRuns, type RunAbout } from '../../../../src/engine/targets/remote-runs.ts';
import { eventually } from '../../../support/wait.ts';

const about = (jobid: string, start_time = 1000): RunAbout => ({
  ...{ kind: 'run', nodes: ['n1'], ranks: 4 },
  desc: { ...bareJob(jobid), command: './a', start_time },
});

interface Noted {
  readonly runs: RemoteRuns;
  readonly changed: Run[];
  readonly ended: Run[];
}

function noted(givenUpAfter = 1e6, now: () => number = () => 5000): Noted {
  const [changed, ended]: [Run[], Run[]] = [[], []];
  const runs = new RemoteRuns({
    ...{ interrupted: [], now, givenUpAfter },
    changed: (run) => void changed.push(run.describe()),
    ended: (run) => void ended.push(run.describe()),
  });
  onTestFinished(() => runs.close());
  return { runs, changed, ended };
}

/** A counter at 3, a gauge at 2. */
function filled(): { scope: Scope; clear: () => void } {
  const scope = new Scope('target/t/run/a@1000', 'target');
  const writer = new Contributor(scope, 0, 'n1');
  const place = (name: string, kind: 'counter' | 'gauge'): number => {
    const found = scope.register(name, '', kind);
    if ('refused' in found) throw new Error(found.refused);
    return found.index;
  };
  const counter = writer.addCounter(place('c', 'counter'));
  const gauge = writer.addGauge(place('g', 'gauge'));
  writer.increase(counter, 3);
  writer.setGauge(gauge, 1, 3, 2, 4);
  return { scope, clear: () => writer.setGauge(gauge, Infinity, -Infinity, 0, 0) };
}

test('a run that nothing is told of any more is interrupted, keeps its last values, and goes on when it is told of', async () => {
  let time = 5000;
  const { runs, changed, ended } = noted(20, () => time);
  const { scope, clear } = filled();
  runs.tell(scope, about('a'));
  expect(changed).toEqual([expect.objectContaining({ jobid: 'a', state: 'running', end_time: 0, ranks: 4 })]);
  // The same again is no change.
  runs.tell(scope, about('a'));
  expect(changed).toHaveLength(1);
  time = 6000;
  runs.still(scope);
  clear();
  time = 7000;
  await eventually(() => ended.length === 1);
  expect(ended[0]).toMatchObject({ state: 'interrupted', start_time: 1000, end_time: 6000, nodes: ['n1'] });
  const { id } = ended[0]!;
  // No more of it than one profile.
  await sleep(100);
  expect(ended).toHaveLength(1);
  expect(runs.byId(id)).toBeNull();
  runs.tell(scope, about('a'));
  expect(runs.byId(id)?.describe()).toMatchObject({ state: 'running', end_time: 0 });
  time = 9000;
  runs.end(scope, 'finished');
  expect(ended[1]).toMatchObject({ id, state: 'finished', end_time: 9000 });
  expect(runs.byId(id)).toBeNull();
});

test('its profile has the gauges of its last scrape, which have left since', () => {
  const { scope, clear } = filled();
  const profiles: unknown[] = [];
  const runs = new RemoteRuns({
    ...{ interrupted: [], now: () => 5000, changed: () => undefined },
    ended: (run) => void profiles.push(run.profile().series.map(({ name, value, gauge }) => [name, value, gauge])),
  });
  runs.tell(scope, about('a'));
  runs.still(scope);
  clear();
  scope.settle();
  runs.end(scope, 'finished');
  expect(profiles).toEqual([
    [
      ['c', 3, null],
      ['g', 2, { min: 1, max: 3, hits: 2, total: 4 }],
    ],
  ]);
});

test('a job id that no client may have leaves no profile, whoever tells of it', () => {
  const { runs, changed, ended } = noted();
  for (const jobid of ['main', 'Node: x', '', 'a\nb']) {
    const scope = new Scope(`target/t/run/${encodeURIComponent(jobid)}`, 'target');
    runs.tell(scope, about(jobid));
    runs.end(scope, 'finished');
  }
  expect([changed, ended]).toEqual([[], []]);
});

test('the same run has the same id after a restart, and one that came back when it was over another', () => {
  const [first, second] = [noted(), noted()];
  for (const { runs } of [first, second]) {
    const { scope } = filled();
    runs.tell(scope, about('a'));
    runs.end(scope, 'finished');
    runs.tell(filled().scope, about('a'));
  }
  const ids = [first, second].map(({ changed }) => changed.map(({ id }) => id));
  expect(ids[0]![0]).toBe(ids[1]![0]);
  expect(new Set(ids[0]).size).toBe(2);
});

test('what is open when the engine stops is interrupted; a clock that is ahead gives no negative duration', () => {
  const { runs, ended } = noted();
  runs.tell(filled().scope, about('a', 1e12));
  runs.close();
  expect(ended).toEqual([expect.objectContaining({ state: 'interrupted', start_time: 5000, end_time: 5000 })]);
});
