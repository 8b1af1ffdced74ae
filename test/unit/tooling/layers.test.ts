import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { temporaryFolder } from '../../support/tmp.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const folders = ['shared', 'engine', 'client', 'host', 'cli', 'main', 'preload', 'renderer'] as const;
type Folder = (typeof folders)[number];

/** What each folder may import of the others; everything else must be refused. */
const allowed: Readonly<Record<Folder, readonly Folder[]>> = {
  shared: [],
  engine: ['shared'],
  client: ['shared'],
  host: ['engine', 'shared'],
  cli: ['engine', 'client', 'shared'],
  main: ['shared'],
  preload: ['shared'],
  renderer: ['shared'],
};

interface Finding {
  readonly file: string;
  readonly code: string;
  /** Message and help, as a person sees them. */
  readonly text: string;
}

/** Lints files of a tree that has the project's configuration and one file `x.ts` in each folder of src/. */
function lint(files: Readonly<Record<string, string>>): Finding[] {
  const tree = temporaryFolder();
  const configuration = globSync(['.oxlintrc.json', 'package.json', 'tsconfig*.json'], { cwd: root });
  for (const name of configuration) cpSync(path.join(root, name), path.join(tree, name));
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  const all = {
    ...Object.fromEntries(folders.map((folder) => [`src/${folder}/x.ts`, 'export const x = 1;\n'])),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  const oxlint = path.join(root, 'node_modules', '.bin', 'oxlint');
  const { stdout } = spawnSync(oxlint, ['--type-aware', '--deny-warnings', '-f', 'json'], {
    cwd: tree,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
  });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { filename: string; code: string; message: string; help?: string }[];
  };
  return diagnostics.map(({ filename, code, message, help = '' }) => ({
    file: filename,
    code,
    text: `${message} ${help}`,
  }));
}

const RESTRICTED = 'eslint(no-restricted-imports)';

describe('the layering law', () => {
  test('each folder may import what the law gives it, and nothing else; the message says why', () => {
    const files: Record<string, string> = {};
    const refused: string[] = [];
    for (const folder of folders) {
      for (const other of folders.filter((name) => name !== folder)) {
        const file = `src/${folder}/deep/${other}.ts`;
        files[file] = `import { x } from '../../${other}/x.ts';\nexport const y = x;\n`;
        if (!allowed[folder].includes(other)) refused.push(file);
      }
    }
    const found = lint(files);
    expect(found.map(({ file }) => file).sort()).toEqual(refused.sort());
    for (const { file, code, text } of found) {
      expect(code).toBe(RESTRICTED);
      expect(text).toContain(`${file.split('/')[1]}/ `);
    }
  });

  test('there is no way around by types, exports or imports at run time', () => {
    const found = lint({
      'src/engine/deep/file.ts': `import type { x } from '../../cli/x.ts';
export { x as y } from '../../renderer/x.ts';
export const late = () => import('../../client/x.ts');
export type T = typeof x;
`,
    });
    expect(found.map(({ code }) => code)).toEqual([RESTRICTED, RESTRICTED, RESTRICTED]);
  });

  test('packages: shared takes zod only, the engine no desktop, the page no Node', () => {
    const cases: readonly (readonly [Folder, string, boolean])[] = [
      ['shared', 'zod', true],
      ['shared', 'zodiac', false],
      ['shared', 'z', false],
      ['shared', 'fastify', false],
      ['shared', 'react', false],
      ['shared', 'node:fs', false],
      ['shared', 'fs', false],
      ['engine', 'fastify', true],
      ['engine', 'node:fs', true],
      ['engine', 'electron', false],
      ['engine', 'react', false],
      ['engine', '@mantine/core', false],
      ['client', 'ws', true],
      ['client', 'electron', false],
      ['cli', 'commander', true],
      ['cli', 'react', false],
      ['renderer', 'react', true],
      ['renderer', 'node:fs', false],
      ['renderer', 'electron', false],
    ];
    const fileOf = (folder: Folder, name: string) => `src/${folder}/deep/${name.replaceAll(/\W/g, '_')}.ts`;
    const source = (name: string) => `import * as it from '${name}';\nexport const y = typeof it;\n`;
    const found = lint(Object.fromEntries(cases.map(([folder, name]) => [fileOf(folder, name), source(name)])));
    const refused = found.filter(({ code }) => code === RESTRICTED).map(({ file }) => file);
    const expected = cases.filter(([, , may]) => !may).map(([folder, name]) => fileOf(folder, name));
    expect(refused.sort()).toEqual(expected.sort());
  });
});

test('the other rules of the house are held by lint', () => {
  const cases: Readonly<Record<string, string>> = {
    'import(no-default-export)': 'export default 1;\n',
    'typescript(no-explicit-any)': 'export const y: any = 1;\n',
    'typescript(no-unsafe-assignment)': 'export const y: number = JSON.parse("1");\n',
    'eslint(no-console)': `export const y = () => console.log('x');\n`,
    'typescript(no-floating-promises)': 'export function f(p: Promise<number>): void {\n  p.then(String);\n}\n',
    'typescript(switch-exhaustiveness-check)': `export function f(k: 'a' | 'b'): number {
  switch (k) {
    case 'a':
      return 1;
  }
  return 2;
}
`,
    'typescript(prefer-readonly)': 'export class C {\n  #a = 1;\n  b(): number {\n    return this.#a;\n  }\n}\n',
    'import(no-cycle)': `import { c } from './cycle.ts';\nexport const b = 1;\nexport const a = c;\n`,
  };
  const fileOf = (code: string) => `src/engine/deep/${code.replaceAll(/\W/g, '_')}.ts`;
  const files = Object.fromEntries(Object.entries(cases).map(([code, source]) => [fileOf(code), source]));
  files['src/engine/deep/cycle.ts'] = `export { b as c } from './${path.basename(fileOf('import(no-cycle)'))}';\n`;
  // Commands write to the terminal; that is what they are for.
  files['src/cli/deep/file.ts'] = `export const y = () => console.log('x');\n`;

  const found = lint(files);
  for (const code of Object.keys(cases)) {
    expect(found.filter(({ file }) => file === fileOf(code)).map((finding) => finding.code)).toContain(code);
  }
  expect(found.filter(({ file }) => file.startsWith('src/cli/'))).toEqual([]);
});

describe('folders', () => {
  /** Folder (two levels below src/, or a file that stands beside such folders) → the ones that it imports. */
  function graph(): Map<string, Set<string>> {
    const edges = new Map<string, Set<string>>();
    const nodeOf = (file: string) => file.split('/').slice(0, 3).join('/');
    for (const file of globSync('src/**/*.{ts,tsx}', { cwd: root })) {
      const from = nodeOf(file);
      const targets = edges.get(from) ?? new Set<string>();
      edges.set(from, targets);
      const text = readFileSync(path.join(root, file), 'utf8');
      for (const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)) {
        const to = nodeOf(path.posix.join(path.posix.dirname(file), name ?? ''));
        if (to !== from) targets.add(to);
      }
    }
    return edges;
  }

  test('do not import each other in a circle', () => {
    const edges = graph();
    expect(edges.size).toBeGreaterThan(5);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (node: string, way: readonly string[]) => {
      if (state.get(node) === 'open') cycles.push([...way.slice(way.indexOf(node)), node].join(' → '));
      if (state.has(node)) return;
      state.set(node, 'open');
      for (const next of edges.get(node) ?? []) visit(next, [...way, node]);
      state.set(node, 'done');
    };
    for (const node of edges.keys()) visit(node, []);
    expect(cycles).toEqual([]);
  });
});
