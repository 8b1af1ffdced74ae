/** Connections to what is behind a host that is reached by SSH: each is one more channel of that host's only login. */

import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { TargetError, type Access, type TargetUrl } from './type.ts';

/** Part of the time of a question after which there must be a way: before the question itself is given up. */
const DIAL_PART = 0.4;

/** What HTTP calls on a socket and a channel may not have: there is nothing to set on it. */
const SETTINGS = ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref'] as const;

/** Throws {@link TargetError}, or the signal's reason. */
export async function openTunnel(url: TargetUrl, access: Access, signal: AbortSignal): Promise<Duplex> {
  const { dial, timeoutMs } = access;
  if (!dial) throw new TargetError('refused', `${url.ssh ?? ''} is reached by SSH, which is not possible here`);
  const channel = await dial(url, DIAL_PART * timeoutMs, signal);
  for (const name of SETTINGS) {
    if (name in channel) continue;
    Object.defineProperty(channel, name, { value: () => channel, configurable: true, enumerable: false });
  }
  return channel;
}

/** Plain HTTP over channels. One question at a time is asked. */
export class TunnelAgent extends Agent {
  readonly #url: TargetUrl;
  readonly #access: Access;
  #dialling: AbortController | null = null;

  constructor(url: TargetUrl, access: Access, keepAlive: boolean) {
    super({ keepAlive, maxSockets: 1, maxFreeSockets: 1 });
    this.#url = url;
    this.#access = access;
  }

  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    void this.#connect(done);
  }

  async #connect(done?: (error: Error | null, stream: Duplex) => void): Promise<void> {
    const dialling = new AbortController();
    this.#dialling = dialling;
    try {
      const channel = await openTunnel(this.#url, this.#access, dialling.signal);
      channel.on('error', () => undefined);
      done?.(null, channel);
    } catch (error) {
      done?.(error instanceof Error ? error : new Error(String(error)), undefined as never);
    } finally {
      if (this.#dialling === dialling) this.#dialling = null;
    }
  }

  abandon(): void {
    this.#dialling?.abort(new TargetError('down', 'the connection was given up'));
    this.#dialling = null;
  }
}
