/**
 * Stores profiles of many ranks until it is killed: `node profile-writing-child.ts DIR`. Prints `stored N` each time all
 * profiles up to N are durable.
 */

import { openStore } from '../../../src/engine/store/index.ts';
import { profile, run, T0 } from '../../unit/engine/store/support.ts';

const { store, epoch } = await openStore({ data: process.argv[2]! });
const empty = profile(run('x'));
const ranks = Array.from({ length: 4096 }, (_, rank) => ({ rank, node: `n${rank >> 6}`, values: [rank, null] }));
process.stdout.write('open\n');
for (let n = 1; ; n++) {
  const id = `e${epoch}-${n}`;
  store.putRun(run(id, { state: 'running', start_time: T0 + n, end_time: 0 }));
  store.putProfile({ ...empty, run: run(id, { start_time: T0 + n, end_time: T0 + n + 1000 }), ranks });
  await store.profiles.change(id, { tags: ['kept'] }, T0);
  await store.flush();
  process.stdout.write(`stored ${n}\n`);
}
