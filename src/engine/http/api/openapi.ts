/**
 * GET /api/v1/openapi.json, made from the schemas that validate, when somebody asks. The plugin for this would keep
 * itself and its copy of every schema in memory all the time, in an engine that shares a node with a job.
 */

import { z } from 'zod';
import { Problem } from '../../../shared/errors.ts';
import { API_VERSION } from '../../../shared/api/status.ts';
import type { App } from '../app.ts';

const PREFIX = '/api/v1/';

interface Route {
  readonly method: string;
  readonly url: string;
  readonly schema: {
    readonly summary?: string;
    readonly hide?: boolean;
    readonly querystring?: z.ZodObject;
    readonly params?: z.ZodObject;
    readonly body?: z.ZodType;
    readonly response?: Readonly<Record<number, z.ZodType>>;
  };
}

type Json = Readonly<Record<string, unknown>>;

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

function parameters(where: 'query' | 'path', schema: z.ZodObject | undefined): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, type]) => ({
    name,
    in: where,
    required: where === 'path' || !(type as z.ZodType).safeParse(undefined).success,
    schema: jsonSchema(type as z.ZodType, 'input'),
  }));
}

function operation({ schema }: Route): Json {
  const error = {
    description: 'Error',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  const [status = '200', ok] = Object.entries(schema.response ?? {})[0] ?? [];
  const content =
    ok && status !== '204' ? { content: { 'application/json': { schema: jsonSchema(ok, 'output') } } } : {};
  return {
    summary: schema.summary ?? '',
    parameters: [...parameters('path', schema.params), ...parameters('query', schema.querystring)],
    ...(schema.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(schema.body, 'input') } },
          },
        }
      : {}),
    responses: { [status]: { description: 'OK', ...content }, default: error },
  };
}

function describe(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Vigie engine', version: `${API_VERSION.major}.${API_VERSION.minor}` },
    paths,
    components: {
      schemas: { Problem: jsonSchema(Problem, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ token: [] }],
  };
}

/** Call before the routes are registered: it listens to their registration. */
export function registerOpenApi(app: App): void {
  const routes: Route[] = [];
  app.addHook('onRoute', ({ method, url, schema }) => {
    const described = (schema ?? {}) as Route['schema'];
    if (!url.startsWith(PREFIX) || described.hide) return;
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url, schema: described });
  });
  app.get(`${PREFIX}openapi.json`, { schema: { summary: 'This description' } }, async () => describe(routes));
}
