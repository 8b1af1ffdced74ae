import type { Status } from '../../shared/api/status.ts';
import type { Config } from '../config.ts';

/** What is examined: where an engine is or would be, and the engine that runs there, if one does. */
export interface Patient {
  readonly config: Config;
  /** Of the engine that answers; null: none does. */
  readonly status: Status | null;
  /** Its data directory; null: in memory. */
  readonly data: string | null;
  /** The file with its token; null: it is not known which. */
  readonly tokenFile: string | null;
  /** Directory of the built page, null: there is none. */
  readonly page: string | null;
  /** The engine examines itself. */
  readonly inside: boolean;
  /** Where no engine answered; for the one who looks for it. */
  readonly tried: readonly string[];
  /** This machine's clock minus the engine's, in ms; null: not compared. */
  readonly clockOffset: number | null;
  /** Loads SQLite and says its version. Absent inside of an engine: only the store's thread has it loaded. */
  readonly sqlite?: () => Promise<string>;
}
