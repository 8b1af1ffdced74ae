/** What is kept of the window between two starts. A file that cannot be read is a window in its first place. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { THEMES } from '../shared/bridge.ts';

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const pixel = z.number().int().min(-100_000).max(100_000);

const WindowState = z.object({
  /** On the desktop, in device-independent pixels; null: where the system puts it. */
  place: z.object({ x: pixel, y: pixel }).nullable().catch(null),
  width: z.number().int().min(640).max(20_000).catch(1280),
  height: z.number().int().min(420).max(20_000).catch(820),
  maximized: z.boolean().catch(false),
  theme: z.enum(THEMES).catch('system'),
});
export type WindowState = z.infer<typeof WindowState>;

export const FIRST_STATE: WindowState = WindowState.parse({});

/** Of the title bar, at least this much must be on a screen to be grasped, in pixels. */
const GRASP = 80;

export function parseState(text: string): WindowState {
  try {
    return WindowState.catch(FIRST_STATE).parse(JSON.parse(text));
  } catch {
    return FIRST_STATE;
  }
}

export function readState(path: string): WindowState {
  try {
    return parseState(readFileSync(path, 'utf8'));
  } catch {
    return FIRST_STATE;
  }
}

/** Whole or not at all: a full disk or a power cut leaves the old one. */
export function writeState(path: string, state: WindowState): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.next`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    renameSync(`${path}.next`, path);
  } catch {
    // The window opens in its first place next time, which is not worth a word.
  }
}

/** A size that the largest screen can show; without a known screen it is left as it is. */
export function visibleSize(
  { width, height }: WindowState,
  screens: readonly Rectangle[],
): { width: number; height: number } {
  if (screens.length === 0) return { width, height };
  return {
    width: Math.min(width, Math.max(...screens.map((screen) => screen.width))),
    height: Math.min(height, Math.max(...screens.map((screen) => screen.height))),
  };
}

/** The place, or null where no screen shows it any more. `screens` are work areas. */
export function visiblePlace(state: WindowState, screens: readonly Rectangle[]): { x: number; y: number } | null {
  const { place } = state;
  const { width } = visibleSize(state, screens);
  if (place === null) return null;
  const shown = screens.some(
    (screen) =>
      place.x + width >= screen.x + GRASP &&
      place.x <= screen.x + screen.width - GRASP &&
      place.y >= screen.y &&
      place.y <= screen.y + screen.height - GRASP,
  );
  return shown ? place : null;
}
