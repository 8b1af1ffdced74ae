import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { temporaryFolder } from '../../support/tmp.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');

/** A tree as it is installed, in a folder with a blank in its name, whose "engine" prints what it was started with. */
function packagedTree(): string {
  const tree = path.join(temporaryFolder(), 'a tree');
  mkdirSync(path.join(tree, 'dist', 'engine'), { recursive: true });
  cpSync(path.join(root, 'bin'), path.join(tree, 'bin'), { recursive: true });
  mkdirSync(path.join(tree, 'node_modules', 'node', 'bin'), { recursive: true });
  symlinkSync(process.execPath, path.join(tree, 'node_modules', 'node', 'bin', 'node'));
  writeFileSync(
    path.join(tree, 'dist', 'engine', 'vigie.cjs'),
    `console.log(JSON.stringify({ args: process.argv.slice(2), arenas: process.env.MALLOC_ARENA_MAX, pid: process.pid }));
     process.exitCode = 7;`,
  );
  return tree;
}

/** The same with sources, and a set-up that talks on both streams and marks what it built as fresh. */
function sourceTree(): string {
  const tree = packagedTree();
  mkdirSync(path.join(tree, 'src', 'engine'), { recursive: true });
  mkdirSync(path.join(tree, 'scripts'));
  writeFileSync(path.join(tree, 'src', 'engine', 'a.ts'), 'export const a = 1;\n');
  cpSync(path.join(root, 'scripts', 'fingerprint.sh'), path.join(tree, 'scripts', 'fingerprint.sh'));
  writeFileSync(
    path.join(tree, 'scripts', 'bootstrap.mjs'),
    `import { execFileSync } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     console.log('building');
     console.error(process.argv.slice(2).join(' '));
     const root = import.meta.dirname + '/..';
     writeFileSync(root + '/dist/.fingerprint', execFileSync('sh', [root + '/scripts/fingerprint.sh']));`,
  );
  return tree;
}

function start(command: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const { MALLOC_ARENA_MAX: _, VIGIE_SKIP_BUILD: __, ...inherited } = process.env;
  const folder = temporaryFolder();
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: folder,
    env: { ...inherited, ...env },
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}

describe('bin/vigie in a packaged tree', () => {
  test('becomes the engine: words, status and streams are its own', () => {
    const tree = packagedTree();
    const { stdout, stderr, status } = start(path.join(tree, 'bin', 'vigie'), ['push', 'a b', '', "it's", '$HOME']);
    expect(JSON.parse(stdout)).toMatchObject({ args: ['push', 'a b', '', "it's", '$HOME'], arenas: '1' });
    expect(stderr).toBe('');
    expect(status).toBe(7);
  });

  test('works through links, from any folder, by PATH', () => {
    const tree = packagedTree();
    const links = path.join(temporaryFolder(), 'my bin');
    mkdirSync(links);
    symlinkSync(path.join(tree, 'bin', 'vigie'), path.join(links, 'absolute'));
    symlinkSync('absolute', path.join(links, 'vigie'));
    const { stdout } = start('vigie', ['x'], { PATH: `${links}:${process.env['PATH'] ?? ''}` });
    expect(JSON.parse(stdout)).toMatchObject({ args: ['x'] });
  });

  test('leaves a number of arenas that the user chose', () => {
    const { stdout } = start(path.join(packagedTree(), 'bin', 'vigie'), [], { MALLOC_ARENA_MAX: '8' });
    expect(JSON.parse(stdout)).toMatchObject({ arenas: '8' });
  });

  test('says what to do when it is incomplete', () => {
    const tree = packagedTree();
    rmSync(path.join(tree, 'dist'), { recursive: true });
    const { stdout, stderr, status } = start(path.join(tree, 'bin', 'vigie'));
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain('install Vigie again');
  });
});

describe('bin/vigie in a source tree', () => {
  test('builds what is stale, saying so on stderr only, and then no more', () => {
    const tree = sourceTree();
    const vigie = path.join(tree, 'bin', 'vigie');
    const first = start(vigie, ['serve']);
    expect(JSON.parse(first.stdout)).toMatchObject({ args: ['serve'] });
    expect(first.stderr).toBe('building\n--build\n');
    expect(start(vigie, ['serve']).stderr).toBe('');
  });

  test.each([
    ['changed', (tree: string) => writeFileSync(path.join(tree, 'src', 'engine', 'a.ts'), 'export const a = 22;\n')],
    ['touched', (tree: string) => utimesSync(path.join(tree, 'src', 'engine', 'a.ts'), 1, 1)],
    ['added', (tree: string) => writeFileSync(path.join(tree, 'src', 'engine', 'b.ts'), '')],
    ['removed', (tree: string) => rmSync(path.join(tree, 'src', 'engine', 'a.ts'))],
  ])('looks again after a file was %s', (_, change) => {
    const tree = sourceTree();
    writeFileSync(path.join(tree, 'src', 'main.ts'), '');
    const vigie = path.join(tree, 'bin', 'vigie');
    start(vigie);
    change(tree);
    expect(start(vigie).stderr).toContain('building');
    expect(start(vigie).stderr).toBe('');
  });

  test('does not look when told so', () => {
    const vigie = path.join(sourceTree(), 'bin', 'vigie');
    expect(start(vigie, [], { VIGIE_SKIP_BUILD: '1' }).stderr).toBe('');
  });

  test('a set-up that fails ends it', () => {
    const tree = sourceTree();
    writeFileSync(path.join(tree, 'scripts', 'bootstrap.mjs'), 'process.exitCode = 3;');
    const { stdout, status } = start(path.join(tree, 'bin', 'vigie'));
    expect({ stdout, status }).toEqual({ stdout: '', status: 3 });
  });

  test('without any Node it says which one is needed', () => {
    const tree = sourceTree();
    rmSync(path.join(tree, 'node_modules'), { recursive: true });
    const tools = temporaryFolder();
    for (const tool of ['sh', 'dirname', 'readlink', 'cat', 'find', 'sort', 'cksum']) {
      writeFileSync(path.join(tools, tool), `#!/bin/sh\nPATH=/usr/bin:/bin exec ${tool} "$@"\n`);
      chmodSync(path.join(tools, tool), 0o755);
    }
    const { stderr, status } = start(path.join(tree, 'bin', 'vigie'), [], { PATH: tools });
    expect(status).toBe(1);
    expect(stderr).toContain('Node 20 or newer');
  });
});
