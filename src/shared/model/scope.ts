/**
 * Scopes: where numbers come from. In the API a scope is one opaque text, `node/HOST`, `run/ID` or `rank/ID/N`, always
 * below the engine that is asked. `main` and `Node: HOST` are merges, computed when asked for, and have no scope.
 */

export type ScopeKind = 'node' | 'target' | 'run' | 'rank';
export type ScopeId = string;

export const nodeScope = (host: string): ScopeId => `node/${host}`;
export const runScope = (runId: string): ScopeId => `run/${runId}`;
export const rankScope = (runId: string, rank: number): ScopeId => `rank/${runId}/${rank}`;

/** `below`: a node or run that another engine or proxy has, such as `node/HOST`. */
export const targetScope = (id: string, below = ''): ScopeId => `target/${id}${below === '' ? '' : `/${below}`}`;

/** Where a run's host has its metrics: of a run that a target tells of, below the same target. */
export function hostScope(run: ScopeId, host: string): ScopeId {
  const [kind, target = ''] = run.split('/');
  return kind === 'target' ? targetScope(target, `node/${encodeURIComponent(host)}`) : nodeScope(host);
}

export function scopeKind(id: ScopeId): ScopeKind | null {
  const kind = id.slice(0, id.indexOf('/'));
  return kind === 'node' || kind === 'target' || kind === 'run' || kind === 'rank' ? kind : null;
}
