/** Where the console of `vigie start` is shown: in a window of its own, or in a browser, and then why. */

import { fetchRuntime, findRuntime, RuntimeError } from './runtime.ts';

export interface SeatFlags {
  /** Nothing but a window will do. */
  readonly window?: boolean;
  /** No window. */
  readonly browser?: boolean;
  /** `false` with --no-sandbox. */
  readonly sandbox: boolean;
}

export type Seat =
  | { readonly kind: 'window'; readonly runtime: string }
  /** `why` there is no window; null: it was asked for. */
  | { readonly kind: 'browser'; readonly why: string | null };

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly uid: number | null;
  readonly env: NodeJS.ProcessEnv;
}

/** Why no window can be opened here, or null. */
export function whyNoWindow({ platform, uid, env }: Surroundings, sandbox: boolean): string | null {
  if (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return 'there is no display here';
  if (uid === 0 && sandbox) return 'as root the window’s sandbox does not work; run it as another user';
  return null;
}

/** Throws when a window was asked for that cannot be. */
export async function chooseSeat(flags: SeatFlags, around: Surroundings): Promise<Seat> {
  if (flags.browser) return { kind: 'browser', why: null };
  const force = flags.window ?? false;
  const reason = whyNoWindow(around, flags.sandbox);
  if (reason !== null) {
    if (!force) return { kind: 'browser', why: reason };
    const hint =
      around.uid === 0 && flags.sandbox ? ' (or add --no-sandbox, which gives a hostile page your rights)' : '';
    throw new Error(`no window: ${reason}${hint}`);
  }
  try {
    return { kind: 'window', runtime: findRuntime(around.env) ?? (await fetchRuntime(around.env, force)) };
  } catch (error) {
    if (force || !(error instanceof RuntimeError)) throw error;
    return { kind: 'browser', why: error.message };
  }
}
