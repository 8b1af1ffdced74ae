import { Command, InvalidArgumentError, Option } from 'commander';
import type { EngineClient } from '../../client/http.ts';
import { EngineError } from '../../client/http.ts';
import { EXPORT_FORMATS, ExportFormat, ExportResolution, ExportState } from '../../shared/api/exports.ts';
import { parseDuration } from '../../shared/duration.ts';
import { clientEngine, type ClientEngineFlags } from '../client-engine.ts';
import { toStandardOutput, WholeFile } from '../export-file.ts';
import { Progress, stopped } from '../store-progress.ts';

interface ExportFlags extends ClientEngineFlags {
  readonly format?: ExportFormat;
  readonly output?: string;
  readonly from?: number;
  readonly to?: number;
  readonly series?: string[];
  readonly select?: string[];
  readonly resolution?: ExportResolution;
  readonly ranks: boolean;
  readonly nodes?: boolean;
}

/** Between two looks at how far it is, ms. */
const LOOK_EVERY = 500;

/** `2h` ago, or a time as ISO 8601 has it; without a zone it is UTC, as in the files. */
function parseTime(text: string): number {
  const ago = parseDuration(text);
  if (ago !== null) return Math.max(0, Date.now() - ago);
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const time = Date.parse(zoned);
  if (!(time >= 0)) throw new InvalidArgumentError('expected a time such as 2026-11-21T08:15:00Z, or how long ago: 2h');
  return time;
}

const many = (text: string, all: string[] | undefined): string[] => [...(all ?? []), text];

/** By `--format`, else by the end of the file's name. */
function formatOf({ format, output }: ExportFlags): ExportFormat {
  if (format !== undefined) return format;
  // Longer ends first: `.trace.json` is no JSON of ours.
  const byEnd = ExportFormat.options
    .toSorted((a, b) => EXPORT_FORMATS[b].extension.length - EXPORT_FORMATS[a].extension.length)
    .find((one) => output?.toLowerCase().endsWith(`.${EXPORT_FORMATS[one].extension}`));
  if (byEnd) return byEnd;
  const what =
    output === undefined
      ? 'which format? Say it with --format, or name a file with -o by one of these ends'
      : output === '-'
        ? 'which format? Standard output has no name that tells it: say it with --format'
        : `the end of ${output} names no format: end it in one of these, or say --format`;
  const formats = Object.entries(EXPORT_FORMATS).map(
    ([name, { extension, title }]) => `  ${`.${extension}`.padEnd(14)} --format ${name.padEnd(11)}  ${title}`,
  );
  throw new Error([`${what}:`, ...formats].join('\n'));
}

/** A run by its id, or the latest one of a job. */
async function runId(client: EngineClient, text: string): Promise<string> {
  try {
    return (await client.run(text)).id;
  } catch (error) {
    if (!(error instanceof EngineError) || error.status !== 404) throw error;
  }
  for (const state of ['live', 'ended'] as const) {
    const { runs } = await client.runs({ state, search: text.slice(0, 256) });
    const found = runs.find(({ jobid }) => jobid === text);
    if (found) return found.id;
  }
  throw new Error(`no run has the id ${text}, and no job; scopes have a slash, such as node/HOST`);
}

const short = (value: number): string => new Intl.NumberFormat('en', { notation: 'compact' }).format(value);

function bytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** power).toFixed(1))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** Tells how far it is, until it is over. */
function watch(client: EngineClient, id: string, progress: Progress): () => void {
  const look = async (): Promise<void> => {
    try {
      const answer = await client.json(`/exports/${encodeURIComponent(id)}`);
      const { done, total, bytes: written } = ExportState.parse(answer);
      const part = total > 0 ? `${Math.min(100, Math.floor((100 * done) / total))} %, ` : '';
      progress.say(`export: ${part}${short(done)} of about ${short(total)}, ${bytes(written)}`);
    } catch {
      // It goes on without being told of.
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}

/** What the engine says about why a file ended before its end. */
async function whyFailed(client: EngineClient, id: string, error: Error): Promise<Error> {
  try {
    const state = ExportState.parse(await client.json(`/exports/${encodeURIComponent(id)}`));
    if (state.state === 'cancelled') return new Error('the export was ended; nothing is left of it');
    return state.error === null ? error : new Error(`${state.error}; nothing is left of it`);
  } catch {
    return new Error(`the engine does not answer any more (${error.message}); nothing is left of the export`);
  }
}

async function exportThese(names: readonly string[], flags: ExportFlags): Promise<void> {
  const format = formatOf(flags);
  const { client } = await clientEngine(flags);
  const signal = stopped();
  const scopes = names.filter((name) => name.includes('/'));
  const runs: string[] = [];
  for (const name of names) if (!name.includes('/')) runs.push(await runId(client, name));
  const answer = await client.file(
    '/export',
    {
      ...{ format, run: runs, scope: scopes, from: flags.from, to: flags.to, series: flags.series },
      ...{ select: flags.select, resolution: flags.resolution, ranks: String(flags.ranks) },
      nodes: String(flags.nodes ?? false),
    },
    signal,
  );
  const header = (name: string): string => String(answer.headers[name] ?? '');
  for (const note of decodeURIComponent(header('x-vigie-notes')).split('\n')) {
    if (note !== '') console.error(`vigie: ${note}`);
  }
  const id = header('x-vigie-export');
  const progress = new Progress();
  const unwatch = watch(client, id, progress);
  try {
    if (flags.output === '-') return await toStandardOutput(answer, signal);
    const name = /filename="([A-Za-z0-9._-]+)"/.exec(header('content-disposition'))?.[1] ?? `vigie-export.${format}`;
    const file = new WholeFile(flags.output ?? name, flags.output === undefined);
    const written = await file.write(answer, signal);
    progress.end();
    console.error(`vigie: ${file.path}: ${bytes(written)}`);
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    // A stream that ended early; anything else is about the file.
    const early = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
    throw early ? await whyFailed(client, id, error as Error) : error;
  } finally {
    unwatch();
    progress.end();
    answer.destroy();
  }
}

/** `vigie export`: runs, or scopes over a time, as a file. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write runs, or what nodes did over a time, as a file for other programs')
    .argument('<RUN|SCOPE...>', 'ids of runs or jobs (the latest run of it); scopes, such as node/HOST')
    .addOption(new Option('--format <format>', 'without: by the end of the file name').choices(ExportFormat.options))
    .option('-o, --output <file>', 'where to; - is standard output (default: a name made of the run and its time)')
    .option('--from <time>', 'from this time on: 2026-11-21T08:15:00Z, or how long ago, such as 2h', parseTime)
    .option('--to <time>', 'up to this time', parseTime)
    .option('--series <key>', 'only this series; may stand many times', many)
    .option('--select <selector>', 'only series that match, such as node_cpu{mode=~"user|system"}', many)
    .addOption(
      new Option('--resolution <width>', 'samples, or buckets of a minute or an hour').choices(
        ExportResolution.options,
      ),
    )
    .option('--no-ranks', "without the runs' single ranks")
    .option('--nodes', 'with the nodes of the runs, as long as each lasted')
    .option('--socket <path>', "the engine's socket (default $VIGIE_SOCKET, then the usual places)")
    .option('--data <dir>', 'the engine that has its data in this directory')
    .option('--url <url>', 'an engine at this address instead, such as http://127.0.0.1:1337; needs a token')
    .option('--token-file <path>', 'file with the token for --url (default $VIGIE_TOKEN)')
    .action(exportThese);
}
