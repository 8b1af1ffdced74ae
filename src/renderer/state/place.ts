/**
 * Which engine an address shows. `/ui/jobs` is of the engine that the page came from, `/ui/@ID/jobs` of another one that is
 * reached through it. Views write their links as if there were one engine: here they become those of the engine that is
 * looked at, so that a copied link keeps it. `/ui/@/jobs` in a link leaves for the page's own engine.
 */

import type { BaseLocationHook } from 'wouter';
import { navigate, useBrowserLocation } from 'wouter/use-browser-location';

/** Views that are about all engines, and so of the page's own. */
const OVER_ALL = /^\/ui\/(?:connections|clusters)(?=[/?#]|$)/;
const IN_ENGINE = /^\/ui\/@([^/?#]*)(.*)$/;

export interface Place {
  /** As in the address, not checked; null: the page's own. */
  readonly engine: string | null;
  /** As views know it. */
  readonly path: string;
}

export function placeOf(pathname: string): Place {
  const found = IN_ENGINE.exec(pathname);
  if (!found) return { engine: null, path: pathname };
  const [, id = '', rest = ''] = found;
  const path = `/ui${rest}`;
  return { engine: id === '' || OVER_ALL.test(path) ? null : id, path };
}

/** The address of a view's link while this engine is looked at. */
export function addressOf(engine: string | null, href: string): string {
  if (href.startsWith('/ui/@')) return href.replace(/^\/ui\/@(?=[/?#]|$)/, '/ui');
  if (engine === null || OVER_ALL.test(href)) return href;
  return href.replace(/^\/ui(?=[/?#]|$)/, `/ui/@${engine}`);
}

/** The same path of another engine: who switches looks at the same there. Null: the page's own. */
export function engineHref(id: string | null, path = '/ui/jobs'): string {
  return path.replace(/^\/ui(?=[/?#]|$)/, id === null ? '/ui/@' : `/ui/@${encodeURIComponent(id)}`);
}

const LISTS = ['jobs', 'node', 'nodes', 'targets', 'alarms', 'settings', 'diagnostics'];
const ALARM_LISTS = ['rules', 'silences', 'channels', 'history'];

/** The view that another engine has, too: one job or one rule is of one engine only. */
export function sameView(path: string): string {
  const [view = '', part = ''] = path.replace(/^\/ui\/?/, '').split(/[/?#]/);
  if (!LISTS.includes(view)) return '/ui/jobs';
  return view === 'alarms' && ALARM_LISTS.includes(part) ? `/ui/alarms/${part}` : `/ui/${view}`;
}

const present = (): string | null => placeOf(window.location.pathname).engine;

const go: typeof navigate = (to, options) => navigate(typeof to === 'string' ? addressOf(present(), to) : to, options);

/** For the router around all views. */
export const engineLocation: BaseLocationHook = Object.assign(
  function useEngineLocation(): ReturnType<BaseLocationHook> {
    const [pathname] = useBrowserLocation();
    return [placeOf(pathname).path, go];
  },
  { hrefs: (href: string): string => addressOf(present(), href) },
);
