/** How `vigie client` writes what it has read: for people, as JSON, as YAML, or one line per metric. */

import { stringify } from 'yaml';
import type { TimedValue } from './client-changes.ts';
import type { Format } from './client-format.ts';
import type { Metric } from './client-reading.ts';

/** Inner width of the title's frame, in characters. */
const WIDTH = 69;

function title(text: string): string {
  const left = Math.floor((WIDTH - text.length) / 2);
  const middle = `${' '.repeat(left)}${text}${' '.repeat(WIDTH - text.length - left)}`;
  return `╔${'═'.repeat(WIDTH)}╗\n║${middle}║\n╚${'═'.repeat(WIDTH)}╝\n\n`;
}

/** A description may hold anything, and a terminal obeys control characters. */
const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();

/** JSON leaves control characters from 0x7f on as they are. */
const escaped = (json: string): string =>
  json.replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Words as they are; what would not be one word in quotes, with JSON's escapes. */
function word(field: string | number): string {
  if (typeof field === 'number') return String(field);
  return field === '' || /^["#]|\s|\p{Cc}/u.test(field) ? escaped(JSON.stringify(field)) : field;
}

type Row = Readonly<Record<string, string | number>>;

const lines = (rows: readonly Row[]): string =>
  rows.map((row) => `${Object.values(row).map(word).join(' ')}\n`).join('');

const yaml = (data: unknown): string => stringify(data, { lineWidth: 0 });

function document(format: Exclude<Format, 'md'>, columns: readonly string[], rows: readonly Row[]): string {
  if (format === 'json') return `${escaped(JSON.stringify(rows, null, 4))}\n`;
  if (format === 'yaml') return yaml(rows);
  return `# ${columns.join(' ')}\n${lines(rows)}`;
}

const typeOf = ({ kind }: Metric): string => (kind === 'counter' ? 'TAU_METRIC_COUNTER' : 'TAU_METRIC_GAUGE');

/** Names, descriptions and types. */
export function metricsText(format: Format, metrics: readonly Metric[]): string {
  if (format === 'md') {
    const items = metrics.map((m) => ` • ${oneLine(m.name)} (${typeOf(m)}) :\n   ${oneLine(m.doc)}\n`);
    return title('List of tau_metric_exporter Metrics') + items.join('');
  }
  const rows = metrics.map((metric) => ({ name: metric.name, doc: metric.doc, type: typeOf(metric) }));
  return document(format, ['name', 'doc', 'type'], rows);
}

const COLUMNS = ['name', 'ts', 'value'] as const;
const VALUES_TITLE = 'List of tau_metric_exporter Values';

/** In this order, whatever the objects have. */
const rowsOf = (values: readonly TimedValue[]): Row[] => values.map(({ name, ts, value }) => ({ name, ts, value }));

const bullets = (values: readonly TimedValue[]): string =>
  values.map(({ name, ts, value }) => ` • ${oneLine(name)} = ${value} @ ${ts}\n`).join('');

/** Names, times of change and values. */
export function valuesText(format: Format, values: readonly TimedValue[]): string {
  return format === 'md' ? title(VALUES_TITLE) + bullets(values) : document(format, COLUMNS, rowsOf(values));
}

/** How readings are written one after the other. What was written is a whole document with the tail after it. */
export interface RecordFormat {
  readonly head: string;
  /** `nth`: 0 for the first reading. */
  reading(values: readonly TimedValue[], nth: number): string;
  /** `count`: how many readings there are. */
  tail(count: number): string;
}

const lineRecord = (head: string, reading: (values: readonly TimedValue[]) => string): RecordFormat => ({
  head,
  reading,
  tail: () => '',
});

/** JSON and YAML: a list of readings, each a list of values. */
export const RECORDS: Readonly<Record<Format, RecordFormat>> = {
  json: {
    head: '[',
    reading: (values, nth) => `${nth === 0 ? '' : ','}\n${escaped(JSON.stringify(rowsOf(values)))}`,
    tail: () => '\n]\n',
  },
  yaml: {
    head: '',
    reading: (values) => yaml([rowsOf(values)]),
    tail: (count) => (count === 0 ? '[]\n' : ''),
  },
  txt: lineRecord(`# ${COLUMNS.join(' ')}\n`, (values) => lines(rowsOf(values))),
  md: lineRecord(title(VALUES_TITLE), bullets),
};
