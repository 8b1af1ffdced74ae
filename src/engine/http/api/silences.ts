/** Silences: what nobody is told of, from when to when. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  Silence,
  SilenceList,
  SilencePreview,
  SilencePreviewRequest,
  SilenceSettings,
} from '../../../shared/api/silences.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { IdParams, whoOf } from './alarms.ts';

type Params = { Params: z.infer<typeof IdParams> };

export function registerSilences(app: App, { alarms }: EngineContext): void {
  app.get(
    '/silences',
    { schema: { summary: 'Silences and how each is', response: { 200: SilenceList } } },
    async () => ({
      silences: alarms.silences.list(),
    }),
  );

  app.post(
    '/silences',
    {
      config: { control: true, tells: ['from', 'to', 'comment'] },
      schema: { summary: 'Adds a silence', body: SilenceSettings, response: { 201: Silence } },
    },
    async (request: FastifyRequest<{ Body: SilenceSettings }>, reply: FastifyReply) =>
      reply.code(201).send(await alarms.silences.add(request.body, whoOf(request))),
  );

  app.post(
    '/silences/preview',
    {
      config: { reads: true },
      schema: { summary: 'What a silence would hit', body: SilencePreviewRequest, response: { 200: SilencePreview } },
    },
    async (request: FastifyRequest<{ Body: z.infer<typeof SilencePreviewRequest> }>): Promise<SilencePreview> =>
      alarms.silences.preview(request.body.matchers),
  );

  app.get(
    '/silences/:id',
    { schema: { summary: 'One silence', params: IdParams, response: { 200: Silence } } },
    async (request: FastifyRequest<Params>) => alarms.silences.describe(request.params.id),
  );

  app.delete(
    '/silences/:id',
    {
      config: { control: true, tells: ['id'] },
      schema: { summary: 'Ends a silence', params: IdParams, response: { 200: Silence } },
    },
    async (request: FastifyRequest<Params>) => alarms.silences.end(request.params.id),
  );
}
