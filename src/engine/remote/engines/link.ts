/**
 * One engine that is reached through a connection: where it is, what it says of itself, and requests to it. Nothing that
 * it says is believed beyond its form; nothing that it could use against this engine is sent to it.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { EngineAddress, EngineState } from '../../../shared/api/connections.ts';
import type { Session } from '../types.ts';
import { plainText, wordsOf } from '../words.ts';
import { askOnce, ChannelAgent, NotAnswered, type Asked } from './channel-agent.ts';
import { ENGINE_ID } from './engine-id.ts';
import { isOwn, lookFor, readToken, type Found, type Place } from './find.ts';
import { readLimited } from './read-limited.ts';
import { refuseVersion, skewOf, type Version } from './skew.ts';

/** Its status is asked for this often, ms; while it is not up first after this, then after twice as long each time. */
const EVERY = 10_000;
const FIRST_AFTER = 500;
/** One round: looking, asking. Milliseconds. */
const ROUND_WITHIN = 30_000;
const MAX_STATUS = 1024 * 1024;
/** Whose a port is, is known within this, ms. */
const OWN_WITHIN = 15_000;

/** Of its status what this engine itself needs. */
const About = z.object({
  name: z.literal('vigie'),
  version: z.string().max(1024),
  api: z.object({ major: z.number().int().nonnegative(), minor: z.number().int().nonnegative() }),
  engine: z.object({ id: z.string().regex(ENGINE_ID), host: z.string().max(1024) }),
});

export interface Known {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly api: Version | null;
}

export interface LinkOptions {
  readonly session: Session;
  readonly address: EngineAddress;
  /** What was known of it before; null: nothing. */
  readonly known: Known | null;
  /** Why an engine with this id is not taken through this connection; null: it is. */
  readonly claim: (id: string) => string | null;
  /** How it is, or what is known of it, is another. */
  readonly changed: () => void;
  /** Milliseconds between two looks; default 10 s. */
  readonly every?: number;
}

/** Why an engine is not used although something answers. */
class Refused extends Error {
  override readonly name = 'Refused';
}

