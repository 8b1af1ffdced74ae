/** From what is asked for to scopes, spans, and how much it will be. */

import { EXPORT_FORMATS, type ExportResolution } from '../../../shared/api/exports.ts';
import { ApiError } from '../../../shared/errors.ts';
import { hostScope, rankScope, scopeKind } from '../../../shared/model/scope.ts';
import { collectOld, collectYoung } from '../../garbage.ts';
import type { ExportJob, ExportScope, ExportSeries, Piece, PlannedSize } from './job.ts';
import type { ExportOptions } from './messages.ts';
import { isMeasured } from './measured.ts';
import { bucketPieces, samplePieces, ScopeSeries, Wanted } from './pieces.ts';
import type { SampleSource } from './source.ts';

/** Scopes of one export; the ranks of what is more are left out. */
const MOST_SCOPES = 20_000;
export const WIDTH = { raw: 0, '1m': 60_000, '1h': 3_600_000 } as const;
/** Values, some 2 MB of columns. */
const COLLECT_EVERY = 100_000;
/** A piece is read as a whole, however few of its series are asked for. */
const LEAST_CELLS = 50_000;
/** Of these times all is collected: a block lives through one or two, and would stay until the heap is large. */
const COLLECT_OLD_EVERY = 4;

interface Planned extends ExportScope {
  readonly rows: number;
  readonly series: number;
  readonly width: number;
}

/** What is exported, and how far that is. */
export interface Plan {
  readonly job: ExportJob;
  readonly progress: { done: number };
}

/** Throws ApiError. `turn`: other messages are looked at; throws when the export is to end. */
export async function makePlan(options: ExportOptions, source: SampleSource, turn: () => Promise<void>): Promise<Plan> {
  const { query, runs, now } = options;
  const { of } = EXPORT_FORMATS[query.format];
  const asked = new Wanted(query.series, query.select);
  const notes: string[] = [];
  if (query.format === 'extrap' && !runs.some(isMeasured)) {
    throw new ApiError(
      'bad_request',
      'Extra-P needs runs that have finished and whose size is known: none of these has',
    );
  }
  const scopes = of === 'samples' ? await findScopes(options, source, asked, notes, turn) : [];
  const resolution = query.resolution ?? finest(scopes);
  const width = WIDTH[resolution];
  if (resolution === 'raw' && scopes.some((scope) => scope.width > 0)) {
    notes.push('some samples are no longer kept; with resolution=1m or 1h there is more');
  }
  const samplesOf = ({ rows, series, from, to }: Planned): number =>
    Math.round((width === 0 ? rows : (to - from) / width + 1) * series);
  const samples = of === 'samples' ? scopes.reduce((sum, scope) => sum + samplesOf(scope), 0) : runs.length;
  const estimate: PlannedSize = {
    ...{ runs: runs.length, scopes: scopes.length, samples, notes },
    series: scopes.reduce((sum, { series }) => sum + series, 0),
    from: least(of === 'samples' ? scopes.map(({ from }) => from) : runs.map((run) => run.start_time)),
    to: most(of === 'samples' ? scopes.map(({ to }) => to) : runs.map((run) => run.end_time || now)),
    resolution: of === 'samples' ? resolution : null,
  };
  const progress = { done: 0 };
  let [read, collected] = [0, 0];
  async function* pieces(
    these: readonly ExportScope[] = scopes,
    wanted?: (series: ExportSeries) => boolean,
  ): AsyncGenerator<Piece> {
    for (const scope of these) {
      const some =
        width === 0 ? samplePieces(source, scope, asked, wanted) : bucketPieces(source, scope, asked, width, wanted);
      for await (const piece of some) {
        yield piece;
        const cells = piece.times.length * piece.series.length;
        progress.done += cells;
        read += Math.max(LEAST_CELLS, cells);
        if (read > COLLECT_EVERY) {
          if (++collected % COLLECT_OLD_EVERY === 0) collectOld();
          else collectYoung();
          read = 0;
        }
        await turn();
      }
    }
  }
  const rows = new Map(scopes.map((scope) => [scope.number, samplesOf(scope) / Math.max(1, scope.series)]));
  const job: ExportJob = {
    ...{ runs, scopes, resolution, estimate, now, engine: options.engine },
    async profile(run) {
      await turn();
      return source.profile(run.id);
    },
    pieces,
    async series(scope) {
      await turn();
      const all = new ScopeSeries(scope, asked);
      const found = (await source.series(scope.scope)).flat().map((def) => all.of(def));
      return [...new Map(found.flatMap((one) => (one ? [[one.key, one] as const] : []))).values()];
    },
    async range(wanted) {
      await turn();
      return source.range(wanted);
    },
    rows: (scope) => rows.get(scope.number) ?? 0,
    count: (runsDone) => void (progress.done += runsDone),
  };
  return { job, progress };
}

