/** Why a connection or a request is turned away or cut off. Stable names: they are counted and shown. */
export type Refusal =
  | 'too_many_connections'
  | 'too_many_http_connections'
  | 'too_many_requests'
  | 'too_many_unread_responses'
  | 'unauthorized'
  | 'request_too_large'
  | 'request_too_slow'
  | 'response_too_large'
  | 'response_too_slow'
  | 'silent_connection'
  | 'unfinished_message';

/** Counts since the start. */
export class Refusals {
  readonly counts = new Map<Refusal, number>();

  add(reason: Refusal): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }
}
