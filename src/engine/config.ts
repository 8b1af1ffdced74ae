/**
 * One schema for everything that can be set. A value comes from the command line, else from the environment, else from
 * the configuration file, else from the defaults here.
 */

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir, hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { RetentionSettings, type Retention } from '../shared/api/store.ts';
import { Duration } from '../shared/duration.ts';
import { AlarmChannelSettings } from './alarms/notify/settings.ts';
import { DEFAULT_MAX_SERIES, LimitSettings, MaxSeries, type Limits } from './limits.ts';
import { MergeRule } from './live/merge.ts';
import { ON_DISK } from './store/keep.ts';
import { RemoteWriteSettings, type DestinationSettings } from './remote-write/settings.ts';
import { TargetLimitSettings, TargetSources, type TargetSource } from './targets/settings.ts';

export const DEFAULT_PORT = 1337;

/** An address, or a network such as `10.1.0.0/16`. */
function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128);
}

/** `true` for loopback alone, or the networks beside it. */
const Compat = z.union([
  z.boolean(),
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => (typeof given === 'string' ? given.split(',') : given).map((text) => text.trim()))
    .refine(
      (networks) => networks.length > 0 && networks.every(isNetwork),
      'expected networks such as 10.1.0.0/16, separated by commas',
    ),
]);

/** Settings as the file has them, all optional. */
const Settings = z.strictObject({
  /** `127.0.0.1:PORT`, `unix:PATH` or `off`. */
  listen: z.string(),
  socket: z.string().min(1),
  /** A path, or `off`. */
  legacy_socket: z.string().min(1),
  data: z.string().min(1),
  memory: z.boolean(),
  period: Duration,
  token_file: z.string().min(1),
  /** On the compatible routes no token, and GETs that change state, for clients on loopback and in these networks. */
  compat: Compat,
  /** Sample this node. */
  node: z.boolean(),
  insecure: z.boolean(),
  /** How long a run without clients stays open. */
  grace: Duration,
  /** Further host names the HTTP server answers to. */
  allow_hosts: z.array(z.string()),
  /** Merge rule by metric family. */
  merge: z.record(z.string(), MergeRule),
  /** Series that live at once, of all runs and the node. */
  max_series: MaxSeries,
  /** All other limits. */
  limits: LimitSettings,
  /** What the store keeps how long. */
  retention: RetentionSettings.partial(),
  /** Other stores that samples are sent to. */
  remote_write: RemoteWriteSettings,
  /** What numbers are pulled from, beside what is added by hand. */
  targets: TargetSources,
  target_limits: TargetLimitSettings,
  /** Where messages about alarms may go. */
  alarm_channels: AlarmChannelSettings,
  /** The file with the hosts that are reached by SSH, instead of `~/.ssh/config` and the system's (as `ssh -F`). */
  ssh_config: z.string().min(1),
  log_level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']),
});
export const SettingsFile = Settings.partial();
/** As written, durations as text. */
export type SettingsInput = z.input<typeof SettingsFile>;

export interface Config {
  readonly listen: Listen;
  readonly socket: string;
  /** The socket is at its default path: its private directory is made. */
  readonly socketIsDefault: boolean;
  readonly legacySocket: string | null;
  /** The legacy socket was asked for by name: then it is an error when it cannot be opened. */
  readonly legacyIsDefault: boolean;
  /** Directory of the store; null keeps everything in memory. */
  readonly data: string | null;
  readonly periodMs: number;
  readonly graceMs: number;
  readonly tokenFile: string;
  /** The compatible routes are open to clients on loopback. */
  readonly compat: boolean;
  /** And to those in these networks. */
  readonly compatNetworks: readonly string[];
  readonly node: boolean;
  readonly allowHosts: readonly string[];
  readonly merge: ReadonlyMap<string, MergeRule>;
  readonly maxSeries: number;
  readonly limits: Limits;
  readonly retention: Retention;
  readonly remoteWrite: readonly DestinationSettings[];
  readonly targets: readonly TargetSource[];
  readonly targetLimits: TargetLimitSettings;
  readonly alarmChannels: AlarmChannelSettings;
  /** Null: the user's and the system's. */
  readonly sshConfig: string | null;
  readonly logLevel: string;
  readonly host: string;
  readonly roots: { readonly proc: string; readonly sys: string };
}

export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly isDefault: boolean }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'off' };

