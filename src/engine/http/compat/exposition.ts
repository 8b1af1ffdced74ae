/**
 * The Prometheus text format 0.0.4 and OpenMetrics 1.0. A pure function of the samples.
 *
 * Names are the same in both, so that a query does not depend on which one a scraper negotiated: where OpenMetrics would
 * force a suffix on a counter, the counter is typed `unknown` instead. A gauge stands under its own name as its mean,
 * total / hits. A family that is no legal Prometheus name is spelled with underscores and keeps its real name in a label,
 * so two such families stay apart.
 */

import { escapeLabelValue, parseMetric } from '../../../shared/model/metric.ts';
import { gaugeValue } from '../../../shared/model/values.ts';
import type { Sample } from '../../live/merges.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Label that carries a family that is not a legal name. */
const NAME_LABEL = 'vigie_name';
const LEGAL = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** The Accept header prefers OpenMetrics to plain text. Qualities are compared, a missing one is 1. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  let open = 0;
  let text = 0;
  for (const part of (accept ?? '').split(',')) {
    const [type, ...params] = part.split(';').map((p) => p.trim().toLowerCase());
    const q = params.map((p) => /^q=([\d.]+)$/.exec(p)?.[1]).find((v) => v !== undefined);
    const quality = q === undefined ? 1 : Number(q);
    if (type === 'application/openmetrics-text') open = Math.max(open, quality);
    if (type === 'text/plain') text = Math.max(text, quality);
  }
  return open > 0 && open >= text;
}

/** Labels with `__` are the scraper's own: with `__name__` a client would give its metric another one's name. */
const exported = (label: string): string => (label.startsWith('__') ? `exported${label}` : label);

interface Family {
  readonly name: string;
  readonly doc: string;
  type: 'counter' | 'gauge' | 'unknown';
  /** By what stands before the value. */
  readonly lines: Map<string, string>;
}

const number = (n: number): string => (Number.isFinite(n) ? String(n) : n > 0 ? '+Inf' : n < 0 ? '-Inf' : 'NaN');

/** Other control characters than a newline cannot be spelled in a text that scrapers read by the line. */
const escapeHelp = (text: string, open: boolean): string =>
  text
    // oxlint-disable-next-line no-control-regex -- exactly these
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .replace(open ? /[\\"\n]/g : /[\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

export function writeExposition(samples: Iterable<Sample>, open: boolean): string {
  const families = new Map<string, Family>();
  for (const sample of samples) {
    const value = sample.gauge ? gaugeValue(sample.gauge) : sample.counter;
    if (Number.isNaN(value)) continue; // a gauge that nobody has set
    const legal = LEGAL.test(sample.family);
    const name = legal ? sample.family : sanitize(sample.family);
    const labels = new Map(parseMetric(sample.key).labels.map(([label, text]) => [exported(label), text]));
    if (!legal) labels.set(NAME_LABEL, sample.family);
    const text =
      labels.size === 0 ? '' : `{${Array.from(labels, ([k, v]) => `${k}="${escapeLabelValue(v)}"`).join(',')}}`;
    let family = families.get(name);
    if (!family) families.set(name, (family = { name, doc: sample.doc, type: sample.kind, lines: new Map() }));
    // One family has one type: where a label tells a counter from a gauge, neither is claimed.
    if (family.type !== sample.kind) family.type = 'unknown';
    // A client can give a legal name the label that stands for an illegal one: the first one counts.
    const series = `${name}${text}`;
    if (!family.lines.has(series)) family.lines.set(series, `${series} ${number(value)}\n`);
  }
  let out = '';
  for (const family of families.values()) out += writeFamily(family, families, open);
  return open ? `${out}# EOF\n` : out;
}

function writeFamily(family: Family, all: ReadonlyMap<string, Family>, open: boolean): string {
  let { name, type }: { name: string; type: string } = family;
  if (open && type === 'counter') {
    // OpenMetrics: the family is the name without `_total`; a counter without that suffix may not be called one.
    const base = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
    if (base !== '' && !all.has(base)) name = base;
    else type = 'unknown';
  }
  if (!open && type === 'unknown') type = 'untyped';
  const help = family.doc === '' ? '' : `# HELP ${name} ${escapeHelp(family.doc, open)}\n`;
  return `${help}# TYPE ${name} ${type}\n${[...family.lines.values()].join('')}`;
}

function sanitize(name: string): string {
  const legal = name.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^[a-zA-Z_:]/.test(legal) ? legal : `_${legal}`;
}
