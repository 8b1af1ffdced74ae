/** Sends samples to other stores by Prometheus' remote write, and reads back what the own store has no more. */

import type { RangeResult } from '../../shared/api/query.ts';
import type { RemoteWriteStatus } from '../../shared/api/status.ts';
import type { TickInfo } from '../live/sampler.ts';
import type { Scope } from '../live/scope.ts';
import type { SourceWriter } from '../sources/source.ts';
import { Destination, type DestinationOptions } from './destination.ts';
import { writeFigures } from './figures.ts';
import { Reader, type BackQuery } from './read-back.ts';
import type { DestinationSettings } from './settings.ts';

export type RemoteWriteOptions = Omit<DestinationOptions, 'settings'>;

export class RemoteWrite {
  readonly #destinations: readonly Destination[];
  readonly #reader: Reader | null;
  readonly #stop = new AbortController();

  private constructor(destinations: readonly Destination[], host: string) {
    this.#destinations = destinations;
    const readable = destinations.find(({ settings }) => settings.read_url !== undefined);
    this.#reader = readable ? new Reader(readable.settings, readable.transport, host) : null;
  }

  /** @throws {Error} when a file that the settings name cannot be used. */
  static async open(list: readonly DestinationSettings[], options: RemoteWriteOptions): Promise<RemoteWrite> {
    const destinations: Destination[] = [];
    try {
      for (const settings of list) destinations.push(await Destination.open({ ...options, settings }));
    } catch (error) {
      for (const destination of destinations) await destination.close();
      throw error;
    }
    return new RemoteWrite(destinations, options.host);
  }

  /** A tick of the sampler. Copies the numbers that are due, and returns at once. */
  consume(tick: TickInfo, scopes: readonly Scope[]): void {
    for (const destination of this.#destinations) destination.consume(tick, scopes);
  }

  /** A scope is over; `jobid` where it is a run's. */
  end(scope: Scope, jobid: string | null): void {
    for (const destination of this.#destinations) destination.end(scope, jobid);
  }

  status(): RemoteWriteStatus[] {
    return this.#destinations.map((destination) => destination.status());
  }

  /** Writes its own figures as series of the node. */
  sample(out: SourceWriter): void {
    for (const status of this.status()) writeFigures(out, status);
  }

  /** Something can be read back at all. */
  get readable(): boolean {
    return this.#reader !== null;
  }

  /**
   * History as the destination has it, in buckets of `step` from `from` on; null when nothing is configured to read from.
   *
   * @throws {Error} in words, when the destination does not answer, or with something else.
   */
  async readBack(query: BackQuery, signal: AbortSignal): Promise<RangeResult | null> {
    return this.#reader ? this.#reader.read(query, AbortSignal.any([signal, this.#stop.signal])) : null;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#destinations.map((destination) => destination.close()));
  }
}