/** A setting that cannot be used. The message names it and says what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** `flags` win over `env`, which wins over the file. */
export async function resolveConfig(
  flags: SettingsInput,
  env: NodeJS.ProcessEnv,
  file: string | null,
): Promise<Config> {
  const fromEnv: SettingsInput = env['VIGIE_SOCKET'] ? { socket: env['VIGIE_SOCKET'] } : {};
  const fromFile = file ? await readFile(file) : {};
  // One place for data: where the flags name one, the file's has no say.
  if (flags.data !== undefined) delete fromFile['memory'];
  if (flags.memory === true) delete fromFile['data'];
  const merged = { ...fromFile, ...fromEnv, ...withoutUndefined(flags) };
  const parsed = SettingsFile.safeParse(merged);
  if (!parsed.success) throw new ConfigError(explain(parsed.error));
  const s = parsed.data;
  const uid = process.getuid?.() ?? 0;
  const defaultSocket = join('/tmp', `vigie-${uid}`, 'engine.socket');
  // Others read it in engine.json and the status, from wherever they are.
  const socket = resolve(s.socket ?? defaultSocket);
  const data = s.memory ? null : resolve(s.data ?? defaultData(env));
  const period = s.period ?? 1000;
  const grace = s.grace ?? 1000;
  if (period < 10 || period > 3_600_000) throw new ConfigError('--period must be between 10ms and 1h');
  // A timer cannot wait for longer than 24 days: it would not wait at all.
  if (grace > 86_400_000) throw new ConfigError('--grace must be 1d at most');
  return {
    listen: parseListen(s.listen, s.insecure ?? false),
    socket,
    socketIsDefault: socket === defaultSocket,
    legacySocket:
      s.legacy_socket === 'off' ? null : resolve(s.legacy_socket ?? join('/tmp', `metric-proxy-${uid}.socket`)),
    legacyIsDefault: s.legacy_socket === undefined,
    data,
    periodMs: period,
    graceMs: grace,
    tokenFile: resolve(s.token_file ?? (data ? join(data, 'token') : join(socket, '..', 'token'))),
    compat: (s.compat ?? false) !== false,
    compatNetworks: Array.isArray(s.compat) ? s.compat : [],
    node: s.node ?? true,
    allowHosts: s.allow_hosts ?? [],
    merge: new Map(Object.entries(s.merge ?? {})),
    maxSeries: s.max_series ?? DEFAULT_MAX_SERIES,
    limits: s.limits ?? LimitSettings.parse({}),
    retention: Object.assign({}, ON_DISK, withoutUndefined(s.retention ?? {})),
    remoteWrite: s.remote_write ?? [],
    targets: s.targets ?? [],
    targetLimits: s.target_limits ?? TargetLimitSettings.parse({}),
    alarmChannels: s.alarm_channels ?? AlarmChannelSettings.parse({}),
    sshConfig: s.ssh_config === undefined ? null : resolve(s.ssh_config),
    logLevel: s.log_level ?? 'info',
    host: hostname(),
    roots: { proc: '/proc', sys: '/sys' },
  };
}

const withoutUndefined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;

/** Per host: home directories are shared between the nodes of a cluster, a store is not. */
function defaultData(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_DATA_HOME'] || join(homedir() || tmpdir(), '.local', 'share');
  return join(base, 'vigie', hostname());
}

async function readFile(path: string): Promise<Record<string, unknown>> {
  // Loaded when needed: most engines have no file.
  const { parse } = await import('yaml');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `the configuration file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    const value: unknown = parse(text) ?? {};
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new ConfigError(`${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new ConfigError(`${path} must be a YAML mapping, such as \`period: 1s\``);
}

function explain(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const where = issue.path.join('.');
      return where ? `${where}: ${issue.message}` : issue.message;
    })
    .join('; ');
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/;

export function parseListen(text: string | undefined, insecure: boolean): Listen {
  if (text === undefined) return { kind: 'tcp', host: '127.0.0.1', port: DEFAULT_PORT, isDefault: true };
  if (text === 'off') return { kind: 'off' };
  if (text.startsWith('unix:')) {
    if (text.length === 'unix:'.length) throw new ConfigError('--listen unix: needs a path');
    return { kind: 'unix', path: text.slice('unix:'.length) };
  }
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) throw new ConfigError(`--listen ${text}: expected 127.0.0.1:PORT, unix:PATH or off`);
  const host = match[1] ?? '127.0.0.1';
  if (!LOOPBACK.test(host) && !insecure) {
    throw new ConfigError(
      `--listen ${text} would send tokens and data in clear over the network; use 127.0.0.1 and a tunnel, or --insecure if the network is yours alone`,
    );
  }
  return { kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port, isDefault: false };
}
