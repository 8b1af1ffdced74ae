import { Bundle, Diagnosis } from '../../../shared/api/diagnosis.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { EngineContext } from '../../context.ts';
import { isOwnFigure, makeBundle } from '../../diagnosis/bundle.ts';
import { diagnose, inTime } from '../../diagnosis/doctor.ts';
import type { RecentLog } from '../../diagnosis/recent-log.ts';
import type { App } from '../app.ts';

/** The figures of a bundle go back so far, in ms, in so many steps. */
const HISTORY = 3_600_000;
const POINTS = 120;
/** Ended runs whose names are looked for in a bundle's texts. */
const RUNS = 1000;

/** A store on a disk that hangs is not waited for, in ms. */
const STORE_WITHIN = 5000;

/** What the support bundle is made of, beside the engine. */
export interface Support {
  readonly log: RecentLog;
  readonly token: string;
}

export function registerDiagnosis(
  app: App,
  engine: EngineContext,
  given: { page: string | null } & Partial<Support>,
): void {
  const examine = shared((): Promise<Diagnosis> => {
    const { config } = engine;
    const { data, tokenFile } = config;
    const none = { tried: [], clockOffset: null };
    return diagnose({ config, status: engine.status(), data, tokenFile, page: given.page, inside: true, ...none }, () =>
      engine.now(),
    );
  });

  const diagnosis = { summary: 'What is wrong with the engine and its machine', response: { 200: Diagnosis } };
  app.get('/diagnosis', { schema: diagnosis }, examine);

  const bundle = { summary: 'The support bundle, without names and secrets', response: { 200: Bundle } };
  const make = shared(async (): Promise<Bundle> => {
    const time = engine.now();
    const [found, ended, metrics] = await Promise.all([examine(), endedRuns(engine), figures(engine, time)]);
    return makeBundle({
      madeBy: 'engine',
      time,
      config: engine.config,
      status: engine.status(),
      diagnosis: found,
      runs: [...[...engine.runs.live.values()].map((run) => run.describe()), ...ended],
      log: given.log?.lines ?? [],
      metrics,
      secrets: given.token === undefined ? [] : [given.token],
      names: [...engine.tokens.list().map(({ name }) => name), ...targetNames(engine)],
      paths: given.page === null ? [] : [given.page],
    });
  });
  app.get('/bundle', { schema: bundle }, make);
}

/** Hosts of targets, and places that have some: warnings and the log tell of them. */
function targetNames(engine: EngineContext): string[] {
  const names = new Set(engine.discoveries().map(({ name }) => name));
  for (const { record } of engine.targets.entries()) {
    names.add(record.url);
    if (URL.canParse(record.url)) names.add(new URL(record.url).hostname);
  }
  return [...names].filter((name) => name !== '' && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(name));
}

/** Who asks while one is being made gets that one: it is work, and nobody needs it twice. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | null = null;
  return () => {
    making ??= make().finally(() => {
      making = null;
    });
    return making;
  };
}

/** A store that does not answer is no reason to have no bundle: then it is wanted most. */
async function endedRuns({ store }: EngineContext): Promise<Run[]> {
  try {
    return (await inTime(store.runs({ limit: RUNS, state: 'ended' }), STORE_WITHIN)).runs;
  } catch {
    return [];
  }
}

async function figures({ store, node }: EngineContext, to: number): ReturnType<EngineContext['store']['query']> {
  const own = [...node.defs('counter', 0, node.counterCount), ...node.defs('gauge', 0, node.gaugeCount)];
  const series = own.map(({ name }) => name).filter(isOwnFigure);
  try {
    const asked = { scope: node.id, series, from: to - HISTORY, to, maxPoints: POINTS };
    return await inTime(store.query(asked), STORE_WITHIN);
  } catch {
    return null;
  }
}
