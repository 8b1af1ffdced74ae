/** Why a store did not open; `code` is stable, the message says what to do. */
export type StoreOpenCode =
  /** Another engine uses the directory. */
  | 'store_locked'
  /** The directory cannot be made, written or locked. */
  | 'store_not_writable'
  /** A newer version wrote the database. */
  | 'store_newer'
  /** Anything else. */
  | 'store_failed';

export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  readonly code: StoreOpenCode;

  constructor(code: StoreOpenCode, message: string) {
    super(message);
    this.code = code;
  }
}
