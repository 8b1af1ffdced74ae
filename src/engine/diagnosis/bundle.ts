/** The support bundle: all that somebody who helps needs to know, and nobody's names. */

import { isIP } from 'node:net';
import { arch, availableParallelism, freemem, hostname, release, totalmem, type } from 'node:os';
import { z } from 'zod';
import type { Bundle, BundleLogLine, Diagnosis } from '../../shared/api/diagnosis.ts';
import type { RangeResult } from '../../shared/api/query.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { Status } from '../../shared/api/status.ts';
import { formatDuration } from '../../shared/duration.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { Config } from '../config.ts';
import { VERSION } from '../version.ts';
import { ownUser } from './owners.ts';
import { Pseudonyms } from './pseudonyms.ts';

const NOTICE =
  'Names of users, hosts, jobs, commands, clusters and paths are replaced by pseudonyms; tokens are left out. ' +
  'This is text: look through it before you send it.';

export interface BundleParts {
  readonly madeBy: Bundle['made_by'];
  readonly time: number;
  readonly config: Config;
  readonly status: Status | null;
  readonly diagnosis: Diagnosis;
  /** Runs whose names may stand anywhere. */
  readonly runs: readonly Run[];
  /** JSON lines of the log, oldest first. */
  readonly log: readonly string[];
  /** The engine's own figures, of its node. */
  readonly metrics: RangeResult | null;
  /** Must never be in it. */
  readonly secrets: readonly string[];
  /** Further names that are known here, of tokens; and paths. */
  readonly names?: readonly string[];
  readonly paths?: readonly string[];
}

export function makeBundle(parts: BundleParts): Bundle {
  const lines = parts.log.flatMap(parseLine);
  const names = namesOf(parts, lines);
  names.keepThoseIn(textsIn([parts.status, parts.diagnosis, lines, parts.config, type(), release()]));
  const clean = <T>(value: T): T => names.value(withoutSecrets(value, parts.secrets));
  return {
    format: 'vigie-bundle/1',
    time: parts.time,
    made_by: parts.madeBy,
    version: VERSION,
    notice: NOTICE,
    machine: {
      system: clean(`${type()} ${release()}`),
      architecture: arch(),
      node: process.versions.node,
      cores: availableParallelism(),
      memory: totalmem(),
      memory_free: freemem(),
    },
    status: parts.status && cleanStatus(parts.status, clean),
    diagnosis: {
      ...parts.diagnosis,
      checks: parts.diagnosis.checks.map((check) => ({
        ...check,
        found: clean(check.found),
        advice: check.advice === null ? null : clean(check.advice),
      })),
    },
    configuration: describeConfig(parts.config, clean),
    log: lines.map((line) => ({ time: line.time, level: levelName(line.level), text: clean(textOf(line)) })),
    metrics: parts.metrics && ownFigures(parts.metrics),
  };
}

function namesOf(
  { config, status, runs, names: others = [], paths = [] }: BundleParts,
  lines: readonly LogLine[],
): Pseudonyms {
  const names = new Pseudonyms();
  for (const host of [config.host, hostname(), status?.engine.host, ...config.allowHosts])
    if (host) names.addHost(host);
  for (const { url } of status?.remote_write ?? []) {
    const { hostname: destination } = new URL(url);
    // An address is found by its shape.
    if (isIP(destination.replace(/[[\]]/g, '')) === 0) names.addHost(destination);
  }
  for (const { jobid, command, partition, cluster, run_dir, nodelist, nodes, id } of runs) {
    names.add('job', jobid);
    names.add('run', id);
    names.add('command', command);
    names.add('partition', partition);
    names.add('cluster', cluster);
    names.add('path', run_dir);
    for (const node of nodes) names.addHost(node);
    names.add('host', nodelist);
    for (const node of nodelist.split(/[\s,]+/)) names.addHost(node);
  }
  for (const line of lines) {
    names.add('job', line.jobid);
    names.add('run', line.run);
  }
  for (const name of others) names.add('name', name);
  const user = ownUser();
  for (const name of [user.name, process.env['USER'], process.env['LOGNAME'], process.env['SUDO_USER']]) {
    names.add('user', name);
  }
  const { engine } = status ?? {};
  const known = [config.data, config.socket, config.legacySocket, config.tokenFile, user.home, process.env['HOME']];
  for (const path of [...known, engine?.data, engine?.socket, engine?.legacy_socket, ...paths]) {
    // Short ones, such as `/`, would stand in every other path.
    if (path && path.length > 4) names.add('path', path);
  }
  return names;
}

