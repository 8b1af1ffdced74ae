/** The engine that the window shows: the only place that pages, requests and messages may come from or go to. */

import type { RunningEngine } from '../shared/host.ts';

/** Where the interface's views live. */
const VIEWS = '/ui/';
/** Files that somebody asked for in the interface; each address works once. */
const EXPORTS = /^\/api\/v1\/(?:engines\/[\w-]+\/api\/v1\/)?exports\/file$/;

export class ConsoleTarget {
  readonly engine: RunningEngine;
  readonly #origin: string;
  readonly #host: string;

  constructor(engine: RunningEngine) {
    this.engine = engine;
    const { origin, host } = new URL(engine.url);
    this.#origin = origin;
    this.#host = host;
  }

  /** The interface at a view, `/ui/jobs` for example. */
  page(path: string): string {
    return `${this.#origin}${path.startsWith(VIEWS) ? path : `${VIEWS}jobs`}`;
  }

  /** A page of the interface. */
  isPage(url: string): boolean {
    const parsed = parse(url);
    if (parsed?.origin !== this.#origin) return false;
    return parsed.pathname === '/' || parsed.pathname.startsWith(VIEWS);
  }

  /** Anything that the engine serves, over HTTP or the live socket. */
  isOwn(url: string): boolean {
    const parsed = parse(url);
    return parsed !== null && parsed.host === this.#host && (parsed.protocol === 'http:' || parsed.protocol === 'ws:');
  }

  /** A file to hand on, the only thing that may be downloaded. */
  isExport(url: string): boolean {
    const parsed = parse(url);
    return parsed?.origin === this.#origin && EXPORTS.test(parsed.pathname);
  }

  /** A request with data, which needs the token; the page and its assets are public. */
  needsToken(url: string): boolean {
    return this.isOwn(url) && new URL(url).pathname.startsWith('/api/');
  }
}

function parse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}
