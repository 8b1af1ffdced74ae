import { Command, InvalidArgumentError } from 'commander';
import { Pusher } from '../../client/pusher.ts';
import { refuseJobid } from '../../shared/model/job.ts';
import { refuseMetricName } from '../../shared/model/metric.ts';
import { defaultSocket } from '../default-socket.ts';

interface PushFlags {
  job: string;
  command: string;
  size: number;
  gauge?: boolean;
  socket?: string;
  doc: string;
}

interface Value {
  readonly name: string;
  readonly value: number;
}

/** `NAME=VALUE`; the name may have labels, so the last `=` counts. */
function parseValue(text: string): Value {
  const at = text.lastIndexOf('=');
  const name = text.slice(0, at);
  const value = Number(text.slice(at + 1));
  if (at <= 0 || text.slice(at + 1).trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError('expected NAME=VALUE with a number, such as steps=1');
  }
  const refused = refuseMetricName(name);
  if (refused) throw new InvalidArgumentError(`the metric name is not accepted (${refused})`);
  return { name, value };
}

function parseJobid(text: string): string {
  const refused = refuseJobid(text);
  if (refused) throw new InvalidArgumentError(`the job id is not accepted (${refused})`);
  return text;
}

function parseSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) throw new InvalidArgumentError('expected a whole number from 1 on');
  return size;
}

async function push(values: readonly Value[], flags: PushFlags): Promise<void> {
  if (!flags.gauge) {
    const negative = values.find((v) => v.value < 0);
    if (negative) throw new Error(`${negative.name}: a counter only grows; use --gauge for values that fall`);
  }
  const pusher = await Pusher.connect(flags.socket ?? defaultSocket());
  pusher.job({ jobid: flags.job, command: flags.command, size: flags.size, run_dir: process.cwd() });
  for (const { name, value } of values) {
    if (flags.gauge) {
      pusher.describeGauge(name, flags.doc);
      pusher.set(name, value);
    } else {
      pusher.describeCounter(name, flags.doc);
      pusher.increase(name, value);
    }
  }
  await pusher.close();
}

/** `vigie push`: one client that tells a few values and leaves. */
export function pushCommand(): Command {
  return new Command('push')
    .description('push values to the engine, as one rank of a job')
    .argument(
      '<NAME=VALUE...>',
      'counters and how much they grew, such as steps=1 or bytes{dir="in"}=4096',
      (text, all: Value[] | undefined) => [...(all ?? []), parseValue(text)],
    )
    .requiredOption('--job <id>', 'the job the values belong to', parseJobid)
    .option('--gauge', 'the values are gauges, not increases of counters')
    .option('--command <text>', 'what the job runs, for people', 'vigie push')
    .option('--size <n>', 'number of ranks of the job', parseSize, 1)
    .option('--doc <text>', 'what the metric means', '')
    .option('--socket <path>', "the engine's socket (default $VIGIE_SOCKET, then the usual places)")
    .action((values: Value[], flags: PushFlags) => push(values, flags));
}
