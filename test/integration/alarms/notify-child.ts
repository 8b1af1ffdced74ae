/**
 * A notifier over a real store, to be killed: `node notify-child.ts DIR PORT PHASE`. Fires one alarm (or finds that it
 * fires), tells it to a webhook on PORT, and when it comes to PHASE says so on stdout and goes no further.
 *
 * begun: the alarm fires, nothing is written; written: the message is on disk, not sent; answered: the other side took it,
 * which is not written; done: all is written; run: no phase, goes on until it is killed; ended: as run, and the alarm ends.
 */

import { createNotifier } from '../../../src/engine/alarms/notify/index.ts';
import { recordsOver } from '../../../src/engine/alarms/records-store.ts';
import type { RecordChange, Records } from '../../../src/engine/alarms/records.ts';
import { openStore } from '../../../src/engine/store/index.ts';
import { NewChannel, Route } from '../../../src/shared/api/channels.ts';
import { Alarms, alarm, resolved } from '../../support/alarm-notify.ts';

const [data = '', port = '', phase = ''] = process.argv.slice(2);
const FIRED = 1_700_000_000_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const halt = (): Promise<never> => {
  say(phase);
  return new Promise(() => undefined);
};

const { store } = await openStore({ data });
const inner = recordsOver(store.alarms);

/** What a writing says of deliveries: new ones, or what became of them. */
function stageOf(changes: readonly RecordChange[]): 'new' | 'outcome' | null {
  for (const { kind, value } of changes) {
    if (kind !== 'delivery' || typeof value !== 'object' || value === null) continue;
    return 'attempts' in value && value.attempts === 0 ? 'new' : 'outcome';
  }
  return null;
}

const records: Records = {
  read: (kind) => inner.read(kind),
  history: (query) => inner.history(query),
  lastNumber: () => inner.lastNumber(),
  async write(changes, events) {
    const stage = stageOf(changes);
    if (stage === 'new' && phase === 'begun') return halt();
    if (stage === 'outcome' && phase === 'answered') return halt();
    await inner.write(changes, events);
    if (stage === 'new' && phase === 'written') return halt();
    if (stage === 'outcome' && phase === 'done') return halt();
  },
};

const alarms = new Alarms();
const present = alarm('a', { fired: FIRED });
alarms.put(phase === 'ended' ? resolved(present, Date.now()) : present);
const notifier = createNotifier(records, alarms, {
  data,
  engine: 'here',
  settings: { private: true, plaintext: false },
});
await notifier.restore();
if (notifier.channels().length === 0) {
  const settings = { kind: 'webhook', url: `http://127.0.0.1:${port}/`, hmac_key: 'key' } as const;
  const { id } = await notifier.addChannel(NewChannel.parse({ name: 'hook', settings, per_minute: 600 }));
  await notifier.setRoutes([Route.parse({ channels: [id], group_interval: '100ms', repeat: '0s' })]);
}
say('up');
setInterval(() => notifier.tick(Date.now()), 50);
