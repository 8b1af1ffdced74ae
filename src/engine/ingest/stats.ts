import type { Reason } from './messages.ts';

/** What came in since the start, over all clients. */
export class IngestStats {
  /** Clients of the legacy protocol now. */
  connections = 0;
  /** Shared tables that are read. */
  tables = 0;
  /** Open connections to the sockets programs push to, whatever they speak. */
  sockets = 0;
  /** Bytes of messages whose end has not come yet. */
  unfinished = 0;
  messages = 0;
  bytes = 0;
  readonly rejected = new Map<Reason, number>();

  reject(reason: Reason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1);
  }
}
