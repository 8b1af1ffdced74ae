/** The rules that come with Vigie: each is one, on metrics that there really are. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPacks } from '../../../../src/engine/alarms/packs.ts';
import { refuseRule } from '../../../../src/engine/alarms/refuse.ts';
import { fillDescription } from '../../../../src/shared/alarms/template.ts';

const docs = ['sources.md', 'mpi.md', 'diagnosis.md']
  .map((name) => readFileSync(join(import.meta.dirname, '../../../../docs', name), 'utf8'))
  .join('\n');

const packs = await readPacks();
const rules = packs.flatMap((pack) => pack.rules.map((rule) => [`${pack.id}/${rule.id}`, rule.settings] as const));

test('there are packs, and all their rules have names and ids of their own', () => {
  expect(packs.map(({ id }) => id)).toEqual(['jobs', 'nodes']);
  expect(new Set(rules.map(([id]) => id)).size).toBe(rules.length);
  expect(new Set(rules.map(([, { name }]) => name)).size).toBe(rules.length);
});

describe.each(rules)('%s', (_id, settings) => {
  test('is a rule that can be kept', () => expect(refuseRule(settings)).toBeNull());

  test('is about metrics and labels that the documentation has', () => {
    const selectors = [settings.metric, ...(settings.measure.kind === 'ratio' ? [settings.measure.to] : [])];
    for (const selector of selectors) {
      const [family = ''] = selector.split('{');
      // A row of a table; labels stand in it, or behind the name in braces.
      const row = docs.split('\n').find((line) => line.startsWith('|') && new RegExp(`\`${family}[\`{]`).test(line));
      expect(row, family).toBeDefined();
      for (const [, label] of selector.matchAll(/[{,](\w+)[=!]/g)) expect(row).toMatch(new RegExp(`\\b${label}\\b`));
      for (const [, label] of settings.description.matchAll(/\{\{labels\.(\w+)\}\}/g)) {
        expect(row).toMatch(new RegExp(`\\b${label}\\b`));
      }
    }
  });

  test('says what is wrong, with all its values filled in', () => {
    const labels = new Proxy(
      {},
      { get: () => 'L', has: () => true, getOwnPropertyDescriptor: () => ({ configurable: true }) },
    );
    const values = { name: 'N', severity: 'S', value: 1, threshold: 2, metric: 'M', scope: 'C', place: 'P', labels };
    const text = fillDescription(settings.description, values);
    expect(text.length).toBeGreaterThan(20);
    expect(text).not.toContain('{{');
  });
});
