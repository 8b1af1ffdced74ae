/** Runs the desktop program in its runtime, until its window is closed. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SettingsInput } from '../engine/config.ts';
import { DESKTOP_ENV, DESKTOP_SAYS, type LaunchOptions } from '../shared/launch.ts';
import { root } from './runtime.ts';

export interface WindowOptions {
  readonly runtime: string;
  readonly settings: SettingsInput;
  readonly config: string | null;
  readonly sandbox: boolean;
}

/** How it ended. A window that never opened may be replaced by the browser. */
export type WindowEnd =
  { readonly opened: true; readonly code: number } | { readonly opened: false; readonly reason: string };

/** Chromium's own messages: about buses and drivers that a login node does not have. */
const CHROMIUM_SAYS = /^\[\d+:\d+\/\d+\.\d+:[A-Z]+:/;

/** What Chromium says when the display does not answer, on X11 and on Wayland. */
const NO_DISPLAY =
  /Missing X server|Unable to open X display|platform failed to initialize|Failed to connect to Wayland/;

function environment({ settings, config }: WindowOptions): NodeJS.ProcessEnv {
  const options: LaunchOptions = { settings, config };
  const env: NodeJS.ProcessEnv = { ...process.env, [DESKTOP_ENV]: JSON.stringify(options) };
  // Set in terminals of editors that are made with Electron: the runtime would be a mere Node.
  delete env['ELECTRON_RUN_AS_NODE'];
  delete env['NODE_OPTIONS'];
  return env;
}

export async function runWindow(options: WindowOptions): Promise<WindowEnd> {
  if (!existsSync(join(root, 'dist', 'desktop', 'main', 'main.cjs'))) {
    return { opened: false, reason: 'the desktop program is not built (`npm run build`)' };
  }
  const args = [...(options.sandbox ? [] : ['--no-sandbox']), root];
  const child = spawn(options.runtime, args, { env: environment(options), stdio: ['ignore', 'pipe', 'pipe'] });
  let opened = false;
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === DESKTOP_SAYS.open || line === DESKTOP_SAYS.second) opened = true;
    console.log(line);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    const noise = CHROMIUM_SAYS.test(line);
    if (NO_DISPLAY.test(line))
      last = `the display ${process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']} does not answer`;
    else if (line.trim() !== '') last = noise ? line.replace(CHROMIUM_SAYS, '').replace(/^[^ ]*\] */, '') : line;
    if (!noise || process.env['VIGIE_DEBUG']) console.error(line);
  });
  // Ctrl-C reaches the program itself, which closes in order.
  const wait = (): void => undefined;
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', wait).on('SIGTERM', pass).on('SIGHUP', pass);
  try {
    return await new Promise<WindowEnd>((resolve) => {
      child.once('error', (error) => resolve({ opened: false, reason: error.message }));
      child.once('close', (code, signal) => {
        if (opened) resolve({ opened, code: code ?? 1 });
        else resolve({ opened, reason: last || `its program ended with ${signal ?? `status ${code}`}` });
      });
    });
  } finally {
    process.off('SIGINT', wait).off('SIGTERM', pass).off('SIGHUP', pass);
  }
}
