/**
 * Groups and queue against a model, over restarts at any write: nobody is told twice, nothing is lost, every beginning
 * that was told is followed by exactly one end.
 */

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createNotifier } from '../../../../../src/engine/alarms/notify/index.ts';
import type { Notifier } from '../../../../../src/engine/alarms/notifier.ts';
import { KeptDelivery } from '../../../../../src/engine/alarms/notify/queue.ts';
import type { Alarm } from '../../../../../src/shared/api/alarms.ts';
import { Route } from '../../../../../src/shared/api/channels.ts';
import { Alarms, MemoryRecords, alarm, resolved } from '../../../../support/alarm-notify.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Few: so that it also happens that none fires. */
const COUNT = 3;

type Step =
  | { readonly do: 'fire' | 'resolve' | 'silence' | 'unsilence' | 'acknowledge' | 'forget'; readonly of: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'kill'; readonly after: number }
  | { readonly do: 'stop' }
  | { readonly do: 'routes'; readonly by: number }
  | { readonly do: 'page'; readonly open: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('fire' as const, 'resolve' as const), of: fc.nat(COUNT - 1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('silence' as const, 'unsilence' as const, 'acknowledge' as const, 'forget' as const),
      of: fc.nat(COUNT - 1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 90_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), after: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'stop' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('routes' as const), by: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('page' as const), open: fc.boolean() }) },
);

const ROUTES = [['alarmname'], ['mount'], ['severity', 'mount']] as const;
const routesBy = (i: number): Route[] => [
  Route.parse({
    id: `r${i}`,
    channels: [channelId],
    group_by: ROUTES[i]!,
    group_wait: i === 1 ? '5s' : '0s',
    repeat: '0s',
  }),
];
let channelId = '';

/** Who was shown what: of each message the beginnings and ends, from what was written of it. */
class World {
  readonly alarms = new Alarms();
  records = new MemoryRecords();
  notifier!: Notifier;
  dead = false;
  open = true;
  stopPage: () => void = () => undefined;
  readonly sent: string[] = [];
  /** By id of the message. */
  readonly contents = new Map<string, KeptDelivery>();

  async start(): Promise<void> {
    const kept = this.records.kept;
    this.records = new MemoryRecords();
    for (const [key, text] of kept) this.records.kept.set(key, text);
    const records = this.records;
    const write = records.write.bind(records);
    records.write = (changes) => {
      for (const { kind, value } of changes) {
        const delivery = kind === 'delivery' ? KeptDelivery.safeParse(value).data : undefined;
        if (delivery?.message) this.contents.set(delivery.id, structuredClone(delivery));
      }
      return write(changes);
    };
    const notifier = createNotifier(records, this.alarms, {
      ...{ data: null, engine: 'here', settings: { private: true, plaintext: false }, random: () => 0 },
    });
    this.notifier = notifier;
    await notifier.restore();
    this.page(this.open);
  }

  page(open: boolean): void {
    this.open = open;
    this.stopPage();
    const { records } = this;
    // A killed engine shows nothing any more.
    this.stopPage = open
      ? this.notifier.watch(({ id }) => {
          if (records.left > 0) this.sent.push(id);
        })
      : () => undefined;
  }

  /** The engine is killed after so many more writes, or when a second has passed. */
  async kill(after: number): Promise<void> {
    this.records.left = after;
    await vi.advanceTimersByTimeAsync(1000);
    this.records.left = 0;
    await this.start();
  }

  change(id: string, next: Alarm): void {
    this.alarms.put(next);
    this.notifier.changed([this.alarms.all.get(id)!], Date.now());
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  vi.setSystemTime(1_700_000_000_000);
  const world = new World();
  await world.start();
  channelId = (
    await world.notifier.addChannel({ name: 'd', enabled: true, per_minute: 600, settings: { kind: 'desktop' } })
  ).id;
  let fired = 0;
  for (const each of steps) {
    const now = Date.now();
    if (each.do === 'wait') await vi.advanceTimersByTimeAsync(each.ms);
    else if (each.do === 'kill') await world.kill(each.after);
    else if (each.do === 'stop') {
      const closing = world.notifier.close();
      await vi.advanceTimersByTimeAsync(3000);
      await closing;
      await world.start();
    } else if (each.do === 'routes') await world.notifier.setRoutes(routesBy(each.by));
    else if (each.do === 'page') world.page(each.open);
    else {
      const id = `a${each.of}`;
      const present = world.alarms.all.get(id);
      const firing = present?.state === 'firing';
      if (each.do === 'fire' && !firing)
        world.change(
          id,
          alarm(id, { fired: now - (fired++ % 2), since: now, severity: each.of % 2 ? 'critical' : 'warning' }),
        );
      else if (!present || !firing || each.do === 'fire') continue;
      else if (each.do === 'resolve') world.change(id, { ...resolved(present, now), acknowledged: null });
      else if (each.do === 'silence') world.change(id, { ...present, silenced: ['s'] });
      else if (each.do === 'unsilence') world.change(id, { ...present, silenced: [] });
      else if (each.do === 'acknowledge')
        world.change(id, { ...present, acknowledged: { by: 'me', time: now, comment: '' } });
      else {
        // Its rule was deleted: it is not there any more.
        world.notifier.changed([{ ...present, state: 'inactive' }], now);
        world.alarms.all.delete(id);
      }
    }
  }
  // Everything has time to settle; there is somebody to be told.
  world.page(true);
  await vi.advanceTimersByTimeAsync(30 * 60_000);
  check(world);
  world.records.left = 0;
}

function check({ sent, contents, alarms, notifier }: World): void {
  // The same message comes again only as what was under way.
  for (const [i, id] of sent.entries()) {
    const before = sent.lastIndexOf(id, i - 1);
    if (i > 0 && before >= 0) expect(before, 'repeated at once').toBe(i - 1);
  }
  const told = new Map<string, boolean>();
  for (const id of new Set(sent)) {
    for (const { id: of, status } of contents.get(id)!.message!.alarms) {
      if (status === 'fresh') {
        expect(told.get(of) ?? false, `${of} was told twice that it fires`).toBe(false);
        told.set(of, true);
      } else if (status === 'resolved') {
        expect(told.get(of), `${of} was told that it ended, without a beginning`).toBe(true);
        told.set(of, false);
      } else expect(told.get(of), `${of} still fires, and nobody knows`).toBe(true);
    }
  }
  for (let i = 0; i < COUNT; i++) {
    const id = `a${i}`;
    const present = alarms.all.get(id);
    const firing = present?.state === 'firing';
    const quiet = firing && (present.silenced.length > 0 || present.acknowledged !== null);
    if (!firing) expect(told.get(id) ?? false, `the end of ${id} was not told`).toBe(false);
    else if (!quiet) expect(told.get(id), `${id} fires and nobody was told`).toBe(true);
  }
  expect(notifier.figures().waiting).toBe(0);
}

test('an alarm that was moved to another group ends once', async () => {
  await run([
    { do: 'fire', of: 1 },
    { do: 'wait', ms: 60_000 },
    { do: 'routes', by: 0 },
    { do: 'forget', of: 1 },
    { do: 'stop' },
  ]);
});

test('nothing is lost or told twice, whenever the engine is killed', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) => run(steps)),
    { numRuns: 150 },
  );
});
