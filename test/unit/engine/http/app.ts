/** The application without an engine behind it: for what is decided before a route is reached. */

import { onTestFinished } from 'vitest';
import type { EngineContext } from '../../../../src/engine/context.ts';
import { buildApp, type App, type AppOptions } from '../../../../src/engine/http/app.ts';
import { Auth, TokenCheck } from '../../../../src/engine/http/auth.ts';

export const TOKEN = 'correct-horse-battery-staple';
export const BEARER = `Bearer ${TOKEN}`;

/** Routes that touch the engine fail with `internal`: a test that wants an answer uses a real engine. */
export async function appAlone(
  options: Partial<AppOptions> & { compat?: boolean; compatNetworks?: string[]; allowHosts?: string[] } = {},
): Promise<App> {
  const { compat = false, compatNetworks = [], allowHosts = [], ...rest } = options;
  const app = await buildApp({
    engine: {
      health: () => [],
      store: { wake: () => {} },
      targets: { enginesHeader: () => 'e' },
    } as unknown as EngineContext,
    auth: new Auth({ token: new TokenCheck(TOKEN), allowHosts, compat, compatNetworks }),
    page: null,
    onError: () => {},
    ...rest,
  });
  onTestFinished(() => app.close());
  return app;
}

export interface Route {
  readonly url: string;
  readonly methods: readonly string[];
}

/** Every route, from the router's own tree. */
export function routesOf(app: App): Route[] {
  const routes: Route[] = [];
  const prefixes: string[] = [];
  for (const line of app.printRoutes().split('\n')) {
    const found = /^([│ ]*)(?:├──|└──) (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!found) continue;
    const depth = found[1]!.length / 4;
    prefixes.length = depth;
    prefixes.push(found[2]!);
    if (found[3] !== undefined) routes.push({ url: prefixes.join(''), methods: found[3].split(', ') });
  }
  return routes;
}
