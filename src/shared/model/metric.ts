/**
 * Metric names as clients send them, labels included, for example
 * `mpi___hits___mpi_send` or `node_load1{mode="user"}`.
 *
 * A name is parsed once, when a series is registered. `{a="1",b="2"}` and `{b="2",a="1"}` are the same metric: both
 * have the same `key`. The spelling a client used stays with the series for the compatible endpoints.
 */

/** A label pair, name first. */
export type Label = readonly [name: string, value: string];

export interface ParsedMetric {
  /** The name without labels. */
  readonly family: string;
  /** Sorted by label name; names are unique. */
  readonly labels: readonly Label[];
  /** Canonical spelling: the family, then the sorted labels with escaped values. Equal keys mean the same metric. */
  readonly key: string;
}

/** Longest accepted metric name, labels included, in UTF-16 code units. */
export const MAX_METRIC_NAME = 1024;
/** Most labels on one metric. */
export const MAX_LABELS = 64;

const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Control characters and lone surrogates: they would break every text format that a name is written to. */
function hasForbiddenCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x7f) return true;
  }
  return !text.isWellFormed();
}

export type NameRefusal = 'name_empty' | 'name_too_long' | 'name_control_character' | 'name_too_many_labels';

/** Why a name is not accepted, or null. Anything not refused here is data, whatever it looks like. */
export function refuseMetricName(raw: string): NameRefusal | null {
  if (raw.length === 0) return 'name_empty';
  if (raw.length > MAX_METRIC_NAME) return 'name_too_long';
  if (hasForbiddenCharacter(raw)) return 'name_control_character';
  if (parseMetric(raw).labels.length > MAX_LABELS) return 'name_too_many_labels';
  return null;
}

/** Backslash escapes of the Prometheus text format for a label value. */
export function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}

/** Writes `family{a="1",b="2"}`; labels in the order given. */
export function formatMetric(family: string, labels: readonly Label[]): string {
  if (labels.length === 0) return family;
  return `${family}{${labels.map(([k, v]) => `${k}="${escapeLabelValue(v)}"`).join(',')}}`;
}

/**
 * Parses a name. A label part that is not well formed is not guessed at: the whole text is then the family, so that
 * nothing a client sends is lost or merged with something else.
 */
export function parseMetric(raw: string): ParsedMetric {
  const brace = raw.indexOf('{');
  if (brace <= 0) return { family: raw, labels: [], key: raw };
  const labels = parseLabels(raw, brace + 1);
  if (labels === null) return { family: raw, labels: [], key: raw };
  const family = raw.slice(0, brace);
  labels.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return { family, labels, key: formatMetric(family, labels) };
}

/** Label pairs from `start` up to a closing brace that ends the text, or null. */
function parseLabels(raw: string, start: number): Label[] | null {
  const labels: Label[] = [];
  const seen = new Set<string>();
  let at = start;
  if (raw[at] === '}') return at + 1 === raw.length ? labels : null;
  for (;;) {
    const equals = raw.indexOf('=', at);
    if (equals < 0 || raw[equals + 1] !== '"') return null;
    const name = raw.slice(at, equals).trim();
    if (!LABEL_NAME.test(name) || seen.has(name)) return null;
    seen.add(name);
    let value = '';
    at = equals + 2;
    for (;;) {
      const c = raw[at];
      if (c === undefined) return null;
      if (c === '"') break;
      if (c === '\\') {
        const escaped = raw[at + 1];
        if (escaped === 'n') value += '\n';
        else if (escaped === '"' || escaped === '\\') value += escaped;
        else return null;
        at += 2;
        continue;
      }
      value += c;
      at++;
    }
    labels.push([name, value]);
    at++;
    if (raw[at] === ',') {
      at++;
      while (raw[at] === ' ') at++;
      if (raw[at] !== '}') continue;
    }
    return raw[at] === '}' && at + 1 === raw.length ? labels : null;
  }
}
