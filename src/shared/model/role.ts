/** What a token's holder may do: look, or also change something. */

import { z } from 'zod';

export const Role = z.enum(['view', 'control']);
export type Role = z.infer<typeof Role>;

/** Names of tokens: they stand in URLs, logs and tables. */
export const TokenName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    'expected 1 to 64 letters, digits or . _ @ -, the first a letter or digit',
  );

/** The name of the token in the token file, which nobody can add or revoke: who reads that file owns the engine. */
export const OWNER = 'owner';
