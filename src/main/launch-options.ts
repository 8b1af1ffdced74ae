/** How the program was started: by the `vigie` command, which hands over what its flags said, or by itself. */

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DESKTOP_ENV, LaunchOptions } from '../shared/launch.ts';

/** Throws where the environment holds something else than options. */
export function launchOptions(env: NodeJS.ProcessEnv): LaunchOptions {
  const text = env[DESKTOP_ENV];
  return LaunchOptions.parse(text === undefined ? {} : JSON.parse(text));
}

/**
 * The folder of the window: its state, its storage, and the lock that makes it the only one. One per host, since homes
 * are shared between hosts, and one per engine that was asked for by name.
 *
 * @param base The system's folder for applications' settings.
 */
export function windowFolder(base: string, { settings, config }: LaunchOptions): string {
  const named = ['data', 'memory', 'socket'].map((name) => settings[name]);
  const place = join(base, 'vigie', hostname());
  if (config === null && named.every((value) => value === undefined)) return place;
  const key = createHash('sha256')
    .update(JSON.stringify([config, ...named]))
    .digest('hex');
  return join(place, 'others', key.slice(0, 12));
}
