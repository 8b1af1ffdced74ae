/** Tokens: who may come in, and as what. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AddedToken, NewToken, type TokenInfo, TokenList, WhoAmI } from '../../../shared/api/tokens.ts';
import { ApiError } from '../../../shared/errors.ts';
import { OWNER } from '../../../shared/model/role.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import type { StoredToken } from '../../tokens/tokens-file.ts';

const TokenParams = z.object({ name: z.string().min(1).max(64) });

/** Without the hash. */
const describe = ({ name, role, created, last_used }: StoredToken): TokenInfo => ({ name, role, created, last_used });

export function registerTokens(app: App, engine: EngineContext): void {
  app.get(
    '/whoami',
    { schema: { summary: 'What the one who asks may do', response: { 200: WhoAmI } } },
    async ({ identity }): Promise<WhoAmI> => {
      if (!identity) throw new ApiError('unauthorized', 'nobody is known to ask');
      return { role: identity.role, by: identity.by, name: identity.name };
    },
  );

  app.get(
    '/tokens',
    {
      config: { control: true },
      schema: { summary: 'Tokens, without their text', response: { 200: TokenList } },
    },
    async (): Promise<TokenList> => ({ tokens: [engine.owner(), ...engine.tokens.list().map(describe)] }),
  );

  app.post(
    '/tokens',
    {
      config: { control: true, tells: ['name', 'role'] },
      schema: { summary: 'Adds a token and tells it, once', body: NewToken, response: { 200: AddedToken } },
    },
    async (request: FastifyRequest<{ Body: NewToken }>): Promise<AddedToken> => {
      const { token, stored } = await engine.tokens.add(request.body);
      return { ...describe(stored), token };
    },
  );

  app.delete(
    '/tokens/:name',
    {
      config: { control: true, tells: ['name'] },
      schema: { summary: 'Revokes a token', params: TokenParams, response: { 204: z.null() } },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof TokenParams> }>, reply: FastifyReply) => {
      const { name } = request.params;
      if (name === OWNER) {
        throw new ApiError(
          'bad_request',
          'the token in the token file cannot be revoked here: remove that file and restart the engine',
        );
      }
      await engine.tokens.revoke(name);
      return reply.code(204).send();
    },
  );
}
