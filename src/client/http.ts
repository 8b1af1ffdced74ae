/** A small HTTP client of an engine's API, over TCP with the token or over the engine's own socket. */

import { request, type IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { Problem } from '../shared/errors.ts';
import { NodeList } from '../shared/api/nodes.ts';
import { Profile } from '../shared/api/profiles.ts';
import { RangeResult } from '../shared/api/query.ts';
import { Run, RunList } from '../shared/api/runs.ts';
import { SeriesList } from '../shared/api/series.ts';
import { Status } from '../shared/api/status.ts';

export type EngineAddress =
  | { readonly url: string; readonly token: string }
  | { /** Path of the engine's socket: its directory is the authorisation. */ readonly socket: string };

/** The engine refused, with the code and the words of its answer. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

const urlOptions = (url: URL): { host: string; port: string; path: string } => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: url.port,
  path: url.pathname + url.search,
});

type Params = Readonly<Record<string, string | number | readonly string[] | undefined>>;

function search(params: Params): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) out.append(name, String(one));
  }
  const text = out.toString();
  return text === '' ? '' : `?${text}`;
}

/** The JSON of an answer. Throws EngineError. */
function checked(path: string, { status, body }: Answer): unknown {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new EngineError(
      status,
      'not_json',
      `the answer to ${path} is not JSON (status ${status}): is this a Vigie engine?`,
    );
  }
  if (status < 200 || status > 299) {
    const problem = Problem.safeParse(json);
    throw new EngineError(status, problem.data?.code ?? 'unknown', problem.data?.detail ?? `status ${status}`);
  }
  return json;
}

export class EngineClient {
  readonly #address: EngineAddress;
  readonly #timeout: number;

  /** `timeout`: ms without a word from the engine after which a request fails; 0 waits for ever. */
  constructor(address: EngineAddress, { timeout = 0 }: { readonly timeout?: number } = {}) {
    this.#address = address;
    this.#timeout = timeout;
  }

  /** Any request, with whatever status it is answered. */
  raw(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
    content: string | null = null,
  ): Promise<Answer> {
    const address = this.#address;
    const where = 'socket' in address ? { socketPath: address.socket, path } : urlOptions(new URL(path, address.url));
    const auth: Record<string, string> = 'token' in address ? { authorization: `Bearer ${address.token}` } : {};
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...where, method, headers: { ...auth, ...headers }, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        answer.on('error', reject);
      });
      outgoing.on('error', reject);
      if (this.#timeout > 0) {
        outgoing.setTimeout(this.#timeout, () => {
          outgoing.destroy(
            Object.assign(new Error(`no answer within ${this.#timeout / 1000} s`), { code: 'ETIMEDOUT' }),
          );
        });
      }
      outgoing.end(content ?? undefined);
    });
  }

  /** A file of any size, as it comes; who destroys it ends it. Throws EngineError. */
  async file(path: string, params: Params, signal: AbortSignal): Promise<IncomingMessage> {
    const address = this.#address;
    const whole = `/api/v1${path}${search(params)}`;
    const where =
      'socket' in address ? { socketPath: address.socket, path: whole } : urlOptions(new URL(whole, address.url));
    const headers: Record<string, string> = 'token' in address ? { authorization: `Bearer ${address.token}` } : {};
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...where, headers, agent: false, signal }, resolve)
        .on('error', reject)
        .end();
    });
    if (answer.statusCode === 200) return answer;
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    checked(path, {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    });
    throw new EngineError(
      answer.statusCode ?? 0,
      'unknown',
      `status ${answer.statusCode ?? 0} where a file was expected`,
    );
  }

  async #get<T extends z.ZodType>(schema: T, path: string, params: Params = {}): Promise<z.output<T>> {
    return schema.parse(await this.json(path, params));
  }

  /** An answer of the API as it came, unchecked: a newer engine may say more than is known here. Throws EngineError. */
  async json(path: string, params: Params = {}): Promise<unknown> {
    return checked(path, await this.raw(`/api/v1${path}${search(params)}`));
  }

  /** The same of an answer that is no JSON. */
  async text(path: string): Promise<string> {
    const answer = await this.raw(`/api/v1${path}`);
    if (answer.status !== 200) checked(path, answer);
    return answer.body;
  }

  /** Sends JSON. */
  async post(path: string, content: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return checked(path, await this.raw(`/api/v1${path}`, headers, 'POST', JSON.stringify(content)));
  }

  async delete(path: string): Promise<unknown> {
    return checked(path, await this.raw(`/api/v1${path}`, {}, 'DELETE'));
  }

  status(): Promise<Status> {
    return this.#get(Status, '/status');
  }

  runs(params: { state?: 'live' | 'ended'; search?: string; limit?: number; cursor?: string } = {}): Promise<RunList> {
    return this.#get(RunList, '/runs', params);
  }

  run(id: string): Promise<Run> {
    return this.#get(Run, `/runs/${encodeURIComponent(id)}`);
  }

  series(scope: string): Promise<SeriesList> {
    return this.#get(SeriesList, '/series', { scope });
  }

  query(params: {
    scope: string;
    series?: readonly string[];
    from: number;
    to: number;
    maxPoints?: number;
  }): Promise<RangeResult> {
    return this.#get(RangeResult, '/query', params);
  }

  nodes(): Promise<NodeList> {
    return this.#get(NodeList, '/nodes');
  }

  profile(runId: string): Promise<Profile> {
    return this.#get(Profile, `/profiles/${encodeURIComponent(runId)}`);
  }
}
