/**
 * Another engine: its hosts and its live runs, as frames over its live socket. Each becomes a scope of its own below
 * the target's. What comes between two scrapes is kept as the latest values; a scrape brings it in.
 */

import { API_VERSION, Status } from '../../shared/api/status.ts';
import { NodeList } from '../../shared/api/nodes.ts';
import { SeriesList } from '../../shared/api/series.ts';
import { TargetList } from '../../shared/api/targets.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { askFor, isNoAnswer, statusOf } from './ask-json.ts';
import { Fetcher } from './fetch.ts';
import { Mirror } from './mirror.ts';
import { metricFilter } from './sink-filter.ts';
import {
  TargetError,
  type Access,
  type Probe,
  type ProbedMetric,
  type Scraped,
  type TargetHost,
  type TargetSession,
  type TargetSpec,
  type TargetType,
  type TargetUrl,
} from './type.ts';
import { withPath } from './url.ts';
import { EngineLink, type RemoteScope } from './vigie-link.ts';

/** Circles are looked for again, and hosts that came, after this, ms. */
const LOOK_AGAIN = 15_000;
/** Frames come once per period of the other engine; without one for so many of them it hangs. */
const PERIODS_OF_SILENCE = 5;
const MAX_SCOPES = 2000;
/** When a connection was broken, what is not there again may come within this time and is the same then, ms. */
const BACK_WITHIN = 10_000;
/** Runs that are over and are remembered, should they come back. */
const MAX_OVER = 10_000;

const SELF = 'this is this engine itself: what it has is here already';

/** One of the other engine's scopes, and the one that it has here. */
interface Part {
  readonly below: string;
  readonly remote: RemoteScope;
  readonly mirror: Mirror;
  readonly isRun: boolean;
}

class Session implements TargetSession {
  readonly #spec: TargetSpec;
  readonly #host: TargetHost;
  readonly #fetcher: Fetcher;
  readonly #parts = new Map<string, Part>();
  /** Those that go on counting when the link was broken: the same numbers as before. */
  #link: EngineLink | null = null;
  #linkedAt = 0;
  /** Scopes that went: what they had then is counted, should they come back. */
  readonly #over = new Set<string>();
  #engine: string | null = null;
  #answers = 0;
  #lookAt = -Infinity;
  #engines: readonly string[] = [];
  #notes: readonly string[] = [];
  #closed = false;

  constructor(spec: TargetSpec, host: TargetHost) {
    this.#spec = spec;
    this.#host = host;
    this.#fetcher = new Fetcher(spec.url, spec.access, spec.periodMs);
    host.scope();
  }

