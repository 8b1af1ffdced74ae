import type { Reason } from './messages.ts';

/** What came in since the start, over all clients. */
export class IngestStats {
  connections = 0;
  messages = 0;
  bytes = 0;
  readonly rejected = new Map<Reason, number>();

  reject(reason: Reason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1);
  }
}
