import { describe, expect, test } from 'vitest';
import { SOURCES } from '../../../../src/engine/sources/index.ts';
import { Recorder, golden, openTree } from './recorder.ts';

const TREES = [
  'recorded-debian12',
  'written-256-cores',
  'written-arm64',
  'written-no-swap',
  'written-container',
  'written-gpu-node',
  'written-slurm-v1',
  'written-slurm-hybrid',
  'written-slurm-v2',
  'written-slurm-v2-shared',
] as const;

describe('what the sources make of whole trees', () => {
  test.each(TREES)('%s', async (name) => {
    const tree = openTree(name);
    try {
      const open = SOURCES.map((source) => source.open(tree.roots));
      const out = new Recorder();
      const sample = async (seconds: number): Promise<void> => {
        for (const source of open) source?.sample(out, seconds);
        // What is read beside the tick is told at the next one.
        for (const source of open) await source?.settled?.();
        for (const source of open) if (source?.settled) source.sample(out, 0);
      };
      await sample(0);
      const first = out.text();
      tree.advance();
      await sample(tree.seconds);
      for (const source of open) await source?.close();
      const absent = SOURCES.filter((_, i) => open[i] === null).map((source) => source.name);
      const text = `# absent: ${absent.join(' ') || 'none'}\n# first sample\n${first}# ${tree.seconds} s later\n${out.text()}`;
      expect(text).toBe(golden(`${name}/golden.txt`, text));
      for (const doc of out.docs()) expect(doc).toMatch(/^[A-Z0-9].{10,}[^.\s]$/);
    } finally {
      tree.remove();
    }
  });

  test('sources have unique names', () => {
    expect(new Set(SOURCES.map((source) => source.name)).size).toBe(SOURCES.length);
  });
});
