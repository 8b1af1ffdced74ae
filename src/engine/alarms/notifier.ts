/** Who is told of alarms. The manager knows only this; what a channel is and how it is reached is notify/'s matter. */

import type { Alarm } from '../../shared/api/alarms.ts';
import type {
  Channel,
  ChannelPatch,
  ChannelSettings,
  ChannelTestResult,
  Delivery,
  DeliveryQuery,
  NewChannel,
  Route,
} from '../../shared/api/channels.ts';
import type { LiveNotification } from '../../shared/api/live.ts';

/** What became of a message about an alarm, for the alarm's history. */
export interface Told {
  readonly alarm: string;
  readonly kind: 'delivered' | 'failed';
  /** The channel's name, and why it failed. */
  readonly note: string;
  readonly time: number;
}

export interface Notifier {
  /**
   * Reads what was kept, and goes on with what waited. Before the first {@link changed}, and once the host knows all that
   * fires: what fired or ended while nobody could be told (the engine was killed) is told now.
   */
  restore(): Promise<void>;
  /**
   * Alarms that began or ended to fire, or were acknowledged, silenced or are so no more: as they are now, and already
   * durable. Silenced and acknowledged ones are not told.
   */
  changed(alarms: readonly Alarm[], time: number): void;
  /** Once per tick, after {@link changed}. Cheap while nothing waits. */
  tick(time: number): void;

  channels(): Channel[];
  /** Errors of the rest: `channel_not_found`, `bad_request`. */
  channel(id: string): Channel;
  addChannel(channel: NewChannel): Promise<Channel>;
  patchChannel(id: string, patch: ChannelPatch): Promise<Channel>;
  removeChannel(id: string): Promise<void>;
  routes(): Route[];
  setRoutes(routes: readonly Route[]): Promise<Route[]>;
  /** Newest first. */
  deliveries(query: DeliveryQuery): Delivery[];
  /** Sends a test message now. Never throws because the other side fails: that is the answer. */
  test(
    request: { readonly id?: string | undefined; readonly settings?: ChannelSettings | undefined },
    signal: AbortSignal,
  ): Promise<ChannelTestResult>;

  /** Deliveries that wait, and how many came to what since the start: for figures. */
  figures(): { readonly waiting: number; readonly sent: number; readonly failed: number };
  /** A page that can show notifications (the live topic `notifications`). Returns what ends it. */
  watch(show: (notification: LiveNotification) => void): () => void;
  close(): Promise<void>;
}

/** What a notifier gets from the manager. */
export interface NotifierHost {
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** Written to the history of the alarms that a message was about. */
  told(told: readonly Told[]): void;
  /** The alarm as it is now; null: it is inactive. What fired while the engine was down is looked up here. */
  alarm(id: string): Alarm | null;
  /** All that fire now: at the start, and when channels or routes change. */
  firing(): Iterable<Alarm>;
}
