/**
 * The list as text: YAML as the configuration file has it under `targets:`, or Prometheus scrape_configs. Secrets are
 * in neither. Both, and the files of file_sd, are read back.
 */

import { NewTarget, type Target } from '../../shared/api/targets.ts';
import { parseFileSd } from './discovery/file-sd.ts';
import { targetsOf } from './discovery/groups.ts';
import { expandNodeSet } from './discovery/node-set.ts';
import { readPrometheusConfig } from './discovery/prometheus-config.ts';
import type { Findings, Found } from './discovery/discovery.ts';

const exported = (targets: Iterable<Target>): Target[] =>
  [...targets].filter(({ origin }) => origin.kind !== 'builtin');

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Only what is not the default. */
function plain(target: Target): Record<string, unknown> {
  const { url, type, period, timeout, labels, filter, merge, paused, tls, auth } = target;
  return {
    url,
    ...(type === null || type === 'system' ? {} : { type }),
    period,
    timeout,
    ...(isEmpty(labels) ? {} : { labels }),
    ...(filter.include.length + filter.exclude.length === 0 ? {} : { filter }),
    ...(isEmpty(merge) ? {} : { merge }),
    ...(paused ? { paused } : {}),
    ...(isEmpty(tls) ? {} : { tls }),
    ...(auth.kind === 'bearer_file' ? { auth: { kind: auth.kind, path: auth.name } } : {}),
  };
}

const secretNote = (targets: readonly Target[]): string => {
  const secret = targets.filter(({ auth }) => auth.kind === 'basic' || auth.kind === 'bearer').length;
  return secret === 0
    ? ''
    : `# ${secret} target(s) have a password or token that is not in this text: give it again.\n`;
};

export async function exportYaml(targets: Iterable<Target>): Promise<string> {
  const { stringify } = await import('yaml');
  const list = exported(targets);
  return `${secretNote(list)}${stringify({ targets: list.map(plain) }, { lineWidth: 0 })}`;
}

interface PrometheusJob {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly groups: Map<string, { readonly labels: object; readonly targets: string[] }>;
}

/** Targets with the same settings are one job. Only what Prometheus can scrape: the rest is named in a comment. */
export async function exportPrometheus(targets: Iterable<Target>): Promise<string> {
  const { stringify } = await import('yaml');
  const list = exported(targets);
  const jobs = new Map<string, PrometheusJob>();
  const left: { readonly url: string; readonly why: string }[] = [];
  for (const target of list) {
    const url = URL.canParse(target.url) ? new URL(target.url) : null;
    if (target.type !== 'prometheus' || !url || !/^https?:$/.test(url.protocol)) {
      const why = target.type === null ? 'not known yet what it is' : 'not Prometheus text over HTTP';
      left.push({ url: target.url, why });
      continue;
    }
    const { job = 'vigie', ...labels } = target.labels;
    const settings = {
      job_name: job,
      scheme: url.protocol.slice(0, -1),
      metrics_path: url.pathname,
      scrape_interval: prometheusDuration(target.period),
      scrape_timeout: prometheusDuration(target.timeout),
      ...(url.search === '' ? {} : { params: paramsOf(url) }),
      ...(target.tls.ca_file === undefined ? {} : { tls_config: { ca_file: target.tls.ca_file } }),
      ...(target.auth.kind === 'bearer_file' ? { authorization: { credentials_file: target.auth.name } } : {}),
    };
    const key = JSON.stringify(settings);
    const known: PrometheusJob = jobs.get(key) ?? { settings, groups: new Map() };
    jobs.set(key, known);
    const groupKey = JSON.stringify(labels);
    const group = known.groups.get(groupKey) ?? { labels, targets: [] };
    known.groups.set(groupKey, group);
    group.targets.push(url.host || url.hostname);
  }
  const names = new Map<string, number>();
  const scrape_configs = [...jobs.values()].map(({ settings, groups }) => {
    // Names of jobs are different in Prometheus.
    const name = String(settings['job_name']);
    const n = (names.get(name) ?? 0) + 1;
    names.set(name, n);
    const static_configs = [...groups.values()].map(({ labels, targets: hosts }) => ({
      targets: hosts,
      ...(isEmpty(labels) ? {} : { labels }),
    }));
    return { ...settings, job_name: n === 1 ? name : `${name}-${n}`, static_configs };
  });
  const notes = left.map(({ url, why }) => `# ${why}, left out: ${url}\n`).join('');
  return `${secretNote(list)}${notes}${stringify({ scrape_configs }, { lineWidth: 0 })}`;
}

/** Prometheus knows no fractions. */
const prometheusDuration = (text: string): string => {
  const parsed = NewTarget.shape.timeout.safeParse(text);
  if (/^\d+(ms|s|m|h)$/.test(text) || !parsed.success || parsed.data === undefined) return text;
  return `${Math.round(parsed.data)}ms`;
};

function paramsOf(url: URL): Record<string, string[]> {
  const params: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) (params[name] ??= []).push(value);
  return params;
}

/** Reads any of these texts. Throws words for people when it is none of them. */
export async function readTransfer(text: string, most: number): Promise<Findings> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new Error(`this is neither YAML nor JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (isObject(value) && 'scrape_configs' in value) return readPrometheusConfig(text, null, most);
  const list = isObject(value) && 'targets' in value && !Array.isArray(value) ? value['targets'] : value;
  if (!Array.isArray(list)) {
    throw new Error('expected a mapping with `targets:` or `scrape_configs:`, or a list as file_sd has it');
  }
  return isGroups(list) ? readGroups(text, most) : readList(list, most);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A list for file_sd: each entry has its own list. */
const isGroups = (list: readonly unknown[]): boolean =>
  list.length > 0 && list.every((one) => isObject(one) && Array.isArray(one['targets']));

async function readGroups(text: string, most: number): Promise<Findings> {
  const notes: string[] = [];
  const targets: Found[] = [];
  for (const group of await parseFileSd(text)) targetsOf(group, { settings: {} }, notes, targets, most);
  return { targets, notes };
}

function readList(list: readonly unknown[], most: number): Findings {
  const notes: string[] = [];
  const targets: Found[] = [];
  for (const [i, one] of list.entries()) {
    const parsed = NewTarget.safeParse(typeof one === 'string' ? { url: one } : one);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      notes.push(`entry ${i + 1}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.replace('  ', ' '));
      continue;
    }
    try {
      for (const url of expandNodeSet(parsed.data.url, most)) targets.push({ ...parsed.data, url });
    } catch (error) {
      notes.push(`entry ${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (targets.length > most) throw new Error(`these are more than ${most} targets`);
  }
  return { targets, notes };
}
