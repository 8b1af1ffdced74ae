/** Answers 405 where a path is served with another method, so that nobody takes a wrong method for a wrong path. */

import { ApiError } from '../../shared/errors.ts';
import type { App } from './app.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Watches the routes from here on. The returned function fills in what they leave out; call it after the last one. */
export function watchMethods(app: App): () => void {
  const served = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = served.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    served.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...served]) {
      const allow = [...methods].join(', ');
      app.route({
        url,
        method: METHODS.filter((one) => !methods.has(one)),
        schema: { hide: true },
        // Whoever asks: nothing is changed here, so it is the method that is wrong.
        config: { reads: true },
        // Before the body is read: nobody will look at it.
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          throw new ApiError('method_not_allowed', `${request.method} is not possible here; use ${allow}`);
        },
        handler: () => undefined,
      });
    }
  };
}
