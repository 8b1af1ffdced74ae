import { describe, expect, test } from 'vitest';
import { nextRow, nextRows, nodePath, selectNodes, TRAIL } from '../../../../src/renderer/views/nodes/nodes.ts';
import type { NodeQuery, NodeRow } from '../../../../src/renderer/views/nodes/nodes.ts';
import type { Node, NodeFigures } from '../../../../src/shared/api/nodes.ts';

const NOTHING: NodeFigures = {
  ...{ load: null, cores: null, memory_used: null, memory_total: null },
  ...{ cpu_idle: null, cpu_busy: null, received: null, sent: null, time: null },
};
const node = (host: string, figures: Partial<NodeFigures> | null, change: Partial<Node> = {}): Node => ({
  ...{ host, scope: `target/${host}`, series: 1, runs: [], target: host },
  figures: figures && { ...NOTHING, ...figures },
  ...change,
});

describe('two looks at a node', () => {
  const first = node('a', { time: 1000, cpu_idle: 10, cpu_busy: 5, received: 100, sent: 0, load: 3, cores: 2 });

  test('the first has no rate yet', () => {
    expect(nextRow(undefined, first)).toMatchObject({ cpu: null, received: null, load: 3, pressure: 1.5 });
  });

  test('the second has the growth in between', () => {
    const second = node('a', { time: 3000, cpu_idle: 11, cpu_busy: 8, received: 300, sent: 50 });
    expect(nextRow(nextRow(undefined, first), second)).toMatchObject({ cpu: 0.75, received: 100, sent: 25 });
  });

  test('where nothing was measured in between, what was known stays and no point is added', () => {
    const second = nextRow(nextRow(undefined, first), node('a', { time: 2000, cpu_idle: 10, cpu_busy: 6 }));
    const third = nextRow(second, second.node);
    expect(third.cpu).toBe(1);
    expect(third.trail.cpu).toEqual([1]);
  });

  test('a restart has no rate, and what a node does not say is not zero', () => {
    const again = node('a', { time: 2000, cpu_idle: 1, cpu_busy: 1, received: 5, sent: 9 });
    expect(nextRow(nextRow(undefined, first), again)).toMatchObject({ cpu: null, received: null, sent: 9 });
    expect(nextRow(undefined, node('b', null))).toMatchObject({ cpu: null, memory: null, load: null });
    expect(nextRow(nextRow(undefined, first), node('a', null))).toMatchObject({ cpu: null, received: null });
  });

  test('memory is a share; a line has only so many points', () => {
    let row: NodeRow | undefined;
    for (let i = 1; i <= TRAIL + 20; i++) row = nextRow(row, node('a', { time: i, memory_used: 3, memory_total: 4 }));
    expect(row?.memory).toBe(0.75);
    expect(row?.trail.memory).toHaveLength(TRAIL);
  });

  test('a node that is gone is gone', () => {
    const rows = nextRows(new Map(), [node('a', null), node('b', null)]);
    expect([...nextRows(rows, [node('b', null)]).keys()]).toEqual(['target/b']);
  });
});

describe('the list', () => {
  const rows = [
    nextRow(undefined, node('node10', { load: 1 })),
    nextRow(undefined, node('node9', { load: 5 })),
    nextRow(undefined, node('gpu', null)),
  ];
  const hosts = (query: Partial<NodeQuery>): string[] =>
    selectNodes(rows, { search: '', sort: 'host', descending: false, ...query }).map((row) => row.node.host);

  test('by name in the order of the numbers, by value with what is not known last', () => {
    expect(hosts({})).toEqual(['gpu', 'node9', 'node10']);
    expect(hosts({ sort: 'load', descending: true })).toEqual(['node9', 'node10', 'gpu']);
    expect(hosts({ sort: 'load' })).toEqual(['node10', 'node9', 'gpu']);
    expect(hosts({ search: 'NODE1' })).toEqual(['node10']);
  });

  test('leads to the node’s own page, or to the target that it comes with', () => {
    expect(nodePath({ host: 'my host', target: null })).toBe('/ui/node/my%20host');
    expect(nodePath({ host: 'a', target: 'x/y' })).toBe('/ui/targets/x%2Fy');
  });
});
