/** Runs and scopes as files: streamed, with progress, ended when their reader is gone. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  ExportEstimate,
  ExportId,
  ExportList,
  ExportQuery,
  ExportState,
  NewExport,
} from '../../../shared/api/exports.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { Exports, OpenExport } from '../../profiles/export/exports.ts';
import type { App } from '../app.ts';
import { whileAsked } from '../while-asked.ts';

const Params = z.object({ id: ExportId });
const FILE = '/exports/file';
const Ticket = z.object({ ticket: z.string().max(64) });

export function registerExports(app: App, engine: EngineContext): void {
  let loaded: Promise<Exports> | null = null;
  // What an engine that exports nothing does not need is not loaded.
  const exports = (): Promise<Exports> =>
    (loaded ??= import('../../profiles/export/exports.ts').then((module) => new module.Exports(engine)));
  app.addHook('onClose', async () => (await loaded)?.close());

  const sendFile = async (reply: FastifyReply, query: ExportQuery, by: string): Promise<FastifyReply> =>
    sendOpen(reply, await whileAsked(reply.raw, async (signal) => (await exports()).open(query, by, signal)));

  app.get(
    '/export',
    {
      config: { streams: true },
      schema: { summary: 'Runs, or scopes over a time, as a file', querystring: ExportQuery },
    },
    async (request: FastifyRequest<{ Querystring: ExportQuery }>, reply) =>
      isHead(request) ? reply.send() : sendFile(reply, request.query, askerOf(request)),
  );
  app.get(
    '/export/estimate',
    {
      schema: {
        summary: 'How much such a file would have',
        querystring: ExportQuery,
        response: { 200: ExportEstimate },
      },
    },
    async (request: FastifyRequest<{ Querystring: ExportQuery }>, reply) =>
      whileAsked(reply.raw, async (signal) => (await exports()).estimate(request.query, signal)),
  );
  app.get(
    '/exports',
    { schema: { summary: 'Exports that are under way or ended lately, newest first', response: { 200: ExportList } } },
    async () => ({ exports: (await exports()).list() }),
  );
  app.post(
    '/exports',
    {
      config: { reads: true },
      schema: {
        summary: 'A link to such a file that needs no token, for one use within a minute',
        body: ExportQuery,
        response: { 200: NewExport },
      },
    },
    async (request: FastifyRequest<{ Body: ExportQuery }>): Promise<NewExport> => {
      const { id, name, ticket } = await (await exports()).link(request.body, askerOf(request));
      return { id, name, path: `/api/v1${FILE}?ticket=${ticket}` };
    },
  );
  app.get(
    FILE,
    // The ticket is the authorisation.
    { config: { public: true, streams: true }, schema: { summary: 'The file of such a link', querystring: Ticket } },
    async (request: FastifyRequest<{ Querystring: z.infer<typeof Ticket> }>, reply) => {
      if (isHead(request)) return reply.send();
      const link = (await exports()).take(request.query.ticket);
      if (!link)
        throw new ApiError('export_not_found', 'this link was used, or is older than a minute: ask for a new one');
      return sendFile(reply, link.query, link.by);
    },
  );
  app.get(
    '/exports/:id',
    { schema: { summary: 'How far an export is', params: Params, response: { 200: ExportState } } },
    async (request: FastifyRequest<{ Params: z.infer<typeof Params> }>) => (await exports()).get(request.params.id),
  );
  app.delete(
    '/exports/:id',
    {
      config: { reads: true },
      schema: { summary: 'Ends an export', params: Params, response: { 200: ExportState } },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof Params> }>) => {
      const known = await exports();
      known.stop(request.params.id, request.identity?.role === 'control' ? null : askerOf(request));
      return known.get(request.params.id);
    },
  );
}

/** It would make the whole file for nobody, and use up a link. */
const isHead = ({ method }: FastifyRequest): boolean => method === 'HEAD';

/** Who may end it later. */
const askerOf = ({ asker }: FastifyRequest): string => `${asker?.by ?? ''} ${asker?.name ?? ''}`;

function sendOpen(reply: FastifyReply, { id, name, type, estimate, stream }: OpenExport): FastifyReply {
  // Whoever waited for the plan may be gone.
  if (reply.raw.destroyed) stream.destroy();
  stream.on('error', () => reply.raw.destroy());
  return reply
    .type(type)
    .header('content-disposition', `attachment; filename="${name}"`)
    .header('x-vigie-export', id)
    .header('x-vigie-samples', String(estimate.samples))
    .header('x-vigie-notes', encodeURIComponent(estimate.notes.slice(0, 10).join('\n')))
    .send(stream);
}
