import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FIRST_STATE,
  parseState,
  readState,
  visiblePlace,
  visibleSize,
  writeState,
} from '../../../src/main/window-state.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const GOOD = { place: { x: -1200, y: 40 }, width: 1000, height: 700, maximized: true, theme: 'dark' } as const;
const SCREEN = { x: 0, y: 0, width: 1440, height: 900 };
const LEFT = { x: -1920, y: 0, width: 1920, height: 1080 };

describe('what is kept', () => {
  test('is read again as it was', () => {
    const file = path.join(temporaryFolder(), 'new', 'folder', 'window-state.json');
    writeState(file, GOOD);
    expect(readState(file)).toEqual(GOOD);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    writeState(file, { ...GOOD, place: null });
    expect(readState(file)).toEqual({ ...GOOD, place: null });
    expect(readdirSync(path.dirname(file))).toEqual(['window-state.json']);
  });

  test('is the first state where there is none, or nothing that can be read', () => {
    const folder = temporaryFolder();
    expect(readState(path.join(folder, 'gone'))).toEqual(FIRST_STATE);
    expect(readState(folder)).toEqual(FIRST_STATE);
    for (const text of ['', 'null', '[]', '"x"', '{', '\0', '7']) expect(parseState(text)).toEqual(FIRST_STATE);
    expect(FIRST_STATE).toEqual({ place: null, width: 1280, height: 820, maximized: false, theme: 'system' });
  });

  test('one bad value does not take the good ones with it', () => {
    const bad = { place: { x: 'left', y: 0 }, width: 1e9, height: 1.5, maximized: 1, theme: 'pink' };
    for (const [name, value] of Object.entries(bad)) {
      const state = { ...GOOD, [name]: value };
      expect(parseState(JSON.stringify(state))).toEqual({ ...GOOD, [name]: Reflect.get(FIRST_STATE, name) });
    }
  });

  test('cannot be written: that is nobody’s trouble', () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), '');
    writeState(path.join(folder, 'file', 'window-state.json'), GOOD);
    const place = path.join(folder, 'window-state.json');
    mkdirSync(place);
    writeState(place, GOOD);
    expect(statSync(place).isDirectory()).toBe(true);
    expect(readFileSync(path.join(folder, 'file'), 'utf8')).toBe('');
    expect(existsSync(path.join(place, 'anything'))).toBe(false);
  });

  test('whatever the file holds, a window comes of it', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record(
          { place: fc.anything(), width: fc.anything(), height: fc.anything(), maximized: fc.anything() },
          { requiredKeys: [] },
        )
        .map((value) => {
          try {
            return JSON.stringify(value);
          } catch {
            return '';
          }
        }),
    );
    fc.assert(
      fc.property(text, (content) => {
        const state = parseState(content);
        expect(Object.keys(state).toSorted()).toEqual(Object.keys(FIRST_STATE).toSorted());
        expect(state.width).toBeGreaterThanOrEqual(640);
        expect(state.height).toBeGreaterThanOrEqual(420);
        expect(typeof state.maximized).toBe('boolean');
      }),
    );
  });
});

describe('where it is shown', () => {
  const at = (x: number, y: number) => ({ ...FIRST_STATE, width: 1000, height: 700, place: { x, y } });

  test.each([
    ['as it was', 100, 50, true],
    ['mostly off to the right', 1360, 50, true],
    ['too far to the right', 1361, 50, false],
    ['mostly off to the left', -920, 50, true],
    ['too far to the left', -921, 50, false],
    ['its title bar above the screen', 100, -1, false],
    ['too low', 100, 821, false],
    ['just low enough', 100, 820, true],
  ])('%s', (_name, x, y, shown) => {
    expect(visiblePlace(at(x, y), [SCREEN])).toEqual(shown ? { x, y } : null);
  });

  test('on another screen, until that is taken away', () => {
    expect(visiblePlace(at(-1800, 50), [SCREEN, LEFT])).toEqual({ x: -1800, y: 50 });
    expect(visiblePlace(at(-1800, 50), [SCREEN])).toBeNull();
    expect(visiblePlace(at(0, 0), [])).toBeNull();
    expect(visiblePlace(FIRST_STATE, [SCREEN])).toBeNull();
  });

  test('never larger than the largest screen', () => {
    const huge = { ...FIRST_STATE, width: 20_000, height: 20_000 };
    expect(visibleSize(huge, [SCREEN, LEFT])).toEqual({ width: 1920, height: 1080 });
    expect(visibleSize(at(0, 0), [SCREEN])).toEqual({ width: 1000, height: 700 });
    expect(visibleSize(huge, [])).toEqual({ width: 20_000, height: 20_000 });
    // It counts with the size that it will have.
    expect(visiblePlace({ ...huge, place: { x: -3000, y: 0 } }, [SCREEN])).toBeNull();
  });
});
