import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { Pusher } from '../../client/pusher.ts';
import { parseDuration } from '../../shared/duration.ts';
import { refuseJobid } from '../../shared/model/job.ts';
import { refuseMetricName } from '../../shared/model/metric.ts';
import { confirmPushed } from '../confirm-pushed.ts';
import { defaultSocket } from '../default-socket.ts';

interface PushFlags {
  job: string;
  command: string;
  size: number;
  gauge?: boolean;
  socket?: string;
  doc: string;
  every?: number;
  count?: number;
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

function parseWhole(text: string): number {
  const whole = Number(text);
  if (!Number.isSafeInteger(whole) || whole < 1) throw new InvalidArgumentError('expected a whole number from 1 on');
  return whole;
}

/** Longer ones do not fit a timer. */
const MAX_EVERY = 86_400_000;

function parseEvery(text: string): number {
  const every = parseDuration(text);
  if (every === null || every < 1 || every > MAX_EVERY) {
    throw new InvalidArgumentError('expected a duration from 1ms to 1d, such as 1s or 250ms');
  }
  return every;
}

function send(pusher: Pusher, values: readonly Value[], gauge: boolean): void {
  for (const { name, value } of values) {
    if (gauge) pusher.set(name, value);
    else pusher.increase(name, value);
  }
}

/** Sends again at each interval until `count` times are full, the signal comes or the connection breaks. */
async function repeat(again: () => void, every: number, count: number, pusher: Pusher, stop: AbortSignal) {
  let due = performance.now();
  for (let sent = 1; sent < count; sent++) {
    // From when the one before was due: the time that sending takes must not add up.
    due += every;
    await delay(Math.max(0, due - performance.now()), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted || pusher.failure !== null) return;
    again();
  }
}

async function push(values: readonly Value[], flags: PushFlags): Promise<void> {
  const gauge = flags.gauge ?? false;
  if (!gauge) {
    const negative = values.find((v) => v.value < 0);
    if (negative) throw new Error(`${negative.name}: a counter only grows; use --gauge for values that fall`);
  }
  if (flags.count !== undefined && flags.every === undefined) {
    throw new Error('--count says how often to push: it needs --every, such as --every 1s');
  }
  const path = flags.socket ?? defaultSocket();
  const pusher = await Pusher.connect(path);
  const stop = new AbortController();
  if (flags.every !== undefined) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  }
  pusher.job({ jobid: flags.job, command: flags.command, size: flags.size, run_dir: process.cwd() });
  for (const { name } of values) {
    if (gauge) pusher.describeGauge(name, flags.doc);
    else pusher.describeCounter(name, flags.doc);
  }
  send(pusher, values, gauge);
  await confirmPushed(pusher, path, flags.job, new Set(values.map((v) => v.name)), gauge ? 'gauge' : 'counter');
  if (flags.every !== undefined) {
    await repeat(() => send(pusher, values, gauge), flags.every, flags.count ?? Infinity, pusher, stop.signal);
  }
  await pusher.close();
}

/** `vigie push`: one client that tells a few values, once or again and again, and leaves. */
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
    .option('--size <n>', 'number of ranks of the job', parseWhole, 1)
    .option('--doc <text>', 'what the metric means', '')
    .option('--every <duration>', 'push the same again at this interval, until --count or Ctrl-C', parseEvery)
    .option('--count <n>', 'with --every: how many times in all', parseWhole)
    .option('--socket <path>', "the engine's socket (default $VIGIE_SOCKET, then the usual places)")
    .action((values: Value[], flags: PushFlags) => push(values, flags));
}