/** All texts in a value, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function withoutSecrets<T>(value: T, secrets: readonly string[]): T {
  if (typeof value === 'string') {
    return secrets.reduce<string>((text, secret) => text.replaceAll(secret, 'SECRET'), value) as T;
  }
  if (Array.isArray(value)) return value.map((each: unknown) => withoutSecrets(each, secrets)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withoutSecrets<unknown>(each, secrets)]),
  ) as T;
}

/** Words of the engine itself stay as they are: a job called `memory` must not change what kind the store is. */
function cleanStatus(status: Status, clean: <T>(value: T) => T): Record<string, unknown> {
  const { engine, store, warnings, name, version, period, ...figures } = status;
  const { id: _, ...place } = engine;
  return {
    ...{ name, version, period },
    ...figures,
    engine: clean(place),
    store: { ...store, error: store.error === null ? null : clean(store.error) },
    warnings: clean(warnings),
  };
}

function describeConfig(config: Config, clean: <T>(value: T) => T): Record<string, unknown> {
  const { listen } = config;
  return {
    listen: listen.kind === 'tcp' ? { ...listen, host: clean(listen.host) } : { kind: listen.kind },
    data: config.data === null ? null : clean(config.data),
    socket: clean(config.socket),
    legacy_socket: config.legacySocket === null ? null : clean(config.legacySocket),
    period: formatDuration(config.periodMs),
    grace: formatDuration(config.graceMs),
    compat: config.compat,
    compat_networks: config.compatNetworks.length,
    node: config.node,
    allow_hosts: config.allowHosts.length,
    merge_rules: config.merge.size,
    max_series: config.maxSeries,
    limits: config.limits,
    targets: config.targets.length,
    target_limits: config.targetLimits,
    log_level: config.logLevel,
  };
}

/** What is known of a line; whatever else stands in it is left out. */
const LogLine = z.object({
  time: z.number(),
  level: z.number(),
  msg: z.string().default(''),
  jobid: z.string().optional(),
  run: z.string().optional(),
  err: z.object({ message: z.string().default(''), stack: z.string().default('') }).optional(),
});
type LogLine = z.output<typeof LogLine>;

function parseLine(text: string): LogLine[] {
  try {
    return [LogLine.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}

const LEVELS: readonly (readonly [from: number, name: string])[] = [
  [60, 'fatal'],
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [20, 'debug'],
];
const levelName = (level: number): BundleLogLine['level'] => LEVELS.find(([from]) => level >= from)?.[1] ?? 'trace';

const textOf = ({ msg, jobid, err }: LogLine): string =>
  [msg, jobid === undefined ? '' : `(job ${jobid})`, err ? err.stack || err.message : '']
    .filter((part) => part !== '')
    .join(' ');

/** Labels of the engine's own figures; others could hold what a client said. */
const OWN_LABELS: ReadonlySet<string> = new Set(['reason', 'source']);

export function isOwnFigure(name: string): boolean {
  const { family, labels } = parseMetric(name);
  return family.startsWith('vigie_') && labels.every(([label]) => OWN_LABELS.has(label));
}

/** Not its scope: that has the host's name. */
function ownFigures({ from, to, step, times, series }: RangeResult): NonNullable<Bundle['metrics']> {
  return { from, to, step, times, series: series.filter(({ key }) => isOwnFigure(key)) };
}
