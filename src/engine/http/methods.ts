/**
 * Answers 405 where a path is served with another method, so that nobody takes a wrong method for a wrong path. Looked up
 * when it happens: a route for each method that is not there would be most of all routes, and some 2 MB.
 */

import type { FastifyRequest } from 'fastify';
import type { App } from './app.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Watches the routes from here on. The returned function says which methods a path is served with; null: none. */
export function watchMethods(app: App): (request: FastifyRequest) => string | null {
  const served = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = served.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    served.set(url, methods);
  });
  let patterns: readonly (readonly [RegExp, string])[] | null = null;
  return ({ is404, method, url }) => {
    const path = url.split(/[?#]/, 1)[0]!;
    // A path that is served by its own name is not one with a parameter.
    const own = is404 ? undefined : served.get(path);
    if (own && !own.has(method)) return [...own].join(', ');
    if (!is404 || !METHODS.includes(method)) return null;
    // Those without parameters first, as the router has it.
    patterns ??= [...served]
      .toSorted(([one], [other]) => rank(one) - rank(other))
      .map(([pattern, methods]) => [toRegExp(pattern), [...methods].join(', ')]);
    const methods = patterns.find(([pattern]) => pattern.test(path))?.[1];
    // A star stands for at least one character in the router, here for none: then the path is wrong, not the method.
    return methods === undefined || methods.split(', ').includes(method) ? null : methods;
  };
}

/** The more a pattern names, the earlier it is looked at. */
const rank = (pattern: string): number => (pattern.includes('*') ? 2 : pattern.includes(':') ? 1 : 0);

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/\/$/, '')
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/]+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}/?$`);
}
