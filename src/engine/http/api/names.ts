/** Names of what is stored: families, labels, values of labels. */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NamesList, NamesQuery, type NamesKind } from '../../../shared/api/names.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import { Selector, SelectorError } from '../../store/selector.ts';
import type { App } from '../app.ts';
import { whileAsked } from '../while-asked.ts';

/** Throws `bad_request` for a text that is no selector. */
export function checkSelectors(selectors: readonly string[]): void {
  try {
    Selector.all(selectors);
  } catch (error) {
    if (error instanceof SelectorError) throw new ApiError('bad_request', `select: ${error.message}`);
    throw error;
  }
}

const LabelParams = z.object({ name: z.string().min(1).max(1024) });

export function registerNames(app: App, engine: EngineContext): void {
  type Asked = FastifyRequest<{ Querystring: NamesQuery }>;
  const list = (request: Asked, answer: Parameters<typeof whileAsked>[0], kind: NamesKind): Promise<NamesList> => {
    const { query } = request;
    checkSelectors(query.select === undefined ? [] : [query.select]);
    return whileAsked(answer, (signal) => engine.store.names({ ...query, ...kind }, signal));
  };
  const schema = { querystring: NamesQuery, response: { 200: NamesList } };
  app.get(
    '/families',
    { schema: { summary: 'Families of the metrics that are stored', ...schema } },
    async (request: Asked, reply) => list(request, reply.raw, { what: 'families' }),
  );
  app.get(
    '/labels',
    { schema: { summary: 'Names of the labels that are stored', ...schema } },
    async (request: Asked, reply) => list(request, reply.raw, { what: 'labels' }),
  );
  app.get(
    '/labels/:name',
    { schema: { summary: 'Values of a label', params: LabelParams, ...schema } },
    async (request: FastifyRequest<{ Querystring: NamesQuery; Params: z.infer<typeof LabelParams> }>, reply) =>
      list(request as Asked, reply.raw, { what: 'values', label: request.params.name }),
  );
}
