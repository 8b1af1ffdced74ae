import { expect, test } from 'vitest';
import type { ListedEngine } from '../../../../src/shared/api/connections.ts';
import type { Node } from '../../../../src/shared/api/nodes.ts';
import { keptWords, lineOf, stateWords, toneOf } from '../../../../src/renderer/data/clusterWords.ts';
import {
  type ClusterRow,
  loadShare,
  NOTHING_KNOWN,
  sortClusters,
  sumNodes,
  type Summary,
} from '../../../../src/renderer/data/summaries.ts';

const ENGINE: ListedEngine = {
  ...{ id: 'a'.repeat(32), connection: 'c1', name: 'Alpine', host: 'login7', group: 'EU', version: '0.1.0' },
  ...{ api: { major: 1, minor: 1 }, state: 'up', reason: null, skew: null, profiles: 0 },
};
const NO_FIGURES = { load: null, cores: null, memory_used: null, memory_total: null, cpu_idle: null, cpu_busy: null };
const node = (host: string, figures: Partial<NonNullable<Node['figures']>> | null): Node => ({
  ...{ host, scope: `node/${host}`, series: 1, runs: [], target: null },
  figures: figures === null ? null : { ...NO_FIGURES, received: null, sent: null, time: 1, ...figures },
});
const nodesOf = (load: number, cores: number): Summary => ({
  ...NOTHING_KNOWN,
  nodes: sumNodes([node('a', { load, cores })], false),
});
const row = (name: string, summary: Summary = NOTHING_KNOWN): ClusterRow => ({ engine: { ...ENGINE, name }, summary });

test('sums over nodes: a host that several scopes tell of counts once, shares need both halves', () => {
  const sums = sumNodes(
    [
      node('a', { load: 2, cores: 4, memory_used: 10, memory_total: 20 }),
      node('a', { load: null, cores: null }),
      node('b', { load: 6, cores: 4, memory_used: 5, memory_total: null }),
      node('c', { load: 100, cores: null }),
      node('d', null),
    ],
    true,
  );
  expect(sums).toEqual({ hosts: 4, more: true, load: 8, cores: 8, memoryUsed: 10, memoryTotal: 20 });
  expect(loadShare({ ...NOTHING_KNOWN, nodes: sums })).toBe(1);
  expect(loadShare(NOTHING_KNOWN)).toBeNull();
  expect(loadShare({ ...NOTHING_KNOWN, nodes: sumNodes([node('a', null)], false) })).toBeNull();
});

test('the later of two that tell of one host wins only where it knows more', () => {
  expect(sumNodes([node('a', { load: null }), node('a', { load: 1, cores: 2 })], false)).toMatchObject({ load: 1 });
});

test('in any order, what is not known is last', () => {
  const rows = [row('node10', nodesOf(1, 4)), row('node9'), row('node2', nodesOf(3, 4))];
  const names = (list: readonly ClusterRow[]): string[] => list.map(({ engine }) => engine.name);
  expect(names(sortClusters(rows, 'given', false))).toEqual(['node10', 'node9', 'node2']);
  expect(names(sortClusters(rows, 'name', false))).toEqual(['node2', 'node9', 'node10']);
  expect(names(sortClusters(rows, 'load', true))).toEqual(['node2', 'node10', 'node9']);
  expect(names(sortClusters(rows, 'load', false))).toEqual(['node10', 'node2', 'node9']);
});

test('what is said of an engine', () => {
  expect(stateWords({ ...ENGINE, connection: null })).toBe('this engine');
  expect(lineOf(ENGINE)).toBe('connected · login7 · EU · Vigie 0.1.0');
  const away: ListedEngine = { ...ENGINE, state: 'down', reason: 'nothing answers', profiles: 12 };
  expect(lineOf(away)).toBe(
    'not reached · nothing answers · 12 profiles here, readable offline · login7 · EU · Vigie 0.1.0',
  );
  expect(keptWords({ ...away, profiles: 1 })).toBe('1 profile here, readable offline');
  expect(keptWords({ ...away, profiles: 0 })).toBeNull();
  expect(keptWords({ ...ENGINE, profiles: 3 })).toBeNull();
  const skewed = { ...ENGINE, skew: 'it is newer than this one' };
  expect(lineOf(skewed)).toContain('it is newer than this one');
  expect([toneOf(ENGINE), toneOf(skewed), toneOf(away), toneOf({ ...ENGINE, state: 'refused' })]).toEqual([
    ...['good', 'warn', 'calm', 'bad'],
  ]);
});
