import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SOURCES } from '../../../../src/engine/sources/index.ts';
import { parseMetric } from '../../../../src/shared/model/metric.ts';
import { FIXTURES } from './recorder.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const PAGE = readFileSync(join(ROOT, 'docs/sources.md'), 'utf8');
const CODE = readdirSync(join(ROOT, 'src/engine/sources'))
  .map((file) => readFileSync(join(ROOT, 'src/engine/sources', file), 'utf8'))
  .join('\n');

/** Family to kind and labels, as the page's tables have them. */
const described = new Map(
  [...PAGE.matchAll(/^\| `(proxy_\w+)` *\| (\w+) *\| (.*?) *\|/gm)].map((row) => [
    row[1]!,
    { kind: row[2]!, labels: [...row[3]!.matchAll(/`(\w+)`/g)].map((label) => label[1]!) },
  ]),
);

/** Kind and name of every series that the trees give. */
const written = new Map(
  readdirSync(FIXTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((tree) => readFileSync(join(FIXTURES, tree.name, 'golden.txt'), 'utf8').split('\n'))
    .flatMap((line) => {
      const [, kind, name] = /^(counter|gauge) +(.*) \S+$/.exec(line) ?? [];
      return kind === undefined || name === undefined ? [] : [[name, kind] as const];
    }),
);

test('every metric of every tree is described', () => {
  expect(written.size).toBeGreaterThan(100);
  for (const [name, kind] of written) {
    const { family, labels } = parseMetric(name);
    const row = described.get(family);
    expect([family, row?.kind]).toEqual([family, kind]);
    for (const [label] of labels) expect([family, row!.labels]).toEqual([family, expect.arrayContaining([label])]);
  }
});

test('what is described is in a tree, or in the code where no tree can give it', () => {
  const families = new Set([...written.keys()].map((name) => parseMetric(name).family));
  for (const family of described.keys()) {
    expect([family, families.has(family) || CODE.includes(`'${family}'`)]).toEqual([family, true]);
  }
});

test.each(SOURCES.map((source) => source.name))('the %s source is described', (name) => {
  expect(PAGE).toContain(`\`${name}\``);
});
