/** The page and its assets. Public: they hold no data. Served for `/` and `/ui/*` only, so that a reload keeps a view. */

import { existsSync, readdirSync } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../../shared/errors.ts';
import type { App } from './app.ts';

const NOT_BUILT = 'The interface is not built here; run `npm run build`. The API answers below /api/v1.\n';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

export function registerPage(app: App, directory: string | null): void {
  const index = directory ? join(directory, 'index.html') : null;
  const config = { public: true } as const;
  const missing = async (_request: unknown, reply: FastifyReply): Promise<FastifyReply> =>
    reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
  if (index === null || directory === null || !existsSync(index)) {
    for (const url of ['/', '/ui', '/ui/*']) app.get(url, { config }, missing);
    return;
  }
  const page = async (_request: unknown, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      // Each time: when a newer one was built meanwhile, what the old one asks for is gone.
      return await reply.type('text/html; charset=utf-8').send(await readFile(index));
    } catch {
      return missing(null, reply);
    }
  };
  for (const url of ['/', '/ui', '/ui/*']) app.get(url, { config }, page);
  registerAssets(app, join(directory, 'assets'));
}

/** What is there, of what the page may ask for. */
const namesIn = (directory: string): ReadonlySet<string> =>
  new Set(existsSync(directory) ? readdirSync(directory) : []);

/**
 * Only names that are there are served: what a request names is looked up, never joined to a path. Names carry a hash of
 * their content, so a browser may keep them for ever. `NAME.gz` beside a file is sent instead of it to those who take it:
 * the page may come through a tunnel from far away.
 */
function registerAssets(app: App, directory: string): void {
  let names = namesIn(directory);
  app.get(
    '/assets/:name',
    { config: { public: true } },
    async (request: FastifyRequest<{ Params: { name: string } }>, reply) => {
      const { name } = request.params;
      const type = TYPES[extname(name)];
      if (type !== undefined && !names.has(name)) names = namesIn(directory);
      const zipped = names.has(`${name}.gz`) && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      const file =
        names.has(name) && type !== undefined ? await openAsset(join(directory, zipped ? `${name}.gz` : name)) : null;
      if (!file || type === undefined) throw new ApiError('not_found', 'no such asset; reload the page');
      if (zipped) reply.header('content-encoding', 'gzip');
      reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' }).type(type);
      return reply.send(file.createReadStream());
    },
  );
}

/** Null: it is gone, because a newer page was built meanwhile. */
async function openAsset(path: string): Promise<FileHandle | null> {
  try {
    return await open(path);
  } catch {
    return null;
  }
}
