import { expect, test } from 'vitest';
import { nodeScope, rankScope, runScope, scopeKind } from '../../../../src/shared/model/scope.ts';

test('a scope tells its kind, whatever its names contain', () => {
  expect(scopeKind(nodeScope('run/x'))).toBe('node');
  expect(scopeKind(runScope('a-b_c'))).toBe('run');
  expect(scopeKind(rankScope('a', 3))).toBe('rank');
  expect(rankScope('a', 3)).toBe('rank/a/3');
  expect(scopeKind('target/x')).toBe('target');
});

test.each(['', '/', 'run', 'node', 'constructor/x', '__proto__/x', 'Run/x', ' run/x'])('%j is no scope', (id) => {
  expect(scopeKind(id)).toBeNull();
});
