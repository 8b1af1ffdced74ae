/** `vigie token`, as one types it, beside a running engine. */

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startEngine, type Engine } from '../../support/engine.ts';
import { runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const statusOf = async (engine: Engine, token: string, where = '/api/v1/status', method = 'GET'): Promise<number> =>
  (await fetch(`${engine.url}${where}`, { method, headers: { authorization: `Bearer ${token}` } })).status;

describe('vigie token', () => {
  test('adds, lists and revokes tokens of a running engine', async () => {
    const folder = temporaryFolder();
    const data = path.join(folder, 'data');
    const engine = await startEngine({ folder, args: ['--data', data] });
    const vigie = (...args: string[]) => runVigie(['token', ...args, '--data', data], { folder });

    const none = await vigie('list');
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('vigie token add')]);

    const added = await vigie('add', 'ci', '--role', 'view');
    expect(added.code).toBe(0);
    // Alone on stdout, so that a script can take it.
    expect(added.stdout).toMatch(/^[\w-]{43}\n$/);
    expect(added.stderr).toContain('not shown again');
    const token = added.stdout.trim();
    const file = path.join(data, 'tokens.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(token);

    expect(await statusOf(engine, token)).toBe(200);
    expect(await statusOf(engine, token, '/push?key=x', 'POST')).toBe(403);
    const control = (await vigie('add', 'boss@login1', '--role', 'control')).stdout.trim();
    expect(await statusOf(engine, control, '/push?key=x', 'POST')).toBe(200);

    const listed = JSON.parse((await vigie('list', '--json')).stdout) as { tokens: Record<string, unknown>[] };
    expect(listed.tokens.map(({ name, role }) => [name, role])).toEqual([
      ['boss@login1', 'control'],
      ['ci', 'view'],
    ]);
    expect(Object.keys(listed.tokens[0]!)).toEqual(['name', 'role', 'created', 'last_used']);
    const table = (await vigie('list')).stdout.split('\n');
    expect(table[0]).toMatch(/^NAME +ROLE +CREATED \(UTC\) +LAST USED \(UTC\)$/);
    expect(table[2]).toMatch(/^ci +view +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d{4}-/);

    expect(await vigie('revoke', 'ci')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Revoked "ci"') as string,
    });
    await eventually(async () => (await statusOf(engine, token)) === 401);
    expect(await statusOf(engine, control)).toBe(200);
  });

  test('needs no engine, and finds its place by --data, --token-file and --memory', async () => {
    const folder = temporaryFolder();
    const add = async (...place: string[]): Promise<string> => {
      const { code, stdout } = await runVigie(['token', 'add', 'x', ...place], { folder });
      expect(code).toBe(0);
      return stdout.trim();
    };
    await add('--data', path.join(folder, 'a'));
    expect(existsSync(path.join(folder, 'a', 'tokens.json'))).toBe(true);
    const token = await add('--token-file', path.join(folder, 'mine'));
    expect(existsSync(path.join(folder, 'mine.tokens.json'))).toBe(true);
    await add('--memory', '--socket', path.join(folder, 'engine.socket'));
    expect(existsSync(path.join(folder, 'tokens.json'))).toBe(true);
    // Without any, where the engine would have it.
    await add();
    const engine = await startEngine({ folder, args: ['--memory', '--token-file', path.join(folder, 'mine')] });
    expect(await statusOf(engine, token)).toBe(200);
  });

  test.each<[string[], string]>([
    [['add'], "missing required argument 'NAME'"],
    [['add', 'a b'], 'expected 1 to 64 letters'],
    [['add', 'owner'], '"owner" is the name of the token in the token file'],
    [['add', 'x', '--role', 'admin'], 'Allowed choices are view, control'],
    [['add', 'taken'], 'a token is called taken already'],
    [['revoke', 'nobody'], 'no added token is called nobody'],
    [['revoke', 'owner'], 'remove that file and restart the engine'],
    [['list', '--data', '/proc/nothing/here'], 'No tokens were added'],
    [['add', 'x', '--data', '/proc/nothing/here'], 'cannot be written'],
  ])('%j says: %s', async (args, words) => {
    const folder = temporaryFolder();
    const data = path.join(folder, 'data');
    const place = args.includes('--data') ? [] : ['--data', data];
    if (args.includes('taken')) await runVigie(['token', 'add', 'taken', ...place], { folder });
    const { code, stdout, stderr } = await runVigie(['token', ...args, ...place], { folder });
    expect(stdout + stderr).toContain(words);
    expect(code).toBe(args[0] === 'list' ? 0 : 1);
    expect(stderr).not.toContain('    at ');
  });

  test('does not touch a file that is none of ours', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'mine.tokens.json');
    writeFileSync(file, 'something else\n', { mode: 0o600 });
    for (const args of [['add', 'x'], ['list'], ['revoke', 'x']]) {
      const { code, stderr } = await runVigie(['token', ...args, '--token-file', path.join(folder, 'mine')], {
        folder,
      });
      expect([code, stderr]).toEqual([1, expect.stringContaining('is no file of tokens')]);
    }
    expect(readFileSync(file, 'utf8')).toBe('something else\n');
  });
});
