/** The list of channels: what was set of each, its secrets apart from it, and what it is made of when it is used. */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ChannelSettings, type ChannelKind, type ChannelPatch, type NewChannel } from '../../../shared/api/channels.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { RecordChange } from '../records.ts';
import type { ChannelType, Sender, SendContext } from './channel.ts';
import type { Pages } from './pages.ts';
import { loadKind } from './kinds.ts';
import type { ChannelSecrets, Secrets } from './secrets.ts';

const MAX_CHANNELS = 100;

/** Record `channel`, without secrets. */
const ChannelRecord = z.object({
  name: z.string(),
  enabled: z.boolean(),
  per_minute: z.number().int().min(1),
  settings: z.record(z.string(), z.unknown()),
  /** Milliseconds since the epoch. */
  created: z.number(),
});

export interface OpenChannel {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly perMinute: number;
  readonly created: number;
  readonly kind: ChannelKind;
  readonly type: ChannelType;
  /** With secrets. */
  readonly settings: ChannelSettings;
  /** Made when it is first used. */
  readonly sender: () => Sender;
  /** Why its settings cannot be used here, in words; null: they can. */
  readonly refused: string | null;
}

/** It is on the list; `change` is to be written, or else `undo` to be called. */
export interface ChangedChannel {
  readonly channel: OpenChannel;
  readonly change: RecordChange;
  readonly undo: () => void;
}

type Plain = Record<string, unknown>;

const bad = (detail: string): ApiError => new ApiError('bad_request', detail);

export interface ChannelListOptions {
  readonly secrets: Secrets;
  readonly context: SendContext;
  readonly pages: Pages;
  readonly warn: (message: string) => void;
}

export class ChannelList {
  readonly #options: ChannelListOptions;
  /** In the order they were added. */
  readonly #channels = new Map<string, OpenChannel>();

  constructor(options: ChannelListOptions) {
    this.#options = options;
  }

  async restore(records: ReadonlyMap<string, unknown>): Promise<void> {
    const { secrets, warn } = this.#options;
    const found: OpenChannel[] = [];
    for (const [id, value] of records) {
      const parsed = ChannelRecord.safeParse(value);
      const settings = ChannelSettings.safeParse({ ...parsed.data?.settings, ...secrets.of(id) });
      if (!parsed.success || !settings.success) {
        warn(`the alarm channel ${id} cannot be understood and is left out`);
        continue;
      }
      const { name, enabled, per_minute: perMinute, created } = parsed.data;
      found.push(await this.#open({ id, name, enabled, perMinute, created }, settings.data));
    }
    found.sort((a, b) => a.created - b.created);
    for (const channel of found) this.#channels.set(channel.id, channel);
    secrets.keepOnly(new Set(records.keys()));
  }

  async #open(
    about: Pick<OpenChannel, 'id' | 'name' | 'enabled' | 'perMinute' | 'created'>,
    settings: ChannelSettings,
  ): Promise<OpenChannel> {
    const { context } = this.#options;
    const type = await loadKind(settings.kind, this.#options.pages);
    let sender: Sender | null = null;
    return {
      ...about,
      ...{ kind: settings.kind, type, settings, refused: type.check(settings, context.policy) },
      sender: () => (sender ??= type.open(settings, context)),
    };
  }

  get context(): SendContext {
    return this.#options.context;
  }

  [Symbol.iterator](): IterableIterator<OpenChannel> {
    return this.#channels.values();
  }

  get(id: string): OpenChannel | undefined {
    return this.#channels.get(id);
  }

  needed(id: string): OpenChannel {
    const channel = this.#channels.get(id);
    if (!channel) throw new ApiError('channel_not_found', 'no channel has this id; it may have been removed');
    return channel;
  }

  /** What is to be told now: those that are switched on and can be used. */
  usable(): string[] {
    return [...this].filter(({ enabled, refused }) => enabled && refused === null).map(({ id }) => id);
  }

  #checkName(name: string, self: string | null): void {
    for (const { id, name: taken } of this) {
      if (id !== self && taken === name) throw new ApiError('channel_exists', `a channel is called ${name}`);
    }
  }

