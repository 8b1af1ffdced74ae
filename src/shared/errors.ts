/**
 * Every error the HTTP API answers with: one catalogue, so that code, documentation and types cannot drift apart (a
 * test holds them equal). Answers are problem+json (RFC 9457) with this `code`.
 */

import { z } from 'zod';

const CATALOGUE = {
  bad_request: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden_host: { status: 403, title: 'This host name is not served' },
  forbidden_origin: { status: 403, title: 'Requests from this page are not accepted' },
  forbidden_role: { status: 403, title: 'This token may only view' },
  not_found: { status: 404, title: 'Nothing is here' },
  run_not_found: { status: 404, title: 'No such run' },
  scope_not_found: { status: 404, title: 'No such scope' },
  target_not_found: { status: 404, title: 'No such target' },
  rule_not_found: { status: 404, title: 'No such rule' },
  pack_not_found: { status: 404, title: 'No such pack of rules' },
  silence_not_found: { status: 404, title: 'No such silence' },
  channel_not_found: { status: 404, title: 'No such channel' },
  token_not_found: { status: 404, title: 'No such token' },
  connection_not_found: { status: 404, title: 'No such connection' },
  prompt_not_found: { status: 404, title: 'Nobody asks this any more' },
  export_not_found: { status: 404, title: 'No such export' },
  engine_not_found: { status: 404, title: 'No such engine' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  target_exists: { status: 409, title: 'This target is on the list' },
  rule_exists: { status: 409, title: 'A rule has this name' },
  channel_exists: { status: 409, title: 'A channel has this name' },
  token_exists: { status: 409, title: 'A token has this name' },
  connection_exists: { status: 409, title: 'This connection is on the list' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  response_too_large: { status: 422, title: 'The answer would be too large' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The engine made an error' },
  engine_refused: { status: 502, title: 'The engine over there does not answer as it should' },
  engine_unavailable: { status: 503, title: 'The engine over there is not reached' },
  overloaded: { status: 503, title: 'Too many answers are waiting for their readers' },
  store_unavailable: { status: 503, title: 'The store does not answer' },
  tokens_unavailable: { status: 503, title: 'The file of tokens cannot be used' },
  engine_timeout: { status: 504, title: 'The engine over there did not answer in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof CATALOGUE;

export const ERROR_CODES = Object.keys(CATALOGUE) as ErrorCode[];

export const errorEntry = (code: ErrorCode): { status: number; title: string } => CATALOGUE[code];

/** The body of every error answer below /api/v1. */
export const Problem = z.object({
  /** Always about:blank: the code is what programs look at. */
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(ERROR_CODES as [ErrorCode, ...ErrorCode[]]),
  /** What is wrong with this request and what to do next. */
  detail: z.string(),
});
export type Problem = z.infer<typeof Problem>;

/** An error with a code of the catalogue; the HTTP edge turns it into a {@link Problem}. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }

  get status(): number {
    return CATALOGUE[this.code].status;
  }

  toProblem(): Problem {
    return {
      type: 'about:blank',
      title: CATALOGUE[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.message,
    };
  }
}
