import { z } from 'zod';
import { AlarmList } from '../../shared/api/alarms.ts';
import { AuditList } from '../../shared/api/audit.ts';
import { Problem } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { EngineList } from '../../shared/api/connections.ts';
import { Bundle, Diagnosis } from '../../shared/api/diagnosis.ts';
import { NamesList } from '../../shared/api/names.ts';
import { NodeList } from '../../shared/api/nodes.ts';
import { Profile } from '../../shared/api/profiles.ts';
import { RangeResult } from '../../shared/api/query.ts';
import { RankTable } from '../../shared/api/ranks.ts';
import { Run, RunList } from '../../shared/api/runs.ts';
import { SeriesList } from '../../shared/api/series.ts';
import { Keep, KeepList, RetentionState } from '../../shared/api/store.ts';
import type { NewKeep, RetentionChange } from '../../shared/api/store.ts';
import { API_VERSION, Status } from '../../shared/api/status.ts';
import { AddedToken, TokenList, WhoAmI } from '../../shared/api/tokens.ts';
import type { NewToken } from '../../shared/api/tokens.ts';
import { alarmsApi } from './alarmsApi.ts';
import { connectionsApi } from './connectionsApi.ts';
import { exportsApi } from './exportsApi.ts';
import { profilesApi } from './profilesApi.ts';
import { targetsApi } from './targetsApi.ts';