const least = (times: readonly number[]): number | null =>
  times.reduce<number | null>((a, b) => Math.min(a ?? b, b), null);
const most = (times: readonly number[]): number | null =>
  times.reduce<number | null>((a, b) => Math.max(a ?? b, b), null);

function finest(scopes: readonly Planned[]): ExportResolution {
  const width = scopes.reduce((widest, scope) => Math.max(widest, scope.width), 0);
  return width > WIDTH['1m'] ? '1h' : width > 0 ? '1m' : 'raw';
}

async function findScopes(
  { query, runs, live, now }: ExportOptions,
  source: SampleSource,
  asked: Wanted,
  notes: string[],
  turn: () => Promise<void>,
): Promise<Planned[]> {
  const scopes: Planned[] = [];
  let left = 0;
  const add = async (
    scope: Omit<ExportScope, 'number' | 'from' | 'to'>,
    from: number,
    to: number,
  ): Promise<boolean> => {
    await turn();
    if (scopes.length >= MOST_SCOPES) {
      left++;
      return true;
    }
    const extent = await source.extent(scope.scope, from, to);
    if (!extent) return false;
    const planned = { ...scope, number: scopes.length, from: extent.from, to: extent.to };
    const series = new ScopeSeries(planned, asked);
    const keys = new Set<string>();
    for (const def of (await source.series(scope.scope)).flat()) {
      const one = series.of(def);
      if (one) keys.add(one.key);
    }
    if (keys.size === 0) return true;
    scopes.push({ ...planned, rows: extent.rows, width: extent.width, series: keys.size });
    return true;
  };
  const [from, to] = [query.from ?? 0, query.to ?? Number.MAX_SAFE_INTEGER];
  for (const run of runs) {
    const node = run.nodes.length === 1 ? run.nodes[0]! : '';
    const there = await add({ scope: run.scope, run, rank: null, node }, from, to);
    if (!there) notes.push(`of ${run.jobid} (run ${run.id}) no values over time are kept, only its profile`);
    if (query.ranks !== false && scopeKind(run.scope) === 'run') {
      const hosts = new Map((await source.profile(run.id))?.ranks.map((one) => [one.rank, one.node]));
      for (const rank of await source.ranks(run.id)) {
        await add({ scope: rankScope(run.id, rank), run, rank, node: hosts.get(rank) ?? '' }, from, to);
      }
    }
    if (query.nodes !== true) continue;
    const end = live.includes(run.id) ? now : run.end_time;
    for (const host of run.nodes) {
      const span = [Math.max(from, run.start_time), Math.min(to, end)] as const;
      await add({ scope: hostScope(run.scope, host), run, rank: null, node: host }, ...span);
    }
  }
  for (const scope of query.scope) {
    const node = scope.startsWith('node/') ? scope.slice('node/'.length) : '';
    if (await add({ scope, run: null, rank: null, node }, from, to)) continue;
    if ((await source.series(scope)).length > 0) continue;
    throw new ApiError(
      'scope_not_found',
      `nothing is stored of ${scope}; /api/v1/runs and /api/v1/nodes list what there is`,
    );
  }
  if (left > 0) notes.push(`${left} scopes are left out: one file has at most ${MOST_SCOPES}`);
  return scopes;
}
