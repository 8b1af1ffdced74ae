import path from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chooseSeat, type Surroundings, whyNoWindow } from '../../../src/cli/seat.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const FLAGS = { sandbox: true };
const PROGRAM: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'Electron.app/Contents/MacOS/Electron',
  win32: 'electron.exe',
};

/** A folder with a runtime in it, and the path of its program. */
function runtime(): { folder: string; program: string } {
  const folder = temporaryFolder();
  const program = path.join(folder, PROGRAM[process.platform] ?? 'electron');
  mkdirSync(path.dirname(program), { recursive: true });
  writeFileSync(program, '');
  return { folder, program };
}

const around = (env: NodeJS.ProcessEnv, more: Partial<Surroundings> = {}): Surroundings => ({
  platform: 'linux',
  uid: 1000,
  env,
  ...more,
});

describe('why there is no window', () => {
  test.each([
    ['X11', { DISPLAY: ':0' }, {}, null],
    ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, {}, null],
    ['neither', {}, {}, 'there is no display here'],
    ['both empty', { DISPLAY: '', WAYLAND_DISPLAY: '' }, {}, 'there is no display here'],
    ['neither, on a Mac', {}, { platform: 'darwin' }, null],
    ['neither, on Windows, where nobody has a uid', {}, { platform: 'win32', uid: null }, null],
    ['root', { DISPLAY: ':0' }, { uid: 0 }, 'as root the window’s sandbox does not work; run it as another user'],
    ['root without a display', {}, { uid: 0 }, 'there is no display here'],
  ] as const)('%s', (_name, env, more, why) => {
    expect(whyNoWindow(around(env, more), true)).toBe(why);
  });

  test('root may do without the sandbox', () => {
    expect(whyNoWindow(around({ DISPLAY: ':0' }, { uid: 0 }), false)).toBeNull();
    expect(whyNoWindow(around({}, { uid: 0 }), false)).toBe('there is no display here');
  });
});

describe('the seat', () => {
  test('is a window where display and runtime are', async () => {
    const { folder, program } = runtime();
    const env = { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder };
    const seat = { kind: 'window', runtime: program };
    expect(await chooseSeat(FLAGS, around(env))).toEqual(seat);
    expect(await chooseSeat({ ...FLAGS, window: true }, around(env))).toEqual(seat);
    expect(await chooseSeat({ sandbox: false }, around(env, { uid: 0 }))).toEqual(seat);
  });

  test('is the browser where that was asked for, without a word', async () => {
    const { folder } = runtime();
    const env = { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder };
    expect(await chooseSeat({ ...FLAGS, browser: true }, around(env))).toEqual({ kind: 'browser', why: null });
    expect(await chooseSeat({ ...FLAGS, browser: true }, around({}, { uid: 0 }))).toEqual({
      kind: 'browser',
      why: null,
    });
  });

  test('is the browser where there is no display, or for root, and why', async () => {
    const { folder } = runtime();
    const env = { ELECTRON_OVERRIDE_DIST_PATH: folder };
    expect(await chooseSeat(FLAGS, around(env))).toEqual({ kind: 'browser', why: 'there is no display here' });
    const root = await chooseSeat(FLAGS, around({ ...env, DISPLAY: ':0' }, { uid: 0 }));
    expect(root).toMatchObject({ kind: 'browser', why: expect.stringContaining('as root') });
  });

  test('is none where a window was asked for that cannot be', async () => {
    const flags = { ...FLAGS, window: true };
    await expect(chooseSeat(flags, around({}))).rejects.toThrow(/^no window: there is no display here$/);
    await expect(chooseSeat(flags, around({}, { uid: 0 }))).rejects.toThrow('there is no display here');
    await expect(chooseSeat(flags, around({ DISPLAY: ':0' }, { uid: 0 }))).rejects.toThrow(
      /as root .* \(or add --no-sandbox, which gives a hostile page your rights\)$/,
    );
  });

  test('a runtime that is named and not there: the browser and why, or an error', async () => {
    const folder = temporaryFolder();
    const env = { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder };
    const why = `ELECTRON_OVERRIDE_DIST_PATH is ${folder}, and there is no ${PROGRAM[process.platform] ?? 'electron'} in it`;
    expect(await chooseSeat(FLAGS, around(env))).toEqual({ kind: 'browser', why });
    await expect(chooseSeat({ ...FLAGS, window: true }, around(env))).rejects.toThrow(why);
  });
});
