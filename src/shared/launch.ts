/** What the `vigie` command says to the desktop program that it starts. */

import { z } from 'zod';

/** The environment variable with {@link LaunchOptions} as JSON: a command line would show them to everybody. */
export const DESKTOP_ENV = 'VIGIE_DESKTOP';

export const LaunchOptions = z.strictObject({
  /** The engine's settings, as its flags gave them. */
  settings: z.record(z.string(), z.unknown()).default({}),
  /** Path of the configuration file. */
  config: z.string().nullable().default(null),
});
export type LaunchOptions = z.infer<typeof LaunchOptions>;

/** What the desktop program says on stdout, a line each, and the command waits for. */
export const DESKTOP_SAYS = {
  open: 'The window is open.',
  second: 'Vigie is open already: its window was brought to the front.',
} as const;
