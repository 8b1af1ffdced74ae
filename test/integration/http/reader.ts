/** A reader of the live socket that keeps all it hears and checks what must always hold. */

import { expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { LiveEvent, type LiveRequest } from '../../../src/shared/api/live.ts';
import { decodeFrame, FrameState, hasBit, type Frame } from '../../../src/shared/frame.ts';
import { eventually } from '../../support/wait.ts';
import type { Here } from './here.ts';

type Event<T extends LiveEvent['type']> = Extract<LiveEvent, { type: T }>;

/** What came of one subscription. */
export class Stream {
  readonly frames: Frame[] = [];
  readonly names: string[] = [];
  readonly state = new FrameState();
  /** Everything in order: `schema`, `gap`, `live`, `end`, or the sequence number of a frame. */
  readonly order: (string | number)[] = [];
  /** By sequence number: totals of the counters, as known after that frame. */
  readonly totals = new Map<number, Float64Array>();
  readonly #places = new Map<string, number>();
  readonly #known = { counter: new Set<number>(), gauge: new Set<number>() };

  frame(frame: Frame): void {
    const { counterCount, counterBits, gaugeCount, gaugeBits } = frame;
    for (let i = 0; i < counterCount; i++)
      if (hasBit(counterBits, i) && !this.#known.counter.has(i)) throw new Error(`counter ${i} was not told before`);
    for (let i = 0; i < gaugeCount; i++)
      if (hasBit(gaugeBits, i) && !this.#known.gauge.has(i)) throw new Error(`gauge ${i} was not told before`);
    expect(this.order, 'no frame comes after the end').not.toContain('end');
    this.frames.push(frame);
    this.order.push(frame.sequence);
    this.state.apply(frame);
    this.totals.set(frame.sequence, this.state.counters.slice(0, frame.counterCount));
  }

  note(event: LiveEvent): void {
    this.order.push(event.type);
    if (event.type !== 'schema') return;
    for (const { name, kind, index } of event.series) {
      this.names.push(name);
      this.#known[kind].add(index);
      if (kind === 'counter') this.#places.set(name, index);
    }
  }

  /** Place of a counter. */
  place(name: string): number | undefined {
    return this.#places.get(name);
  }

  value(name: string): number | undefined {
    const i = this.place(name);
    return i === undefined ? undefined : this.state.counters[i];
  }

  get sequences(): number[] {
    return this.frames.map(({ sequence }) => sequence);
  }
}

export class LiveReader {
  readonly socket: WebSocket;
  readonly events: LiveEvent[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #streams = new Map<number, Stream>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        const frame = decodeFrame(data);
        return this.stream(frame.stream).frame(frame);
      }
      const event = LiveEvent.parse(JSON.parse(data.toString()));
      this.events.push(event);
      if ('id' in event && typeof event.id === 'number') this.stream(event.id).note(event);
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => {});
    onTestFinished(() => socket.terminate());
  }

  stream(id: number): Stream {
    let stream = this.#streams.get(id);
    if (!stream) this.#streams.set(id, (stream = new Stream()));
    return stream;
  }

  send(...requests: LiveRequest[]): void {
    for (const request of requests) this.socket.send(JSON.stringify(request));
  }

  of<T extends LiveEvent['type']>(type: T): Event<T>[] {
    return this.events.filter((event): event is Event<T> => event.type === type);
  }

  /** The first event of a kind, when it comes. */
  next<T extends LiveEvent['type']>(type: T, wanted: (event: Event<T>) => boolean = () => true): Promise<Event<T>> {
    return eventually(() => this.of(type).find(wanted));
  }

  closing(): Promise<{ code: number; reason: string }> {
    return eventually(() => this.closed ?? undefined);
  }
}

/** Opens the live socket; rejects when the upgrade is refused. */
export async function connectLive(url: string, headers: Readonly<Record<string, string>> = {}): Promise<LiveReader> {
  const reader = new LiveReader(new WebSocket(url, { headers }));
  await new Promise((resolve, reject) => {
    reader.socket.once('open', resolve);
    reader.socket.once('error', reject);
  });
  return reader;
}

export const liveUrl = ({ url }: Pick<Here, 'url'>): string => `${url.replace('http', 'ws')}/api/v1/live`;

/** One that may read. */
export const readLive = (here: Here): Promise<LiveReader> =>
  connectLive(liveUrl(here), { authorization: `Bearer ${here.engine.token}` });
