import { z } from 'zod';
import { OWNER, Role, TokenName } from '../model/role.ts';

/** A token as it is listed: never its text, of which only a hash is kept. */
export const TokenInfo = z.object({
  name: z.string(),
  role: Role,
  /** Milliseconds since the epoch. */
  created: z.number(),
  /** Milliseconds since the epoch, at most a minute behind; 0: never. */
  last_used: z.number(),
});
export type TokenInfo = z.infer<typeof TokenInfo>;

/** GET /api/v1/tokens: the owner's token first, then by name. */
export const TokenList = z.object({ tokens: z.array(TokenInfo) });
export type TokenList = z.infer<typeof TokenList>;

/** POST /api/v1/tokens */
export const NewToken = z.object({
  name: TokenName.refine((name) => name !== OWNER, `"${OWNER}" is the name of the token in the token file`),
  role: Role,
});
export type NewToken = z.infer<typeof NewToken>;

/** The only time that the token itself is told. */
export const AddedToken = TokenInfo.extend({ token: z.string() });
export type AddedToken = z.infer<typeof AddedToken>;

/** GET /api/v1/whoami: what the one who asks is to the engine. */
export const WhoAmI = z.object({
  role: Role,
  /** `token`: one that was sent; `socket`: the request came over the engine's own socket. */
  by: z.enum(['token', 'socket']),
  /** The token's name, or the user that the socket belongs to. */
  name: z.string(),
});
export type WhoAmI = z.infer<typeof WhoAmI>;
