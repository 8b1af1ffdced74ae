import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { addUp as addUpTelling, totalLine } from '../../../scripts/lib/total.mjs';
import { temporaryFolder } from '../../support/tmp.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const addUp = (code: number, text: string | undefined) => addUpTelling(code, text, () => undefined);
const summary = (part: object) => JSON.stringify({ passed: 0, failed: 0, outside: 0, skipped: [], ...part });

describe('adding up a run', () => {
  test('takes what the reporter counted', () => {
    expect(addUp(0, summary({ passed: 3 }))).toEqual({ passed: 3, failed: 0, skipped: [] });
    expect(addUp(1, summary({ passed: 3, failed: 2 }))).toMatchObject({ passed: 3, failed: 2 });
  });

  test('a run that never reported is a failure, whatever its status', () => {
    expect(addUp(134, undefined).failed).toBe(1);
    expect(addUp(0, undefined).failed).toBe(1);
  });

  test('a run without a test is a failure', () => {
    expect(addUp(0, summary({})).failed).toBe(1);
    expect(addUp(0, summary({ skipped: [{ name: 'a', reason: 'b' }] })).failed).toBe(1);
  });

  test('errors outside of tests and a bad status without a failed test are failures', () => {
    expect(addUp(1, summary({ passed: 3, outside: 1 })).failed).toBe(1);
    expect(addUp(1, summary({ passed: 3 })).failed).toBe(1);
  });

  test('the last line', () => {
    expect(totalLine({ passed: 3, failed: 0, skipped: [] })).toBe('total: 3 passed, 0 failed');
    expect(totalLine({ passed: 3, failed: 1, skipped: [{ name: 'a', reason: 'b' }] })).toBe(
      'total: 3 passed, 1 failed, 1 skipped',
    );
  });
});

describe('the reporter in a real run', () => {
  /** Runs vitest on files of a folder of their own and gives its status and the summary's text. */
  function runVitest(files: Readonly<Record<string, string>>, env: Record<string, string> = {}) {
    const folder = temporaryFolder();
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    mkdirSync(path.join(folder, 'test', 'unit'), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(path.join(folder, 'test', 'unit', name), `import { expect, test } from 'vitest';\n${text}`);
    }
    writeFileSync(path.join(folder, 'vitest.config.ts'), readFileSync(path.join(root, 'vitest.config.ts')));
    const file = path.join(folder, 'summary.json');
    const args = ['run', '--project=unit', `--reporter=${path.join(root, 'scripts', 'vitest-reporter.mjs')}`];
    const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|CI$)/.test(name));
    const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), ...args], {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), VIGIE_TEST_SUMMARY: file, ...env },
    });
    return { status: status ?? -1, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
  }

  test('counts passed, failed, skipped with their reasons, and what fails outside of tests', () => {
    const { status, text } = runVitest({
      'a.test.ts': `
test('good', () => expect(1).toBe(1));
test('bad', () => expect(1).toBe(2));
test('without', (context) => context.skip('no such program'));
`,
      'b.test.ts': `throw new Error('does not load');\ntest('never', () => expect(1).toBe(1));\n`,
      'c.test.ts': `test('late', () => void setTimeout(() => Promise.reject(new Error('nobody handles')), 0));
test('waits', () => new Promise((resolve) => setTimeout(resolve, 100)));\n`,
    });
    expect(status).not.toBe(0);
    expect(JSON.parse(text ?? '')).toEqual({
      passed: 3,
      failed: 1,
      outside: 2,
      skipped: [{ name: 'test/unit/a.test.ts > without', reason: 'no such program' }],
    });
  });

  test('a forgotten .only fails where CI=true', () => {
    const files = {
      'a.test.ts': `test.only('one', () => expect(1).toBe(1));\ntest('two', () => expect(1).toBe(2));\n`,
    };
    const { status, text } = runVitest(files, { CI: 'true' });
    expect(addUp(status, text).failed).toBeGreaterThan(0);
  });

  test('a worker that crashes is a failure', () => {
    const { status, text } = runVitest({ 'a.test.ts': `test('dies', () => process.abort());\n` });
    expect(addUp(status, text).failed).toBeGreaterThan(0);
  });
});
