/**
 * OpenMetrics 1.0 with timestamps, what `promtool tsdb create-blocks-from openmetrics` reads. A family stands together, as
 * the format has it, while the store has all series of a scope together: so some families are gathered at a time, and what
 * is stored is gone through once for each such group.
 */

import { escapeLabelValue, type Label } from '../../../shared/model/metric.ts';
import { exportedLabel, isLegalFamily, legalFamily, NAME_LABEL } from '../../../shared/model/prometheus-name.ts';
import type { ExportJob, ExportScope, ExportSeries } from './job.ts';
import { NUMBER_BYTES, writeAscii, writeNumber } from './numbers.ts';
import type { Out } from './out.ts';
import { Shelf } from './shelf.ts';

/** Values that are gathered at a time, 8 bytes each, and their times once for all series of a piece. */
const GATHERED = 500_000;
const SECOND = 1000;
const SPACE = 0x20;
const LF = 0x0a;
/** What the store adds to each series. */
const OWN_LABELS = new Set(['job', 'instance', 'run', 'jobid', 'rank', 'scope', NAME_LABEL]);

interface Gathered {
  readonly line: Line;
  readonly parts: { readonly times: Float64Array; readonly values: Float64Array }[];
}

/** A series as it is written. */
interface Line {
  readonly head: Uint8Array;
  /** Time of what was written last, ms. */
  before: number;
}

/** What is gone through once. */
interface Pass {
  readonly families: readonly Family[];
  readonly scopes: readonly ExportScope[];
  /** Null: all of the families'. One alone is written as it comes. */
  readonly only: ReadonlySet<string> | null;
}

interface Family {
  readonly name: string;
  doc: string;
  type: 'counter' | 'gauge' | 'unknown';
  /** Values, about. */
  size: number;
}

const escapeHelp = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- exactly these
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

const nameOf = (family: string): string => (isLegalFamily(family) ? family : legalFamily(family));

export async function writeOpenMetrics(job: ExportJob, out: Out): Promise<void> {
  const families = await familiesOf(job);
  const seen = new Set<string>();
  let headed: Family | null = null;
  const shelf = new Shelf();
  const head = (family: Family): void => {
    if (family !== headed) writeHead(out, family, families);
    headed = family;
  };
  for await (const pass of passes(job, families)) {
    shelf.clear();
    const found = new Map<Family, Map<ExportSeries, Gathered>>();
    const isMeant = (series: ExportSeries): boolean => {
      const family = families.get(nameOf(series.family));
      return family !== undefined && pass.families.includes(family) && (pass.only?.has(series.key) ?? true);
    };
    for await (const { times, series, values } of job.pieces(pass.scopes, isMeant)) {
      let ownTimes: Float64Array | null = null;
      for (const [i, one] of series.entries()) {
        const family = families.get(nameOf(one.family))!;
        const { value, last } = values(i);
        const numbers = one.kind === 'counter' && last ? last : value;
        const inFamily = found.get(family) ?? new Map<ExportSeries, Gathered>();
        found.set(family, inFamily);
        let known = inFamily.get(one);
        if (!known) {
          const line = lineOf(one, job.engine.host, seen);
          if (!line) continue;
          inFamily.set(one, (known = { line, parts: [] }));
        }
        if (pass.only?.size === 1) {
          head(family);
          writePart(out, known.line, times, numbers);
          if (out.full) await out.drained();
        }
        // Copied: what it lies in has all the other series, too.
        else known.parts.push({ times: (ownTimes ??= shelf.keep(times)), values: shelf.keep(numbers) });
      }
    }
    for (const family of pass.families) {
      head(family);
      for (const { line, parts } of found.get(family)?.values() ?? []) {
        for (const { times, values } of parts) writePart(out, line, times, values);
        if (out.full) await out.drained();
      }
    }
  }
  out.text('# EOF\n');
}

