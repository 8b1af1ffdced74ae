/**
 * The Prometheus text format 0.0.4 and OpenMetrics 1.0.
 *
 * Names are the same in both, so that a query does not depend on which one a scraper negotiated: where OpenMetrics would
 * force a suffix on a counter, the counter is typed `unknown` instead. A gauge stands under its own name as its mean,
 * total / hits. A family that is no legal Prometheus name is spelled with underscores and keeps its real name in a label,
 * so two such families stay apart.
 */

import { escapeLabelValue, parseMetric } from '../../../shared/model/metric.ts';
import { exportedLabel, isLegalFamily, legalFamily, NAME_LABEL } from '../../../shared/model/prometheus-name.ts';
import type { Sample } from '../../live/merges.ts';
import { Body } from './body.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const NEWLINE = 0x0a;

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

/** Other control characters than a newline cannot be spelled in a text that scrapers read by the line. */
const escapeHelp = (text: string, open: boolean): string =>
  text
    // oxlint-disable-next-line no-control-regex -- exactly these
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .replace(open ? /[\\"\n]/g : /[\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

/** What is told of a series beside its value. */
export type Described = Pick<Sample, 'key' | 'family' | 'doc' | 'kind'>;

interface Line {
  /** Number of the series among those described. */
  readonly series: number;
  /** What stands before the value. */
  readonly text: string;
}

interface Family {
  readonly name: string;
  readonly doc: string;
  type: 'counter' | 'gauge' | 'unknown';
  readonly lines: Line[];
}

/**
 * All of an answer but the values, as bytes: family after family, each with its head, then what stands before each value.
 * Made once for a list of series, written with the values as often as they are asked for.
 */
export class ExpositionForm {
  readonly #bytes: Buffer;
  /** By line: where its head ends (where it begins if it is not its family's first), where its text ends, its series. */
  readonly #headEnds: Int32Array;
  readonly #ends: Int32Array;
  readonly #series: Int32Array;
  readonly #open: boolean;

  constructor(series: Iterable<Described>, open: boolean) {
    const families = familiesOf(series);
    const lines = [...families.values()].reduce((sum, family) => sum + family.lines.length, 0);
    this.#headEnds = new Int32Array(lines);
    this.#ends = new Int32Array(lines);
    this.#series = new Int32Array(lines);
    this.#open = open;
    const body = new Body(128 * lines);
    let line = 0;
    for (const family of families.values()) {
      body.text(headOf(family, families, open));
      for (const { series: number, text } of family.lines) {
        this.#headEnds[line] = body.length;
        body.text(text);
        this.#ends[line] = body.length;
        this.#series[line++] = number;
      }
    }
    this.#bytes = Buffer.from(body.bytes);
    body.release();
  }

  /** Bytes of an answer, about. */
  get size(): number {
    return this.#bytes.length + 16 * this.#ends.length + 16;
  }

  /** `value` of a series by its number; NaN: it is left out. */
  write(body: Body, value: (series: number) => number): void {
    let start = 0;
    /** The family's head; its end is 0 once it is written. */
    let [head, headStop] = [0, 0];
    for (let i = 0; i < this.#ends.length; i++) {
      const [headEnd, end] = [this.#headEnds[i]!, this.#ends[i]!];
      // A head stands before it: the first line of another family.
      if (headEnd > start) [head, headStop] = [start, headEnd];
      const number = value(this.#series[i]!);
      if (!Number.isNaN(number)) {
        if (headStop === 0 || head === start) body.copy(this.#bytes, start, end);
        else {
          body.copy(this.#bytes, head, headStop);
          body.copy(this.#bytes, headEnd, end);
        }
        headStop = 0;
        if (Number.isFinite(number)) body.number(number);
        else body.text(number > 0 ? '+Inf' : '-Inf');
        body.byte(NEWLINE);
      }
      start = end;
    }
    if (this.#open) body.text('# EOF\n');
  }
}

/** By name, in the order in which they come; of equal series the first one. */
function familiesOf(series: Iterable<Described>): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let number = -1;
  for (const { key, family: ownName, doc, kind } of series) {
    number++;
    const legal = isLegalFamily(ownName);
    const name = legal ? ownName : legalFamily(ownName);
    let family = families.get(name);
    if (!family) families.set(name, (family = { name, doc, type: kind, lines: [] }));
    // One family has one type: where a label tells a counter from a gauge, neither is claimed.
    if (family.type !== kind) family.type = 'unknown';
    const text = `${name}${labelsOf(key, legal ? null : ownName)} `;
    // A client can give a legal name the label that stands for an illegal one: the first one counts.
    if (seen.has(text)) continue;
    seen.add(text);
    family.lines.push({ series: number, text });
  }
  return families;
}

function labelsOf(key: string, ownName: string | null): string {
  const labels = new Map(parseMetric(key).labels.map(([label, text]) => [exportedLabel(label), text]));
  if (ownName !== null) labels.set(NAME_LABEL, ownName);
  if (labels.size === 0) return '';
  return `{${Array.from(labels, ([k, v]) => `${k}="${escapeLabelValue(v)}"`).join(',')}}`;
}

function headOf(family: Family, all: ReadonlyMap<string, Family>, open: boolean): string {
  let { name, type }: { name: string; type: string } = family;
  if (open && type === 'counter') {
    // OpenMetrics: the family is the name without `_total`; a counter without that suffix may not be called one.
    const base = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
    if (base !== '' && !all.has(base)) name = base;
    else type = 'unknown';
  }
  if (!open && type === 'unknown') type = 'untyped';
  const help = family.doc === '' ? '' : `# HELP ${name} ${escapeHelp(family.doc, open)}\n`;
  return `${help}# TYPE ${name} ${type}\n`;
}
