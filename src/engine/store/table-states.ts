/** Which states of shared tables are to be written: those of a tick that was lost go with a later one of their scope. */

import type Database from 'better-sqlite3';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { TableState } from './store.ts';

export class TableStates {
  readonly #waiting = new Map<string, TableState>();

  add(states: readonly TableState[]): void {
    for (const state of states) this.#waiting.set(state.nonce, state);
  }

  /** Those whose samples these scopes' frames have. They wait until {@link written}. */
  due(scopes: ReadonlySet<ScopeId>): TableState[] {
    if (this.#waiting.size === 0) return [];
    return [...this.#waiting.values()].filter(({ scope }) => scope === null || scopes.has(scope));
  }

  written(states: readonly TableState[]): void {
    for (const state of states) if (this.#waiting.get(state.nonce) === state) this.#waiting.delete(state.nonce);
  }

  /** Nothing of this scope will be written any more. */
  forget(scope: ScopeId): void {
    for (const state of this.#waiting.values()) if (state.scope === scope) this.#waiting.delete(state.nonce);
  }
}

/** The statements for them. */
export class TableRows {
  readonly #db: Database.Database;
  readonly #put;
  readonly #remove;
  readonly #removeScope;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#put = db.prepare(
      `INSERT INTO shared_table (nonce, scope, state) VALUES (?, ?, ?)
       ON CONFLICT (nonce) DO UPDATE SET scope = excluded.scope, state = excluded.state`,
    );
    this.#remove = db.prepare('DELETE FROM shared_table WHERE nonce = ?');
    this.#removeScope = db.prepare('DELETE FROM shared_table WHERE scope = ?');
  }

  all(): TableState[] {
    return this.#db.prepare('SELECT nonce, scope, state FROM shared_table').all() as TableState[];
  }

  write(states: readonly TableState[]): void {
    for (const { nonce, scope, state } of states) {
      if (state === null) this.#remove.run(nonce);
      else this.#put.run(nonce, scope ?? '', state);
    }
  }

  removeScope(scope: ScopeId): void {
    this.#removeScope.run(scope);
  }
}
