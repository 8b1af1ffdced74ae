import { expect, test } from 'vitest';
import { VersionWatch } from '../../../../src/engine/profiles/complete.ts';
import { VERSION } from '../../../../src/engine/version.ts';
import { measuredBy } from '../../../../src/shared/profiles/measured-by.ts';

test('what measures whatever runs is that of the node and of targets, looked for again after a while', () => {
  const scope = (kind: string, ...names: string[]) => ({
    kind,
    allDefs: () => names.map((name, index) => ({ kind: 'gauge' as const, index, name, doc: '' })),
  });
  const scopes = [
    scope('node', 'proxy_cpu_count'),
    scope('target', 'node_exporter_build_info{version="1.8.2",revision="a"}', 'up'),
    scope('run', 'vigie_io_build_info{version="0.0.1"}'),
  ];
  let now = 0;
  const watch = new VersionWatch(
    () => scopes,
    () => now,
  );
  const first = { engine: VERSION, exporters: [{ name: 'node_exporter', version: '1.8.2' }] };
  expect(watch.get()).toEqual(first);
  scopes.push(scope('target', 'windows_exporter_build_info{version="0.30"}'));
  expect(watch.get()).toEqual(first);
  now = 10_000;
  expect(watch.get().exporters).toHaveLength(2);
  expect(measuredBy(watch.get())).toBe(`Vigie ${VERSION}, node_exporter 1.8.2, windows_exporter 0.30`);
  expect(measuredBy(undefined)).toBe('');
});
