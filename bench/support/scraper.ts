/** A target alone, in a process of its own: asks once per period and reads into a scope, as the engine does. */

import { Scope } from '../../src/engine/live/scope.ts';
import { prometheus } from '../../src/engine/targets/prometheus.ts';
import { DEFAULT_LIMITS, type TargetHost, type TargetSpec } from '../../src/engine/targets/type.ts';
import { parseTargetUrl } from '../../src/engine/targets/url.ts';
import { startChild, type Child } from './child.ts';

export async function startScraper(url: string, periodMs: number): Promise<Child> {
  const child = startChild(process.execPath, [import.meta.filename, url, String(periodMs)]);
  await child.line(60_000);
  return child;
}

function scrapeForEver(url: string, periodMs: number): void {
  const scope = new Scope('target/bench', 'target');
  const spec: TargetSpec = {
    id: 'bench',
    url: parseTargetUrl(url),
    access: { timeoutMs: 10_000, limits: DEFAULT_LIMITS },
    periodMs,
    labels: [],
    filter: { include: [], exclude: [] },
  };
  const host: TargetHost = {
    scope: () => scope,
    about: () => undefined,
    drop: () => undefined,
    hostname: 'bench',
    engineId: 'bench',
    isSelf: () => false,
    grace: 0,
  };
  const session = prometheus.open(spec, host);
  const { signal } = new AbortController();
  let asks = false;
  setInterval(() => {
    // On a busy machine an answer may take longer than the period.
    if (!asks) void scrape();
  }, periodMs);
  async function scrape(): Promise<void> {
    asks = true;
    const { series } = await session.scrape(signal);
    if (series === 0) throw new Error('nothing was read');
    scope.settle();
    scope.stamp(Date.now());
    scope.clear();
    asks = false;
  }
}

if (process.argv[1] === import.meta.filename) {
  scrapeForEver(process.argv[2]!, Number(process.argv[3]));
  console.log('ready');
}
