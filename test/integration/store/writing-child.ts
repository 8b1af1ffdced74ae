/**
 * Writes until it is killed: `node writing-child.ts DIR`. Prints one JSON line when open and one each time
 * durable_until grows, before which everything must survive.
 */

import { openStore } from '../../../src/engine/store/index.ts';
import { run, Teller, tick } from '../../unit/engine/store/support.ts';

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

const { store, epoch, interrupted } = await openStore({ data: process.argv[2]! });
const id = `run-${epoch}`;
// The times are the child's own: each start goes on well after the one before.
const base = 1_800_000_000_000 + epoch * 1_000_000;
const job = run(id, { jobid: 'job', state: 'running', start_time: base, end_time: 0 });
const node = new Teller('node/n1');
const scope = new Teller(job.scope);
const rank = new Teller(`rank/${id}/3`);
store.putRun(job);
say({ opened: epoch, interrupted: interrupted.map((each) => each.run.id) });

let told = 0;
for (let n = 1; ; n++) {
  const time = base + n;
  const taken = store.append(
    tick(
      time,
      node.at(time, { ticks: n }),
      scope.at(time, { ticks: n, [`late_${n % 50}`]: n }),
      rank.at(time, { ticks: n }),
    ),
  );
  // As the sampler does: after a refused tick, all is told again.
  if (!taken) node.full = scope.full = rank.full = true;
  const { durable_until: until } = store.status();
  if (until > told) say({ durable: (told = until), ticks: until - base });
  await new Promise((resolve) => setTimeout(resolve, 1));
}
