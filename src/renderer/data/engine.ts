import type { Status } from '../../shared/api/status.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { AlarmsModel } from './alarmsModel.ts';
import { createApi } from './api.ts';
import type { Api } from './api.ts';
import { ConnectionsModel, PromptsModel } from './connectionsModel.ts';
import { HistoryFill } from './historyFill.ts';
import { LiveClient } from './live.ts';
import { RangeLoader } from './ranges.ts';
import { RunsModel } from './runsModel.ts';
import { ScopeBuffer } from './scopeBuffer.ts';
import { openBrowserSocket } from './socket.ts';
import { TargetsModel } from './targetsModel.ts';

/** A buffer stays this long after its last reader, so that going back to a view shows its lines at once. */
const LINGER_MS = 15_000;

interface Held {
  readonly buffer: ScopeBuffer;
  readers: number;
  stop: () => void;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Everything the interface reads from one engine. */
export class Engine {
  readonly base: string;
  readonly api: Api;
  readonly live: LiveClient;
  readonly ranges: RangeLoader;
  readonly runs: RunsModel;
  readonly targets: TargetsModel;
  readonly alarms: AlarmsModel;
  /** These two are used of the engine that the page came from: it is the one that logs in. */
  readonly connections: ConnectionsModel;
  readonly prompts: PromptsModel;
  /** What it last said of itself. */
  status: Status | null = null;
  readonly #fill: HistoryFill;
  readonly #held = new Map<ScopeId, Held>();
  readonly #tickListeners = new Set<(scope: ScopeId) => void>();
  readonly #schemaListeners = new Set<(scope: ScopeId) => void>();

  constructor(base: string, token: () => string | null, onUnauthorized: () => void) {
    this.base = base;
    this.api = createApi({ base, token, onUnauthorized });
    this.live = new LiveClient({ open: () => openBrowserSocket(this.api.livePath), token });
    this.ranges = new RangeLoader({ query: (range, signal) => this.api.query(range, signal), now: () => Date.now() });
    this.runs = new RunsModel(this.api);
    this.targets = new TargetsModel(this.live);
    this.alarms = new AlarmsModel(this.live);
    this.connections = new ConnectionsModel(this.live);
    this.prompts = new PromptsModel(this.live);
    this.live.onRuns((runs, all) => this.runs.takeLive(runs, all));
    this.live.onStatus((status) => {
      this.status = status;
      this.runs.tick();
    });
    this.#fill = new HistoryFill({
      query: (range) => this.api.query(range),
      filled: ({ scope }) => this.#tellOf(this.#tickListeners, scope),
      told: ({ scope }) => this.#tellOf(this.#schemaListeners, scope),
    });
    let lost = false;
    this.live.onState((state) => {
      // What ended while the socket was away is only in the pages.
      if (state.phase === 'open' && lost) void this.runs.load();
      if (state.phase === 'open' || state.phase === 'waiting') lost = state.phase === 'waiting';
      if (state.phase === 'open') this.#fill.resume();
      else this.#fill.pause();
    });
  }

  start(): void {
    this.alarms.start();
    this.live.start();
    void this.runs.load();
  }

  close(): void {
    this.live.close();
    this.runs.close();
    this.targets.close();
    this.alarms.close();
    this.connections.close();
    this.prompts.close();
    this.#fill.drop();
    for (const held of this.#held.values()) if (held.timer) clearTimeout(held.timer);
  }

  /** A scope got a sample. */
  onTick(listener: (scope: ScopeId) => void): () => void {
    this.#tickListeners.add(listener);
    return () => this.#tickListeners.delete(listener);
  }

  /** A scope got series, went live, ended or failed. */
  onSchema(listener: (scope: ScopeId) => void): () => void {
    this.#schemaListeners.add(listener);
    return () => this.#schemaListeners.delete(listener);
  }

  /** The live samples of a scope, for as long as someone holds them. */
  hold(scope: ScopeId): { buffer: ScopeBuffer; release: () => void } {
    let held = this.#held.get(scope);
    if (!held) {
      held = this.#open(scope);
      this.#held.set(scope, held);
    }
    const mine = held;
    mine.readers++;
    if (mine.timer) clearTimeout(mine.timer);
    mine.timer = null;
    let released = false;
    return {
      buffer: mine.buffer,
      release: () => {
        if (released) return;
        released = true;
        if (--mine.readers > 0) return;
        mine.timer = setTimeout(() => {
          mine.stop();
          this.#fill.drop(mine.buffer);
          this.#held.delete(scope);
        }, LINGER_MS);
      },
    };
  }

  #tellOf(listeners: ReadonlySet<(scope: ScopeId) => void>, scope: ScopeId): void {
    for (const listener of listeners) listener(scope);
  }

  #open(scope: ScopeId): Held {
    const buffer = new ScopeBuffer(scope);
    const changed = (): void => {
      buffer.version++;
      this.#tellOf(this.#schemaListeners, scope);
    };
    const stop = this.live.subscribe(scope, {
      begin: () => buffer.begin(),
      schema: (series) => {
        buffer.addSeries(series);
        changed();
      },
      frame: (frame, fresh) => {
        buffer.addFrame(frame, fresh);
        if (fresh) this.#tellOf(this.#tickListeners, scope);
      },
      gap: (from, to) => {
        buffer.breakLine();
        this.#fill.add(buffer, from, to);
      },
      live: () => {
        buffer.live = true;
        changed();
      },
      end: () => {
        buffer.ended = true;
        changed();
      },
      error: (code, detail) => {
        buffer.error = code === 'scope_not_found' ? 'scope_not_found' : detail;
        changed();
      },
    });
    return { buffer, readers: 0, stop, timer: null };
  }
}
