/** Options of the commands that run an engine, and how it is run: until a signal, closed in order. */

import { Option, type Command } from 'commander';
import { pino, type Logger } from 'pino';
import { resolveConfig, type Config, type SettingsInput } from '../engine/config.ts';
import { RecentLog } from '../engine/diagnosis/recent-log.ts';
import { startEngine, type Engine } from '../engine/engine.ts';
import { collectGarbage } from '../engine/garbage.ts';
import { fail } from './fail.ts';

export interface EngineFlags {
  listen?: string;
  socket?: string;
  legacySocket?: string;
  data?: string;
  memory?: boolean;
  period?: string;
  tokenFile?: string;
  config?: string;
  /** True without networks. */
  compat?: boolean | string;
  node: boolean;
  insecure?: boolean;
  grace?: string;
  maxSeries?: string;
  logLevel?: string;
}

export function addEngineOptions(command: Command): Command {
  return command
    .option('--listen <address>', '127.0.0.1:PORT (0 picks a free one), unix:PATH or off (default 127.0.0.1:1337)')
    .option(
      '--socket <path>',
      'socket for programs and the API (default /tmp/vigie-UID/engine.socket, or $VIGIE_SOCKET)',
    )
    .option(
      '--legacy-socket <path>',
      'socket for clients of the old proxy, or off (default /tmp/metric-proxy-UID.socket)',
    )
    .addOption(
      new Option('--data <dir>', 'where history is kept (default $XDG_DATA_HOME/vigie/HOST)').conflicts('memory'),
    )
    .option('--memory', 'keep everything in memory, nothing on disk')
    .option('--period <duration>', 'time between two samples (default 1s)')
    .option('--grace <duration>', 'how long a run without clients stays open (default 1s)')
    .option('--max-series <number>', 'series that live at once, in all (default 2000000)')
    .option('--token-file <path>', 'file with the access token, made if missing (default DATA/token)')
    .option('--config <path>', 'configuration file (YAML, the same names with _)')
    .option(
      '--compat [networks]',
      "no token on the old proxy's routes for programs on this machine, and in networks such as 10.1.0.0/16,…",
    )
    .option('--no-node', 'do not sample this node')
    .option('--insecure', 'allow --listen on addresses that others can reach')
    .addOption(new Option('--log-level <level>').choices(['fatal', 'error', 'warn', 'info', 'debug', 'trace']));
}

/** Only what is a setting: commands have flags of their own beside these. */
export function toSettings(flags: EngineFlags): SettingsInput {
  const settings = {
    listen: flags.listen,
    socket: flags.socket,
    legacy_socket: flags.legacySocket,
    data: flags.data,
    memory: flags.memory,
    period: flags.period,
    grace: flags.grace,
    max_series: flags.maxSeries,
    token_file: flags.tokenFile,
    compat: flags.compat,
    insecure: flags.insecure,
    log_level: flags.logLevel,
    // Only when asked for: the default must not overrule the configuration file.
    node: flags.node ? undefined : false,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Logs to stderr: lines for people on a terminal, JSON elsewhere. The last lines are kept, for the support bundle. */
async function makeLogger(config: Config, kept: RecentLog): Promise<Logger> {
  const options = { level: config.logLevel, base: null };
  const out = process.stderr.isTTY ? await prettyLog() : pino.destination({ dest: 2, sync: true });
  return pino(options, kept.beside(out));
}

async function prettyLog(): Promise<{ write(line: string): unknown }> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
}

/**
 * After a start, in ms, what only it needed is given back, some 5 MB: nobody waits for anything then, and an engine that
 * idles on a node of somebody's job allocates so little that the garbage collector would not look for it for hours.
 */
const COMPACT_AFTER = 3000;

/** Signals within this time, in ms, are one wish. */
const SAME_SIGNAL = 1500;

export interface RunOptions {
  /** The level of the log when neither a flag nor a configuration file is given. */
  readonly logLevel?: SettingsInput['log_level'];
  /** A terminal that closes ends the engine. */
  readonly hangup: boolean;
  /** Called once the engine takes clients. */
  readonly ready: (engine: Engine, config: Config) => void | Promise<void>;
}

/** Starts an engine and keeps it until SIGINT or SIGTERM. */
export async function runEngine(flags: EngineFlags, { logLevel, hangup, ready }: RunOptions): Promise<void> {
  const settings = toSettings(flags);
  if (logLevel !== undefined && !flags.config) settings.log_level ??= logLevel;
  const config = await resolveConfig(settings, process.env, flags.config ?? null);
  const recentLog = new RecentLog();
  const log = await makeLogger(config, recentLog);
  const engine = await startEngine(config, { log, recentLog });
  let closingSince: number | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (closingSince !== null) {
      // Another one later is somebody who cannot wait; at once, it is the same Ctrl-C: npm passes on what the terminal
      // has already sent to everybody.
      if (performance.now() - closingSince > SAME_SIGNAL) process.exit(130);
      return;
    }
    closingSince = performance.now();
    log.info(`${signal}: closing`);
    engine.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Node undoes the ignored SIGHUP that `nohup` passes on, so it is ignored here again.
  process.on('SIGHUP', hangup ? stop : () => undefined);
  await ready(engine, config);
  setTimeout(collectGarbage, COMPACT_AFTER).unref();
}
