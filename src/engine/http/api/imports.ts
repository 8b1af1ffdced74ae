/** Files whose runs are taken over: what the Rust metric proxy left, and databases of other engines. */

import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { ImportQuery, ImportState } from '../../../shared/api/profiles.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { ImportDesk } from '../../import/desk.ts';
import type { App } from '../app.ts';
import type { z } from 'zod';

export async function registerImports(app: App, engine: EngineContext): Promise<void> {
  let loaded: Promise<ImportDesk> | null = null;
  // What an engine that imports nothing does not need is not loaded.
  const desk = (): Promise<ImportDesk> =>
    (loaded ??= import('../../import/desk.ts').then(
      (module) => new module.ImportDesk(engine.store, engine.config.data),
    ));
  app.get(
    '/profiles/import',
    { schema: { summary: 'How far the import is', response: { 200: ImportState } } },
    async () => (await desk()).state(),
  );
  await app.register(async (files) => {
    files.removeAllContentTypeParsers();
    // As it comes: a database may have gigabytes.
    files.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
    files.post(
      '/profiles/import',
      {
        config: { tells: ['name'], uploads: true },
        schema: {
          summary: 'Imports a profile or trace of the Rust metric proxy, or a database of another engine',
          querystring: ImportQuery,
          response: { 200: ImportState },
        },
      },
      async (request: FastifyRequest<{ Querystring: z.infer<typeof ImportQuery> }>) => {
        if (!request.body) throw new ApiError('bad_request', 'send the file as the body, as application/octet-stream');
        return (await desk()).take(request.query.name, request.body as Readable);
      },
    );
  });
}