  /**
   * Settings as they will be, with those secrets of `before` that were left out, if they go to the same place.
   *
   * @throws ApiError `bad_request`, in words.
   */
  async complete(
    given: ChannelSettings,
    before: OpenChannel | null,
  ): Promise<{ settings: ChannelSettings; type: ChannelType }> {
    const type = await loadKind(given.kind, this.#options.pages);
    if (before && before.kind !== given.kind) throw bad(`this channel is of the kind ${before.kind}: add another one`);
    const settings: Plain = { ...given };
    const left = type.secrets.filter((name) => settings[name] === undefined);
    for (const name of left) {
      const kept = before ? (before.settings as Plain)[name] : undefined;
      if (typeof kept === 'string' && kept !== '') settings[name] = kept;
    }
    for (const name of type.secrets) if (settings[name] === '') delete settings[name];
    const complete = settings as ChannelSettings;
    const refused = type.check(complete, this.#options.context.policy);
    if (refused !== null) throw bad(refused);
    // Whoever may change a channel may not have its secrets sent to themself.
    const taken = left.filter((name) => settings[name] !== undefined);
    if (before && taken.length > 0 && type.place(before.settings) !== type.place(complete)) {
      throw bad(`the messages would go to another place: give ${taken.join(', ')} anew`);
    }
    return { settings: complete, type };
  }

  /** Puts it on the list; the record is to be written. */
  async add(given: NewChannel, now: number): Promise<ChangedChannel> {
    if (this.#channels.size >= MAX_CHANNELS) throw bad(`there are ${MAX_CHANNELS} channels, which is the limit`);
    this.#checkName(given.name, null);
    const { settings } = await this.complete(given.settings, null);
    const id = randomBytes(6).toString('hex');
    return this.#put(
      { id, name: given.name, enabled: given.enabled, perMinute: given.per_minute, created: now },
      settings,
    );
  }

  async patch(id: string, patch: ChannelPatch): Promise<ChangedChannel> {
    const before = this.needed(id);
    if (patch.name !== undefined) this.#checkName(patch.name, id);
    const settings = patch.settings ? (await this.complete(patch.settings, before)).settings : before.settings;
    const { name = before.name, enabled = before.enabled, per_minute: perMinute = before.perMinute } = patch;
    return this.#put({ id, name, enabled, perMinute, created: before.created }, settings);
  }

  async #put(
    about: Pick<OpenChannel, 'id' | 'name' | 'enabled' | 'perMinute' | 'created'>,
    settings: ChannelSettings,
  ): Promise<ChangedChannel> {
    const channel = await this.#open(about, settings);
    const { shown, secrets } = split(channel);
    const before = this.#channels.get(about.id);
    const undo = (): void => {
      if (before) this.#channels.set(about.id, before);
      else this.#channels.delete(about.id);
      try {
        this.#options.secrets.set(about.id, before ? split(before).secrets : null);
      } catch {
        // The disk refused already. Of a channel that is not there the next start forgets them.
      }
    };
    // First: a channel without its secrets would be refused by the other side.
    this.#options.secrets.set(about.id, secrets);
    this.#channels.set(about.id, channel);
    const { id, name, enabled, perMinute, created } = about;
    const value = { name, enabled, per_minute: perMinute, settings: shown, created };
    return { channel, change: { kind: 'channel', id, value }, undo };
  }

  remove(id: string): RecordChange {
    this.needed(id);
    this.#options.secrets.set(id, null);
    this.#channels.delete(id);
    return { kind: 'channel', id, value: null };
  }
}

/** Settings that may be shown, and those that may not. */
export function split({ settings, type }: Pick<OpenChannel, 'settings' | 'type'>): {
  shown: Plain;
  secrets: ChannelSecrets;
} {
  const shown: Plain = { ...settings };
  const secrets: Record<string, string> = {};
  for (const name of type.secrets) {
    const value = shown[name];
    delete shown[name];
    if (typeof value === 'string' && value !== '') secrets[name] = value;
  }
  return { shown, secrets };
}