/** Why a request has no answer to show. `message` says what is wrong and, where it can, what to do. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** The engine's own code, or what the page found. */
  readonly code: ErrorCode | 'unreachable' | 'not_understood';

  constructor(code: RequestError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface ApiOptions {
  /** Path of the engine: '' for the one that served this page, `/api/v1/engines/ID` for one that it passes on. */
  readonly base: string;
  readonly token: () => string | null;
  /** A request was refused for its token. */
  readonly onUnauthorized: () => void;
  readonly fetch?: typeof fetch;
}

export interface Range {
  readonly scope: string;
  /** Canonical keys; empty, and without families: all. */
  readonly series: readonly string[];
  /** All series of these. */
  readonly families?: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly maxPoints: number;
}

/** A change of what is kept how long; null goes back to the configuration. */
export type RetentionText = { readonly [K in keyof RetentionChange]?: string | null };

export type Api = ReturnType<typeof createApi>;

/** Answer to what has nothing to tell. */
const Nothing = z.null();

interface Change {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** What groups of requests in files of their own are made with. */
export interface Requests {
  get<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>>;
  /** An answer that is text, whatever its type says. */
  getText(path: string): Promise<string>;
  change<S extends z.ZodType>(path: string, schema: S, change: Change): Promise<z.output<S>>;
  /** Sends a file as it is. */
  upload<S extends z.ZodType>(path: string, schema: S, file: Blob, signal?: AbortSignal): Promise<z.output<S>>;
  /** A question whose answer is lines of JSON, each told as it comes. */
  lines<S extends z.ZodType>(
    path: string,
    schema: S,
    question: { readonly body: unknown; readonly signal: AbortSignal },
    onLine: (line: z.output<S>) => void,
  ): Promise<void>;
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function checked<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new RequestError('not_understood', 'The engine’s answer is not as this page expects it. Reload the page.');
}

/** Requests to one engine. Every answer is checked against its schema before anything sees it. */
export function createApi(options: ApiOptions) {
  const request = options.fetch ?? fetch;

  async function get<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>> {
    return ask(path, schema, { signal: signal ?? null });
  }

  async function change<S extends z.ZodType>(path: string, schema: S, given: Change): Promise<z.output<S>> {
    const { method, body, signal = null } = given;
    if (body === undefined) return ask(path, schema, { method, signal });
    return ask(path, schema, { method, signal, body: JSON.stringify(body) });
  }

  async function upload<S extends z.ZodType>(
    path: string,
    schema: S,
    file: Blob,
    signal?: AbortSignal,
  ): Promise<z.output<S>> {
    return ask(path, schema, { method: 'POST', body: file, signal: signal ?? null });
  }

  async function getText(path: string): Promise<string> {
    const body = await answer(path, {}, (response) => (response.ok ? response.text() : response.json()));
    return String(body);
  }

  async function lines<S extends z.ZodType>(
    path: string,
    schema: S,
    { body, signal }: { readonly body: unknown; readonly signal: AbortSignal },
    onLine: (line: z.output<S>) => void,
  ): Promise<void> {
    const tell = (text: string): void => {
      if (text.trim() === '') return;
      onLine(checked(schema, parseJson(text)));
    };
    let failed: unknown = null;
    const readAll = async (response: Response): Promise<void> => {
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) break;
        const parts = (rest + part.value).split('\n');
        rest = parts.pop() ?? '';
        parts.forEach(tell);
      }
      tell(rest);
    };
    await answer(path, { method: 'POST', body: JSON.stringify(body), signal }, async (response) =>
      response.ok ? readAll(response).catch((error: unknown) => void (failed = error)) : response.json(),
    );
    signal.throwIfAborted();
    if (failed instanceof RequestError) throw failed;
    if (failed !== null) throw new RequestError('unreachable', 'The answer of the engine broke off.');
  }

  async function ask<S extends z.ZodType>(path: string, schema: S, init: RequestInit): Promise<z.output<S>> {
    return checked(schema, await answer(path, init, (response) => response.json()));
  }

  /** The body of a good answer. */
  async function answer(path: string, init: RequestInit, read: (response: Response) => Promise<unknown>) {
    const { signal } = init;
    const token = options.token() ?? '';
    const headers = {
      Accept: 'application/json',
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      ...(init.body === undefined
        ? {}
        : { 'Content-Type': init.body instanceof Blob ? 'application/octet-stream' : 'application/json' }),
    };
    let response: Response;
    let body: unknown;
    try {
      response = await request(`${options.base}/api/v1${path}`, { ...init, headers, cache: 'no-store' });
      body = await read(response).catch(() => null);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new RequestError('unreachable', 'The engine does not answer. Check that `vigie serve` still runs.');
    }
    if (!response.ok) {
      if (response.status === 401) options.onUnauthorized();
      const problem = Problem.safeParse(body);
      if (problem.success) throw new RequestError(problem.data.code, problem.data.detail || problem.data.title);
      throw new RequestError('not_understood', `The engine answered with status ${response.status} and no reason.`);
    }
    return body;
  }

  const text = encodeURIComponent;
  const requests: Requests = { get, getText, change, upload, lines };

  return {
    /** The socket's path for this engine. */
    livePath: `${options.base}/api/v1/live`,

    async status(signal?: AbortSignal): Promise<Status> {
      const status = await get('/status', Status, signal);
      if (status.api.major !== API_VERSION.major) {
        const detail = `The engine speaks version ${status.api.major} of the API, this page version ${API_VERSION.major}.`;
        throw new RequestError('not_understood', `${detail} Reload the page from that engine.`);
      }
      return status;
    },
    runs: (cursor: string | null, limit: number, signal?: AbortSignal): Promise<RunList> =>
      get(`/runs?limit=${limit}${cursor === null ? '' : `&cursor=${text(cursor)}`}`, RunList, signal),
    run: (id: string, signal?: AbortSignal): Promise<Run> => get(`/runs/${text(id)}`, Run, signal),
    ranks: (id: string, group: string, quantities: readonly string[], signal?: AbortSignal): Promise<RankTable> =>
      get(
        `/runs/${text(id)}/ranks?group=${text(group)}${quantities.map((one) => `&quantity=${text(one)}`).join('')}`,
        RankTable,
        signal,
      ),
    series: (scope: string, signal?: AbortSignal): Promise<SeriesList> =>
      get(`/series?scope=${text(scope)}`, SeriesList, signal),
    /** Names of all families of metrics that the engine knows. */
    families: (signal?: AbortSignal): Promise<NamesList> => get('/families?limit=10000', NamesList, signal),
    /** Those that can be looked at through this one. */
    engines: (signal?: AbortSignal): Promise<EngineList> => get('/engines', EngineList, signal),
    whoami: (signal?: AbortSignal): Promise<WhoAmI> => get('/whoami', WhoAmI, signal),
    tokens: (signal?: AbortSignal): Promise<TokenList> => get('/tokens', TokenList, signal),
    addToken: (body: NewToken): Promise<AddedToken> => change('/tokens', AddedToken, { method: 'POST', body }),
    revokeToken: (name: string): Promise<null> => change(`/tokens/${text(name)}`, Nothing, { method: 'DELETE' }),
    audit: (cursor: string | null, limit: number, signal?: AbortSignal): Promise<AuditList> =>
      get(`/audit?limit=${limit}${cursor === null ? '' : `&cursor=${text(cursor)}`}`, AuditList, signal),
    retention: (signal?: AbortSignal): Promise<RetentionState> => get('/store/retention', RetentionState, signal),
    /** Durations and sizes with their units, as they are written. */
    setRetention: (body: RetentionText): Promise<RetentionState> =>
      change('/store/retention', RetentionState, { method: 'PUT', body }),
    keeps: (cursor: string | null, limit: number, signal?: AbortSignal): Promise<KeepList> =>
      get(`/store/keeps?limit=${limit}${cursor === null ? '' : `&cursor=${text(cursor)}`}`, KeepList, signal),
    addKeep: (body: NewKeep): Promise<Keep> => change('/store/keeps', Keep, { method: 'POST', body }),
    removeKeep: (id: number): Promise<null> => change(`/store/keeps/${id}`, Nothing, { method: 'DELETE' }),
    diagnosis: (signal?: AbortSignal): Promise<Diagnosis> => get('/diagnosis', Diagnosis, signal),
    bundle: (): Promise<Bundle> => get('/bundle', Bundle),
    connections: connectionsApi(requests),
    targets: targetsApi(requests),
    ...alarmsApi(requests),
    profiles: profilesApi(requests),
    exports: exportsApi(requests),
    nodes: (signal?: AbortSignal): Promise<NodeList> => get('/nodes', NodeList, signal),
    /** The nodes of one page, which may be all. */
    someNodes: (signal?: AbortSignal): Promise<NodeList> => get('/nodes?limit=1000', NodeList, signal),
    alarmCounts: async (signal?: AbortSignal) => (await get('/alarms?limit=1', AlarmList, signal)).counts,
    /** The one that ended last; null: none did. */
    lastRun: async (signal?: AbortSignal): Promise<Run | null> =>
      (await get('/runs?state=ended&limit=1', RunList, signal)).runs[0] ?? null,
    profile: (id: string, signal?: AbortSignal): Promise<Profile> => get(`/profiles/${text(id)}`, Profile, signal),
    query(range: Range, signal?: AbortSignal): Promise<RangeResult> {
      const keys = [
        ...range.series.map((key) => `&series=${text(key)}`),
        ...(range.families ?? []).map((family) => `&family=${text(family)}`),
      ].join('');
      const span = `from=${Math.floor(range.from)}&to=${Math.ceil(range.to)}&maxPoints=${range.maxPoints}`;
      return get(`/query?scope=${text(range.scope)}&${span}${keys}`, RangeResult, signal);
    },
  };
}