export class EngineLink {
  readonly #options: LinkOptions;
  readonly #agent = new ChannelAgent((signal) => this.dial(signal), true);
  readonly #agentOnce = new ChannelAgent((signal) => this.dial(signal), false);
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #place: Place | null = null;
  #tokenFile: string | null = null;
  /** Of the engine over there: in memory only. */
  #token: string | null = null;
  /** Whether its port is the user's own; null: nobody asks for that at the moment. */
  #own: Promise<boolean> | null = null;
  known: Known | null;
  /** Name of the host that was asked last where an engine is; null: it was not asked, or did not say. */
  answered: string | null = null;
  state: EngineState = 'looking';
  /** In words; null: nothing is wrong. */
  reason: string | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.known = options.known;
  }

  get skew(): string | null {
    return this.known?.api ? skewOf(this.known.api) : null;
  }

  start(): void {
    void this.#run();
  }

  /** Looks at once instead of at the next time. */
  nudge(): void {
    this.#wake.abort();
  }

  close(): void {
    this.#stopped.abort(new Error('the connection is closed'));
    this.#wake.abort();
    this.#agent.destroy();
    this.#agentOnce.destroy();
  }

  async #run(): Promise<void> {
    const { session, every = EVERY } = this.#options;
    let wait = FIRST_AFTER;
    while (!this.#stopped.signal.aborted) {
      // Before the round: what happens meanwhile is a reason for another one.
      this.#wake = new AbortController();
      if (session.state === 'up') await this.#round();
      else this.#become('down', 'the connection to the host is not up');
      wait = this.state === 'up' ? FIRST_AFTER : Math.min(every, 2 * wait);
      await delay(this.state === 'up' ? every : wait, undefined, { ref: false, signal: this.#wake.signal }).catch(
        () => undefined,
      );
    }
  }

  async #round(): Promise<void> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ROUND_WITHIN)]);
    try {
      if (this.#place === null) await this.#look(signal);
      else await this.#greet(signal);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      // It may have moved: to another socket, another host of the same name.
      this.#forget();
      const isRefused = error instanceof Refused || error instanceof NotAnswered;
      this.#become(isRefused ? 'refused' : 'down', signal.aborted ? 'it did not answer in time' : wordsOf(error));
    }
  }

  #forget(): void {
    this.#place = this.#token = this.#tokenFile = null;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { session, address } = this.#options;
    const { found, host, absent } = await lookFor(session, address, signal);
    this.answered = host;
    if (found.length === 0) return this.#become('absent', absent);
    let first: unknown = null;
    for (const one of found) {
      try {
        return await this.#try(one, signal);
      } catch (error) {
        if (signal.aborted || error instanceof Refused) throw error;
        first ??= error;
      }
    }
    if (address.kind === 'auto') return this.#become('absent', `${absent} (${wordsOf(first)})`);
    throw first;
  }

  async #try({ place, tokenFile }: Found, signal: AbortSignal): Promise<void> {
    this.#place = place;
    this.#tokenFile = tokenFile;
    // On its own socket the directory is the authorisation.
    this.#token = place.kind === 'port' && tokenFile !== null ? await this.#readToken(signal) : null;
    try {
      await this.#greet(signal);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async #readToken(signal: AbortSignal): Promise<string | null> {
    return this.#tokenFile === null ? null : readToken(this.#options.session, this.#tokenFile, signal);
  }

  /** Asks who it is. */
  async #greet(signal: AbortSignal): Promise<void> {
    const answer = await this.#ask({ method: 'GET', path: '/api/v1/status', headers: {}, body: null }, signal);
    if (answer.statusCode === 401) {
      answer.destroy();
      throw new Refused(
        this.#tokenFile === null
          ? 'it asks for a token, and no token file was found there: give its path'
          : `it does not accept the token in ${plainText(this.#tokenFile, 200)}`,
      );
    }
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Refused(`it answers with status ${answer.statusCode} where an engine tells how it is`);
    }
    const about = readAbout(await readLimited(answer, MAX_STATUS, signal));
    const why = this.#options.claim(about.engine.id) ?? refuseVersion(about.api);
    if (why !== null) throw new Refused(why);
    const known: Known = {
      ...{ id: about.engine.id, api: about.api },
      host: plainText(about.engine.host, 253),
      version: plainText(about.version, 64),
    };
    const isNew = JSON.stringify(known) !== JSON.stringify(this.known);
    this.known = known;
    this.#become('up', null, isNew);
  }

  #become(state: EngineState, reason: string | null, isNew = false): void {
    if (!isNew && this.state === state && this.reason === reason) return;
    this.state = state;
    this.reason = reason;
    this.#options.changed();
  }

  /** A channel to it. @throws {Error} In words. */
  async dial(signal: AbortSignal): Promise<Duplex> {
    const place = this.#place;
    const { session, address } = this.#options;
    if (place === null) throw new Error('it is not known where the engine is over there');
    // A token goes to it, and on a shared node anybody can take the port of an engine that has ended.
    if (place.kind === 'port' && address.kind === 'auto' && !(await this.#isOwn(place))) {
      this.nudge();
      throw new Error('the port of the engine over there is not yours any more: it is looked for anew');
    }
    return place.kind === 'socket'
      ? session.dialUnix(place.path, signal)
      : session.dialTcp(place.host, place.port, signal);
  }

  #isOwn(place: Place): Promise<boolean> {
    // Channels that are opened together are asked for once; a moment later it may be another's.
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(OWN_WITHIN)]);
    this.#own ??= isOwn(this.#options.session, place, signal).finally(() => (this.#own = null));
    return this.#own;
  }

  /** What lets requests in over there. */
  authorization(): Record<string, string> {
    return this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
  }

  #ask(asked: Asked, signal: AbortSignal): Promise<IncomingMessage> {
    const agent = asked.method === 'GET' || asked.method === 'HEAD' ? this.#agent : this.#agentOnce;
    return askOnce(agent, { ...asked, headers: { ...asked.headers, ...this.authorization() } }, signal);
  }

  /**
   * The head of its answer. When it does not accept the token (it was made anew over there) the token is read once more:
   * what is refused for its token was not done.
   */
  async ask(asked: Asked, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#ask(asked, signal);
    if (answer.statusCode !== 401 || this.#tokenFile === null) return answer;
    const token = await this.#readToken(signal);
    if (token === null || token === this.#token) return answer;
    answer.destroy();
    this.#token = token;
    return this.#ask(asked, signal);
  }

  /** A good answer, checked. `most`: bytes. @throws {Error} In words. */
  async json<T>(path: string, schema: z.ZodType<T>, most: number, signal: AbortSignal): Promise<T> {
    const asked: Asked = { method: 'GET', path, headers: { accept: 'application/json' }, body: null };
    const answer = await this.ask(asked, signal);
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new NotAnswered(`it answers with status ${answer.statusCode}`);
    }
    const parsed = schema.safeParse(parse(await readLimited(answer, most, signal)));
    if (!parsed.success) throw new NotAnswered('its answer is not as it should be');
    return parsed.data;
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function readAbout(body: Buffer): z.infer<typeof About> {
  const value = parse(body);
  const parsed = About.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refused('what answers there is no engine of Vigie');
}
