/**
 * A Prometheus configuration: its scrape_configs with static_configs, file_sd_configs and dns_sd_configs (SRV). The
 * scheme, path, interval, timeout, authorization and CA are taken over; all else is left out and named.
 */

import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import {
  MAX_TARGET_PERIOD,
  MIN_TARGET_PERIOD,
  MIN_TARGET_TIMEOUT,
  type TargetAuth,
  type TargetTls,
} from '../../../shared/api/targets.ts';
import { MOST_FOUND, type Discovery, type Findings, type Found } from './discovery.ts';
import { resolveSrv } from './dns-srv.ts';
import { readFileSd } from './file-sd.ts';
import { Group, parsePrometheusDuration, targetsOf, type GroupSettings } from './groups.ts';

const text = z.coerce.string();
const Job = z.looseObject({
  job_name: text,
  scrape_interval: text.optional(),
  scrape_timeout: text.optional(),
  metrics_path: text.optional(),
  scheme: z.enum(['http', 'https']).optional(),
  params: z.record(z.string(), z.array(text)).optional(),
  basic_auth: z
    .object({ username: text.default(''), password: text.optional(), password_file: text.optional() })
    .optional(),
  authorization: z
    .object({ type: text.default('Bearer'), credentials: text.optional(), credentials_file: text.optional() })
    .optional(),
  bearer_token: text.optional(),
  bearer_token_file: text.optional(),
  tls_config: z.looseObject({ ca_file: text.optional() }).optional(),
  static_configs: z.array(Group).default([]),
  file_sd_configs: z.array(z.looseObject({ files: z.array(text) })).default([]),
  dns_sd_configs: z.array(z.looseObject({ names: z.array(text), type: text.default('SRV') })).default([]),
});
type Job = z.infer<typeof Job>;
const Configuration = z.looseObject({
  global: z.looseObject({ scrape_interval: text.optional(), scrape_timeout: text.optional() }).nullish(),
  scrape_configs: z.array(Job).default([]),
});

const KNOWN = new Set(Object.keys(Job.shape));

/** Where a configuration may lead to. Text that somebody sent may lead nowhere: files here are the engine's owner's. */
interface Reach {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The targets of a configuration. Throws words for people when it is none, or has more than `most`. */
export async function readPrometheusConfig(content: string, reach: Reach | null, most = MOST_FOUND): Promise<Findings> {
  const { parse } = await import('yaml');
  const parsed = Configuration.safeParse(parse(content));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`this is no Prometheus configuration: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const notes: string[] = [];
  const targets: Found[] = [];
  const { global, scrape_configs: jobs } = parsed.data;
  for (const job of jobs) {
    const note = (what: string): void => void notes.push(`job ${job.job_name}: ${what}`);
    for (const key of Object.keys(job)) if (!KNOWN.has(key)) note(`${key} is left out`);
    const common = await settingsOf(job, global ?? {}, reach, note);
    if (common === null) continue;
    const groups = [...job.static_configs, ...(await lookedUp(job, reach, note))];
    for (const group of groups) targetsOf(group, common, notes, targets, most);
  }
  return { targets, notes };
}

async function settingsOf(
  job: Job,
  global: Pick<Job, 'scrape_interval' | 'scrape_timeout'>,
  reach: Reach | null,
  note: (what: string) => void,
): Promise<GroupSettings | null> {
  const period = within(job.scrape_interval ?? global.scrape_interval, MIN_TARGET_PERIOD, note) ?? 60_000;
  const asked = within(job.scrape_timeout ?? global.scrape_timeout, MIN_TARGET_TIMEOUT, note) ?? 10_000;
  const auth = await authOf(job, reach, note);
  if (auth === null) return null;
  const query = Object.entries(job.params ?? {}).flatMap(([name, values]) =>
    values.map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return {
    ...(job.scheme === undefined ? {} : { scheme: job.scheme }),
    ...(job.metrics_path === undefined ? {} : { path: job.metrics_path }),
    params: query.join('&'),
    settings: {
      period,
      timeout: Math.min(asked, period),
      labels: { job: job.job_name },
      auth,
      tls: tlsOf(job, reach, note),
    },
  };
}

function within(given: string | undefined, least: number, note: (what: string) => void): number | null {
  if (given === undefined) return null;
  const ms = parsePrometheusDuration(given);
  if (ms !== null && ms >= least && ms <= MAX_TARGET_PERIOD) return ms;
  note(`${given} cannot be used: it must be between ${least} ms and 1 h`);
  return null;
}

const inFolder = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

function tlsOf(job: Job, reach: Reach | null, note: (what: string) => void): TargetTls {
  const { ca_file: file, ...rest } = job.tls_config ?? {};
  for (const key of Object.keys(rest)) {
    note(
      key === 'insecure_skip_verify'
        ? 'insecure_skip_verify is left out: pin the certificate'
        : `tls_config.${key} is left out`,
    );
  }
  if (file === undefined) return {};
  return { ca_file: reach ? inFolder(reach.folder, file) : file };
}

/** Null: the job's targets cannot be asked without what is missing. */
async function authOf(job: Job, reach: Reach | null, note: (what: string) => void): Promise<TargetAuth | null> {
  const { basic_auth: basic, authorization: bearer } = job;
  const refuse = (file: string): null => {
    note(`left out: ${file} is read for the configuration file only; give the secret with the target`);
    return null;
  };
  if (basic) {
    const { username, password, password_file: file } = basic;
    if (file === undefined) return { kind: 'basic', username, password: password ?? '' };
    if (!reach) return refuse('password_file');
    try {
      return { kind: 'basic', username, password: (await readFile(inFolder(reach.folder, file), 'utf8')).trim() };
    } catch (error) {
      note(`left out: password_file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
  if (bearer && bearer.type.toLowerCase() !== 'bearer') {
    note(`left out: authorization of the type ${bearer.type} is not known here`);
    return null;
  }
  const token = bearer?.credentials ?? job.bearer_token;
  if (token !== undefined) return { kind: 'bearer', token };
  const path = bearer?.credentials_file ?? job.bearer_token_file;
  if (path === undefined) return { kind: 'none' };
  return reach ? { kind: 'bearer_file', path: inFolder(reach.folder, path) } : refuse('a file with a token');
}

async function lookedUp(job: Job, reach: Reach | null, note: (what: string) => void): Promise<Group[]> {
  const groups: Group[] = [];
  const places = job.file_sd_configs.length + job.dns_sd_configs.length;
  if (places > 0 && !reach) {
    note('file_sd_configs and dns_sd_configs are followed in the configuration file only');
    return groups;
  }
  for (const path of job.file_sd_configs.flatMap(({ files }) => files)) {
    const read = await readFileSd(inFolder(reach!.folder, path));
    groups.push(...read.groups);
    // Half of a list is not the list: what was known before stays.
    const [failure] = read.failures;
    if (failure) throw new Error(`job ${job.job_name}: ${failure.file}: ${failure.reason}`);
  }
  for (const { names, type } of job.dns_sd_configs) {
    if (type !== 'SRV') note(`dns_sd_configs of the type ${type} is left out`);
    else for (const name of names) groups.push({ targets: await resolveSrv(name, reach!.signal), labels: {} });
  }
  return groups;
}

/** The file is read anew at each look: what it refers to may have changed though it has not. */
export function prometheusConfig(path: string): Discovery {
  return {
    kind: 'prometheus',
    name: path,
    every: 10_000,
    look: async (signal) => readPrometheusConfig(await readFile(path, 'utf8'), { folder: dirname(path), signal }),
  };
}
