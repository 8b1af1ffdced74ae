import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { sameInstallation } from '../../../scripts/bootstrap.mjs';
import { explain, withoutNoise } from '../../../scripts/lib/explain.mjs';
import { missingEntries, platformOf, unmarkedPrebuilt } from '../../../scripts/lock.mjs';

const root = path.join(import.meta.dirname, '..', '..', '..');
const text = readFileSync(path.join(root, 'package-lock.json'), 'utf8');

interface Lock {
  readonly packages: Record<string, { version: string; resolved?: string; dependencies?: Record<string, string> }>;
}
const { packages } = JSON.parse(text) as Lock;

describe('package-lock.json (after a change of dependencies: `npm run lock`)', () => {
  test('names no registry', () => {
    expect(text).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/);
  });

  test('has an entry for every package of another platform', () => {
    expect([...missingEntries(packages).keys()]).toEqual([]);
  });

  test('marks packages with prebuilt native code, so that npm ci does not compile them', () => {
    expect(unmarkedPrebuilt(packages)).toEqual([]);
  });

  test('has one exact version of all @mantine packages', () => {
    const mantine = Object.entries(packages).filter(([place]) => place.startsWith('node_modules/@mantine/'));
    expect(mantine.length).toBeGreaterThan(1);
    expect(new Set(mantine.map(([, { version }]) => version)).size).toBe(1);
  });
});

describe('completing the lock file', () => {
  test('the platform is in the name', () => {
    expect(platformOf('@oxlint/binding-linux-arm-gnueabihf')).toEqual({ os: ['linux'], cpu: ['arm'], libc: ['glibc'] });
    expect(platformOf('@oxlint/binding-linux-x64-musl')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] });
    expect(platformOf('@oxlint-tsgolint/darwin-arm64')).toEqual({ os: ['darwin'], cpu: ['arm64'] });
    expect(platformOf('@x/binding-win32-arm64-msvc')).toEqual({ os: ['win32'], cpu: ['arm64'] });
    expect(platformOf('@x/binding-wasm32-wasi')).toEqual({ cpu: ['wasm32'] });
    expect(platformOf('left-pad')).toBeUndefined();
  });

  test('an entry counts wherever Node would find it', () => {
    const lock = {
      'node_modules/a': { optionalDependencies: { 'a-linux-x64': '1.0.0' } },
      'node_modules/a/node_modules/b': { optionalDependencies: { 'b-linux-x64': '1.0.0', 'b-darwin-x64': '1.0.0' } },
      'node_modules/a/node_modules/b-linux-x64': {},
    };
    expect([...missingEntries(lock).keys()]).toEqual(['node_modules/a-linux-x64', 'node_modules/b-darwin-x64']);
  });
});

describe('an installation by npm itself', () => {
  const lock = (entries: object) => JSON.stringify({ packages: { '': {}, ...entries } });
  const a = { version: '1.0.0', integrity: 'x' };

  test('counts when it is what the lock file says; packages of other platforms may be absent', () => {
    const wanted = lock({ 'node_modules/a': a, 'node_modules/b': { version: '1.0.0', optional: true } });
    expect(sameInstallation(wanted, lock({ 'node_modules/a': a }))).toBe(true);
  });

  test.each([
    ['missing', {}],
    ['another version', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['another content', { 'node_modules/a': { ...a, integrity: 'y' } }],
  ])('does not count with a package %s', (_, present) => {
    expect(sameInstallation(lock({ 'node_modules/a': a }), lock(present))).toBe(false);
  });
});

describe('failures of npm are told with what to do', () => {
  test.each([
    ['npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write', 'the disk is full'],
    ["npm error code EACCES\nnpm error Error: EACCES: permission denied, mkdir '/x/node_modules'", 'no permission'],
    ["npm error code EROFS\nnpm error rofs EROFS: read-only file system, mkdir '/x'", 'read-only'],
    ['npm error code ENOTFOUND\nnpm error network request to https://example.invalid failed', 'could not be reached'],
    ['npm error code EAI_AGAIN', 'could not be reached'],
    ['npm error code EUSAGE', 'do not agree'],
    ['npm error code EINTEGRITY', 'not the one recorded'],
    ['npm error code ELSE', 'see its output'],
  ])('%s', (output, cause) => {
    expect(explain(output).cause).toContain(cause);
    expect(explain(output).next).not.toBe('');
  });

  test('what is expected is not shown', () => {
    const output = 'npm warn EBADENGINE Unsupported engine {\nnpm warn EBADENGINE }\nnpm error code E404\n';
    expect(withoutNoise(output)).toBe('npm error code E404\n');
  });
});