  async scrape(signal: AbortSignal): Promise<Scraped> {
    try {
      const link = await this.#connected(signal);
      if (performance.now() >= this.#lookAt) {
        this.#engines = await this.#circle(link, signal);
        await this.#hosts(link, signal);
        this.#lookAt = performance.now() + LOOK_AGAIN;
      }
      await link.listed(signal, this.#spec.access.timeoutMs);
      for (const run of link.runs.values()) {
        const below = `run/${encodeURIComponent(run.id)}`;
        this.#open(link, below, run.scope, run.nodelist);
        const { nodes, ranks } = run;
        if (this.#parts.has(below)) this.#host.about(below, { kind: 'run', desc: run, nodes, ranks });
      }
      await link.first(signal, this.#spec.access.timeoutMs);
      if (this.#closed) throw new TargetError('down', 'it was closed');
      return this.#take(link);
    } catch (error) {
      if (!this.#closed) for (const { mirror } of this.#parts.values()) mirror.miss();
      this.#unlink();
      throw error;
    }
  }

  async #connected(signal: AbortSignal): Promise<EngineLink> {
    const known = this.#link;
    if (known) {
      known.check();
      if (known.silence > PERIODS_OF_SILENCE * Math.max(known.hello.period, this.#spec.periodMs)) {
        throw new TargetError('down', `no frame came for ${Math.round(known.silence / 1000)} s: does the engine hang?`);
      }
      return known;
    }
    // By HTTP first: it tells what is wrong in words, and checks where it leads to.
    const { value: status } = await askFor(this.#fetcher, this.#spec.url, '/api/v1/status', Status, signal);
    checkVersion(status.api);
    if (status.engine.id === this.#host.engineId) throw new TargetError('refused', SELF);
    const link = await EngineLink.open(this.#spec.url, this.#spec.access, signal);
    link.onAlarms = (update) => {
      if (!this.#closed) this.#host.alarms?.(update);
    };
    if (this.#closed) {
      link.close();
      throw new TargetError('down', 'it was closed');
    }
    if (this.#engine !== null && this.#engine !== link.hello.engine) this.#forgetAll();
    this.#engine = link.hello.engine;
    this.#notes = versionNotes(link.hello.api, status.version);
    this.#link = link;
    this.#linkedAt = performance.now();
    this.#lookAt = -Infinity;
    return link;
  }

  /** Ids of the engines behind it. Throws {@link TargetError} when this one is among them. */
  async #circle(link: EngineLink, signal: AbortSignal): Promise<string[]> {
    const engines = new Set([link.hello.engine]);
    try {
      const path = '/api/v1/targets?type=vigie&limit=10000';
      const { value } = await askFor(this.#fetcher, this.#spec.url, path, TargetList, signal);
      for (const target of value.targets) {
        if (target.engines.includes(this.#host.engineId)) {
          throw new TargetError(
            'refused',
            `a circle: that engine pulls from this one (its target ${target.url}), which would count its own sums`,
          );
        }
        for (const engine of target.engines) engines.add(engine);
      }
    } catch (error) {
      // An older one has no targets.
      if (statusOf(error) !== 404) throw error;
    }
    return [...engines];
  }

  async #hosts(link: EngineLink, signal: AbortSignal): Promise<void> {
    const { value } = await askFor(this.#fetcher, this.#spec.url, '/api/v1/nodes', NodeList, signal);
    for (const { host, scope } of value.nodes) {
      const below = `node/${encodeURIComponent(host)}`;
      this.#open(link, below, scope, host);
      if (this.#parts.has(below)) this.#host.about(below, { kind: 'node', host });
    }
  }

  #open(link: EngineLink, below: string, remote: string, node: string): void {
    const known = this.#parts.get(below);
    if (known?.remote.link === link || link.hasEnded(remote)) return;
    if (!known && this.#parts.size >= MAX_SCOPES) return;
    const { labels, filter, access } = this.#spec;
    const mirror =
      known?.mirror ??
      new Mirror(this.#host.scope(below), {
        node,
        labels,
        keep: metricFilter(filter),
        room: () => access.limits.series - this.#series(),
        // What comes later began at nothing.
        began: this.#answers === 0 || this.#over.has(below),
      });
    this.#parts.set(below, { below, mirror, remote: link.subscribe(remote), isRun: below.startsWith('run/') });
  }

  #series(): number {
    let series = 0;
    for (const { mirror } of this.#parts.values()) series += mirror.scope.livingCount;
    return series;
  }

  #take(link: EngineLink): Scraped {
    const refused: Record<string, number> = {};
    const sum = { samples: 0, series: 0, newSeries: 0, filtered: 0 };
    for (const { below, remote, mirror, isRun } of this.#parts.values()) {
      if (remote.link !== link) {
        // It was there before the link broke. The other engine may be new, too, and its clients not back yet.
        if (performance.now() - this.#linkedAt >= BACK_WITHIN) this.#drop(below, mirror);
        else if (!isRun) mirror.miss();
        continue;
      }
      mirror.begin();
      remote.tell(mirror);
      mirror.end();
      sum.samples += mirror.samples;
      sum.series += mirror.live;
      sum.newSeries += mirror.newSeries;
      sum.filtered += mirror.filtered;
      for (const [reason, count] of Object.entries(mirror.refused)) refused[reason] = (refused[reason] ?? 0) + count;
      if (remote.ended) this.#drop(below, mirror);
    }
    this.#answers++;
    return { ...sum, bytes: link.takeBytes(), refused, notes: this.#notes, engines: this.#engines };
  }

  #drop(below: string, mirror: Mirror, how: 'finished' | 'interrupted' = 'finished'): void {
    this.#parts.delete(below);
    if (this.#over.size < MAX_OVER) this.#over.add(below);
    this.#host.drop(below, how);
    mirror.close();
  }

  /** Another engine answers at this place now: its numbers are not the earlier one's. */
  #forgetAll(): void {
    for (const { below, mirror } of this.#parts.values()) this.#drop(below, mirror, 'interrupted');
    this.#over.clear();
    this.#answers = 0;
  }

  #unlink(): void {
    this.#link?.close();
    this.#link = null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlink();
    this.#fetcher.close();
    for (const { mirror } of this.#parts.values()) mirror.close();
  }
}

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** A newer minor is read, a newer major is not. */
function checkVersion({ major, minor }: Version): void {
  if (major === API_VERSION.major) return;
  const what = major > API_VERSION.major ? 'update this engine' : 'update that one';
  throw new TargetError(
    'refused',
    `it speaks version ${major}.${minor} of the API, this engine ${API_VERSION.major}.${API_VERSION.minor}: ${what}`,
  );
}

function versionNotes({ major, minor }: Version, version: string): string[] {
  if (minor === API_VERSION.minor) return [];
  const newer = minor > API_VERSION.minor ? 'newer: what is new there is not shown here' : 'older';
  return [`it is Vigie ${version} and speaks version ${major}.${minor} of the API, which is ${newer}`];
}

async function probe(url: TargetUrl, access: Access, signal: AbortSignal): Promise<Probe | null> {
  const fetcher = new Fetcher(url, access, Infinity);
  const begun = performance.now();
  try {
    const found = await askFor(fetcher, url, '/api/v1/status', Status, signal).catch((error: unknown) => error);
    if (found instanceof Error) {
      const status = statusOf(found);
      if (status === 401 && (await isEngine(fetcher, url, signal))) {
        const shown = access.bearer === undefined ? 'give a token of it' : 'its token was not accepted';
        throw new TargetError(
          'refused',
          `401: this is an engine: ${shown} (\`vigie token add --role view\` there makes one)`,
        );
      }
      if (isNoAnswer(found)) throw found;
      return null;
    }
    const { value: status } = found as { value: Status };
    checkVersion(status.api);
    if (status.engine.id === access.engineId) throw new TargetError('refused', SELF);
    const { value: nodes, bytes } = await askFor(fetcher, url, '/api/v1/nodes', NodeList, signal);
    const metrics = new Map<string, { -readonly [K in keyof ProbedMetric]: ProbedMetric[K] }>();
    for (const { scope } of nodes.nodes.slice(0, 1)) {
      const path = `/api/v1/series?scope=${encodeURIComponent(scope)}`;
      const { value } = await askFor(fetcher, url, path, SeriesList, signal);
      for (const { name, kind, doc } of value.series) {
        const { family } = parseMetric(name);
        const known = metrics.get(family);
        if (known) known.series++;
        else metrics.set(family, { name: family, kind, help: doc.slice(0, 256), series: 1 });
      }
    }
    const duration = performance.now() - begun;
    return { type: 'vigie', url, series: status.series, bytes, duration, metrics: [...metrics.values()] };
  } finally {
    fetcher.close();
  }
}

/** Only its health is told to everybody. */
async function isEngine(fetcher: Fetcher, url: TargetUrl, signal: AbortSignal): Promise<boolean> {
  let text = '';
  const reader = {
    accept: 'text/plain',
    begin: () => undefined,
    chunk: (bytes: Buffer) => void (text += bytes.toString('latin1', 0, 64)),
  };
  try {
    await fetcher.get(withPath(url, '/healthz'), reader, signal);
    return text === 'ok\n';
  } catch (error) {
    signal.throwIfAborted();
    return statusOf(error) === 503;
  }
}

export const vigie: TargetType = {
  name: 'vigie',
  probe,
  open: (spec, host) => new Session(spec, host),
};
