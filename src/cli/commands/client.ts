import { Command, InvalidArgumentError, Option } from 'commander';
import { clientEngine, type ClientEngineFlags } from '../client-engine.ts';
import { FORMATS, type Format } from '../client-format.ts';
import { parseNames, type WantedName } from '../client-names.ts';
import { addSearchOptions } from '../engine-search.ts';

interface ClientFlags extends ClientEngineFlags {
  list?: boolean;
  values?: boolean;
  get?: WantedName[];
  track?: boolean;
  trackList?: WantedName[];
  freq: number;
  format?: Format;
  output?: string;
}

const MAX_RATE = 100;
/** One a day: a timer takes no longer time than some weeks. */
const MIN_RATE = 1 / 86_400;

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate >= MIN_RATE && rate <= MAX_RATE)) {
    throw new InvalidArgumentError(`expected readings per second: at most ${MAX_RATE}, at least one a day`);
  }
  return rate;
}

function parseWanted(text: string): WantedName[] {
  const names = parseNames(text);
  if (names.length === 0) throw new InvalidArgumentError('expected names of metrics, separated by commas');
  return names;
}

async function client(flags: ClientFlags, command: Command): Promise<void> {
  const { list, values, get, track, trackList, freq: rate } = flags;
  const asked = [list, values, get, track, trackList].filter((flag) => flag !== undefined).length;
  if (asked !== 1) command.error('error: say what to read with one of -l, -v, -g, -t and -T');
  const engine = await clientEngine(flags);
  const file = flags.output ?? null;
  // Loaded when needed: an engine has no use for them.
  if (track || trackList) {
    const { trackValues } = await import('../client-track.ts');
    return trackValues(engine, { names: trackList ?? null, rate, format: flags.format ?? 'json', file });
  }
  const output = { format: flags.format ?? 'md', file };
  const { listMetrics, showValues } = await import('../client-show.ts');
  return list ? listMetrics(engine, output) : showValues(engine, get ?? null, output);
}

/** `vigie client`: metrics and values of the running engine, once or over time, as the old proxies' client has them. */
export function clientCommand(): Command {
  const command = new Command('client')
    .description('read metrics of the engine, once or over time')
    .option('-l, --list', 'list the metrics: name, description, type')
    .option('-v, --values', 'the values of all that are not 0, with the time of their last change')
    .option('-g, --get <names>', 'values of these metrics, separated by commas', parseWanted)
    .option('-t, --track', 'record all that are not 0 over time, on change, until Ctrl-C')
    .option('-T, --track-list <names>', 'record these over time', parseWanted)
    .option('-F, --freq <hz>', `with -t and -T: readings per second, up to ${MAX_RATE}`, parseRate, 10)
    .addOption(new Option('-f, --format <format>', 'default md, of a record json').choices([...FORMATS]))
    .option('-o, --output <file>', 'the file to write to (default standard output)')
    .option('-u, --unix <path>', 'the same as --socket')
    .addOption(
      new Option('--url <url>', "the engine's address, instead of a socket").conflicts(['unix', 'socket', 'data']),
    )
    .option('--token-file <path>', 'with --url: the file with its token (default: the token in $VIGIE_TOKEN)');
  return addSearchOptions(command).action(client);
}