/** As many families at a time as can be gathered; one that is too large by itself scope by scope, some series at a time. */
async function* passes(job: ExportJob, families: ReadonlyMap<string, Family>): AsyncGenerator<Pass> {
  let some: Family[] = [];
  let size = 0;
  for (const family of families.values()) {
    if (some.length > 0 && size + family.size > GATHERED) {
      yield { families: some, scopes: job.scopes, only: null };
      [some, size] = [[], 0];
    }
    if (family.size <= GATHERED) {
      some.push(family);
      size += family.size;
      continue;
    }
    for (const scope of job.scopes) {
      const keys = (await job.series(scope)).filter((one) => nameOf(one.family) === family.name).map(({ key }) => key);
      const width = Math.max(1, Math.floor(GATHERED / Math.max(1, job.rows(scope))));
      for (let at = 0; at < keys.length; at += width) {
        yield { families: [family], scopes: [scope], only: new Set(keys.slice(at, at + width)) };
      }
    }
  }
  if (some.length > 0) yield { families: some, scopes: job.scopes, only: null };
}

async function familiesOf(job: ExportJob): Promise<Map<string, Family>> {
  const families = new Map<string, Family>();
  for (const scope of job.scopes) {
    const rows = job.rows(scope);
    for (const { family, kind, doc } of await job.series(scope)) {
      const name = nameOf(family);
      const known = families.get(name) ?? { name, doc, type: kind, size: 0 };
      families.set(name, known);
      // One family has one type: where a label tells a counter from a gauge, neither is claimed.
      if (known.type !== kind) known.type = 'unknown';
      known.size += rows;
    }
  }
  return families;
}

/** As /metrics has it: a counter whose name does not end as OpenMetrics wants it keeps its name, and is of no type. */
function writeHead(out: Out, family: Family, all: ReadonlyMap<string, Family>): void {
  let { name, type } = family;
  if (type === 'counter') {
    const base = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
    if (base !== '' && !all.has(base)) name = base;
    else type = 'unknown';
  }
  out.text(`# TYPE ${name} ${type}\n`);
  if (family.doc !== '') out.text(`# HELP ${name} ${escapeHelp(family.doc)}\n`);
}

function labelsOf({ scope, labels, family }: ExportSeries, host: string): string {
  const own: [string, string][] = [
    ['job', 'vigie'],
    ['instance', scope.node === '' ? host : scope.node],
    ['scope', scope.scope],
  ];
  if (scope.run) own.push(['run', scope.run.id], ['jobid', scope.run.jobid]);
  if (scope.rank !== null) own.push(['rank', String(scope.rank)]);
  if (!isLegalFamily(family)) own.push([NAME_LABEL, family]);
  const given = labels
    .filter(([, value]) => value !== '')
    .map(([name, value]): Label => {
      // Never the same label twice, whatever a client calls its own.
      const bare = name.replace(/^(?:exported_)+/, '');
      return [OWN_LABELS.has(bare) ? `exported_${name}` : exportedLabel(name), value];
    });
  return [...given, ...own].map(([name, value]) => `${name}="${escapeLabelValue(value)}"`).join(',');
}

/** Null: another series has all the same labels, such as a node beside two runs of one scope. */
function lineOf(series: ExportSeries, host: string, seen: Set<string>): Line | null {
  const text = `${nameOf(series.family)}{${labelsOf(series, host)}} `;
  if (seen.has(text)) return null;
  seen.add(text);
  return { head: new TextEncoder().encode(text), before: -Infinity };
}

function writePart(out: Out, line: Line, times: Float64Array, values: Float64Array): void {
  const { head } = line;
  for (let row = 0; row < times.length; row++) {
    const [time, value] = [Math.round(times[row]!), values[row]!];
    // NaN: not known at this time.
    if (value !== value || time <= line.before) continue;
    line.before = time;
    const into = out.reserve(head.length + 2 * NUMBER_BYTES);
    into.set(head, out.at);
    let at = number(into, out.at + head.length, value);
    into[at++] = SPACE;
    at = writeNumber(into, at, time / SECOND);
    into[at] = LF;
    out.at = at + 1;
  }
}

function number(into: Uint8Array, at: number, value: number): number {
  if (value === Infinity) return writeAscii(into, at, '+Inf');
  return value === -Infinity ? writeAscii(into, at, '-Inf') : writeNumber(into, at, value);
}
