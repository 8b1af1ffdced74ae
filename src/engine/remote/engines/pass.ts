/**
 * Passes a request of a page on to an engine over there, and its answer back. The answer is that engine's word: its bytes
 * are limited in number and time, its status and type are among those that an engine has, none of its headers is kept.
 */

import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { ApiError } from '../../../shared/errors.ts';
import type { Role } from '../../../shared/model/role.ts';
import { formatSize } from '../../../shared/size.ts';
import { wordsOf } from '../words.ts';
import { NotAnswered } from './channel-agent.ts';
import type { EngineLink } from './link.ts';

/** The head of an answer must be there within this time, all of it within the next, ms. */
const HEAD_WITHIN = 30_000;
const BODY_WITHIN = 120_000;

const PREFIX = '/api/v1/';

/** Never passed on: through an engine nobody gets further, and what its connections ask is for people who are there. */
const NEVER = new Set(['connections', 'engines', 'live']);

/** What a role that may only view may read; the rest could be secret there. Held equal to this engine's own routes. */
export const VIEW_READS: ReadonlySet<string> = new Set([
  ...['status', 'runs', 'series', 'query', 'families', 'labels', 'nodes', 'profiles', 'store', 'targets', 'whoami'],
  ...['alarms', 'silences', 'channels', 'diagnosis', 'bundle', 'openapi.json', 'export', 'exports'],
]);

/** The types that are passed on, as this engine says them. Anything that a browser could show as a page is none. */
const TYPES: Readonly<Record<string, string>> = {
  'application/json': 'application/json; charset=utf-8',
  'application/problem+json': 'application/problem+json; charset=utf-8',
  'application/x-ndjson': 'application/x-ndjson; charset=utf-8',
  'application/octet-stream': 'application/octet-stream',
  'text/plain': 'text/plain; charset=utf-8',
  'application/yaml': 'text/plain; charset=utf-8',
};

export interface PassRequest {
  readonly method: string;
  /** As the page sent it, beginning with a slash, with what is behind a question mark. */
  readonly path: string;
  readonly role: Role;
  readonly accept: string | undefined;
  /** JSON; null: none. */
  readonly body: Buffer | null;
}

export interface PassLimits {
  /** Bytes of an answer. */
  readonly size: number;
  /** Milliseconds; default 30 s and 2 min. */
  readonly headWithin?: number;
  readonly bodyWithin?: number;
}

export interface Passed {
  readonly status: number;
  /** Null: there is no body. */
  readonly type: string | null;
  readonly body: Transform | null;
  readonly length: number | null;
}

/**
 * The path to send, when a request of this role may be passed on. Errors: `not_found`, `forbidden_role`.
 * Nothing is left to how the other engine takes a path apart: what is not in its plainest form is refused.
 */
export function checkPath(method: string, path: string, role: Role): string {
  const url = URL.canParse(path, 'http://engine') ? new URL(path, 'http://engine') : null;
  const group = url?.pathname.startsWith(PREFIX) ? (url.pathname.slice(PREFIX.length).split('/')[0] ?? '') : '';
  const isPlain = url !== null && url.host === 'engine' && path === url.pathname + url.search && !path.includes('//');
  if (!isPlain || !/^[a-z][a-z.-]*$/.test(group) || NEVER.has(group)) {
    throw new ApiError(
      'not_found',
      'of another engine only what is below /api/v1/ is passed on, without its own connections',
    );
  }
  if (role !== 'control' && (!['GET', 'HEAD'].includes(method) || !VIEW_READS.has(group))) {
    throw new ApiError('forbidden_role', 'this token may only view; this needs one with the role control');
  }
  return path;
}

/** Rejects with an {@link ApiError}, or with the signal's reason: the page has left. */
export async function pass(
  link: EngineLink,
  { method, path, role, accept, body }: PassRequest,
  limits: PassLimits,
  signal: AbortSignal,
): Promise<Passed> {
  const checked = checkPath(method, path, role);
  if (link.state !== 'up') throw unavailable(link);
  const { headWithin = HEAD_WITHIN, bodyWithin = BODY_WITHIN } = limits;
  const slow = new AbortController();
  const timer = setTimeout(
    () => slow.abort(new ApiError('engine_timeout', 'the engine over there did not answer in time')),
    headWithin,
  );
  const either = AbortSignal.any([signal, slow.signal]);
  try {
    const headers = {
      ...(accept === undefined || accept.length > 200 || !/^[\x20-\x7e]*$/.test(accept) ? {} : { accept }),
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    };
    const answer = await link.ask({ method, path: checked, headers, body }, either);
    answer.on('error', () => undefined);
    try {
      return passAnswer(answer, method, limits.size, bodyWithin);
    } catch (error) {
      answer.destroy();
      throw error;
    }
  } catch (error) {
    if (either.aborted) throw either.reason;
    if (error instanceof ApiError) throw error;
    link.nudge();
    const why = wordsOf(error);
    throw error instanceof NotAnswered
      ? refused(why)
      : new ApiError('engine_unavailable', `the engine over there is not reached: ${why}`);
  } finally {
    clearTimeout(timer);
  }
}

const refused = (why: string): ApiError => new ApiError('engine_refused', `the engine over there: ${why}`);

function unavailable({ state, reason }: EngineLink): ApiError {
  return new ApiError(
    state === 'refused' ? 'engine_refused' : 'engine_unavailable',
    reason ?? 'the engine over there is being looked for',
  );
}

function passAnswer(answer: IncomingMessage, method: string, most: number, within: number): Passed {
  const { statusCode: status = 0, headers } = answer;
  // It would be taken for an answer about this engine's own token.
  if (status === 401 || status === 407) throw refused('it does not accept the token that its token file has');
  if (status >= 300 && status < 400) throw refused('it sends its readers elsewhere, which is not followed');
  if (status < 200 || status > 599) throw refused(`it answers with status ${status}`);
  if (method === 'HEAD' || status === 204 || status === 205) {
    answer.resume();
    return { status: status === 205 ? 204 : status, type: null, body: null, length: null };
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw refused('its answer is packed, which nobody asked for');
  const type = TYPES[(headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()];
  if (type === undefined) throw refused('its answer is of a type that no engine has');
  const length = headers['content-length'] === undefined ? null : Number(headers['content-length']);
  if (length !== null && length > most) {
    throw new ApiError(
      'response_too_large',
      `an answer may have ${formatSize(most)} (limits.response_size): ask for less`,
    );
  }
  return { status, type, body: limited(answer, most, within), length };
}

/** Its bytes, as fast as the page takes them, until there are too many or it takes too long: then it breaks off. */
function limited(answer: IncomingMessage, most: number, within: number): Transform {
  let size = 0;
  const body = new Transform({
    transform(part: Buffer, _encoding: string, done: TransformCallback) {
      size += part.length;
      if (size > most) done(new Error(`the answer has more than ${formatSize(most)}`));
      else done(null, part);
    },
  });
  const timer = setTimeout(() => body.destroy(new Error('the answer took too long')), within);
  body.once('close', () => {
    clearTimeout(timer);
    answer.destroy();
  });
  answer.once('error', (error) => body.destroy(error));
  answer.once('aborted', () => body.destroy(new Error('the answer broke off')));
  answer.pipe(body);
  return body;
}
