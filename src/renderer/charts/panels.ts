import type { Series } from '../../shared/model/described-series.ts';
import type { Unit } from '../../shared/model/naming.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Kind } from '../../shared/model/values.ts';

/** Lines in one panel; the rest are in the series table. */
export const MOST_LINES = 6;

/** A chart: series of one scope that share a unit and a meaning. */
export interface PanelSpec {
  /** Stable over time: does not depend on which series are there yet. */
  readonly id: string;
  readonly scope: ScopeId;
  readonly group: string;
  readonly title: string;
  readonly quantity: string;
  readonly unit: Unit;
  readonly kind: Kind;
  readonly series: readonly Series[];
  /** What lines are called, by family, where the families' own words are too long beside each other. */
  readonly names?: ReadonlyMap<string, string>;
  /** Labels that every series of the scope has with the same value: they tell nothing apart. */
  readonly common?: ReadonlySet<string>;
}

export interface PanelGroup {
  readonly name: string;
  readonly panels: readonly PanelSpec[];
}

const GROUP_ORDER = [
  'Program',
  'MPI',
  'I/O',
  'Waiting',
  'System calls',
  'Functions',
  'CPU',
  'Load',
  'Memory',
  'Swap',
  'Pressure',
  'GPU',
  'Network',
  'InfiniBand',
  'Disk',
  'NFS',
  'Lustre',
  'Slurm jobs',
  'Slurm steps',
  'Slurm',
  'Energy',
  'Temperature',
  'Processes',
  'Kernel',
  'Uptime',
];

/** What an exporter says of itself, beside what it was made for. */
const EXPORTER = 'Exporter';
const OF_EXPORTERS = /^(?:go|process|promhttp|python|jvm)_/;

/** After what nobody has heard of. */
const LAST_GROUPS = ['Scrape', EXPORTER, 'Engine'];

const groupRank = (name: string): number => {
  const at = GROUP_ORDER.indexOf(name);
  return at < 0 ? GROUP_ORDER.length + 1 + LAST_GROUPS.indexOf(name) : at;
};

/** What says most of a node's many panels comes first in its group: the whole before its cores, disks and cards. */
const LEADING = [
  /^proxy_cpu_load_average_percent$/,
  /^proxy_cpu_usage_percent$/,
  /^proxy_cpu_seconds_total$/,
  /^proxy_(disk|network)_node_/,
];

const panelRank = (family: string): number => {
  const at = LEADING.findIndex((pattern) => pattern.test(family));
  return at < 0 ? LEADING.length : at;
};

/** A date is not a line, and neither is a version. */
const drawn = (s: Series): boolean => s.quantity !== 'time since 1970' && !s.family.endsWith('_build_info');

/** Numbers without a common scale have a panel each: a program's own values, anything only called a value or count. */
const comparable = (s: Series): boolean =>
  s.group === 'Load' || (s.group !== 'Program' && s.quantity !== 'value' && s.quantity !== 'count');

/** Quantities that say nothing beside their unit or their operation. */
const SILENT: readonly string[] = ['value', 'percent', 'ratio', 'temperature', 'frequency'];

function operationName(s: Series): string {
  // A family without a word of its own is called as its group is written: `CPU`, not `cpu`.
  const operation = s.operation.toLowerCase() === s.group.toLowerCase() ? s.group : s.operation;
  return SILENT.includes(s.quantity) || operation === s.quantity ? operation : `${operation} · ${s.quantity}`;
}

/** Groups whose bytes need no other name. */
const AMOUNTS: readonly string[] = ['Memory', 'Swap'];

function sharedTitle(s: Series): string {
  if (AMOUNTS.includes(s.group)) return s.quantity === 'bytes' ? s.group : `${s.group} · ${s.quantity}`;
  return SILENT.includes(s.quantity) ? s.group : s.quantity;
}

const isTarget = (scope: ScopeId): boolean => scope.startsWith('target/');

const groupOf = (scope: ScopeId, s: Series): string =>
  isTarget(scope) && s.group === 'Program' && OF_EXPORTERS.test(s.family) ? EXPORTER : s.group;

const NO_LABELS: ReadonlySet<string> = new Set();

/** Labels that were added to all of a target's series, such as its rack. */
function commonLabels(scope: ScopeId, series: readonly Series[]): ReadonlySet<string> {
  const [first] = series;
  if (!first || series.length < 2 || !isTarget(scope)) return NO_LABELS;
  const same = Object.entries(first.labels).filter(([name, value]) => series.every((s) => s.labels[name] === value));
  return same.length === 0 ? NO_LABELS : new Set(same.map(([name]) => name));
}

function panelKey(s: Series, common: ReadonlySet<string>): { key: string; title: string } {
  const labelled = Object.keys(s.labels).some((name) => !common.has(name));
  if (labelled || !comparable(s)) return { key: `op/${s.operation}/${s.quantity}`, title: operationName(s) };
  return { key: `all/${s.quantity}`, title: sharedTitle(s) };
}

interface Growing {
  readonly spec: Omit<PanelSpec, 'series'>;
  readonly series: Series[];
}

/** Series in groups of panels: what is measured alike stands in one panel, at most one scope in each. */
export function groupPanels(scope: ScopeId, series: readonly Series[]): PanelGroup[] {
  const groups = new Map<string, Map<string, Growing>>();
  const common = commonLabels(scope, series);
  for (const s of series.filter(drawn)) {
    const { key, title } = panelKey(s, common);
    const group = groupOf(scope, s);
    const id = `${scope}|${group}|${s.kind}|${s.unit}|${key}`;
    const panels = groups.get(group) ?? new Map<string, Growing>();
    groups.set(group, panels);
    const panel = panels.get(id);
    if (panel) panel.series.push(s);
    else {
      const spec = { id, scope, group, title, quantity: s.quantity, unit: s.unit, kind: s.kind };
      panels.set(id, { spec: common.size === 0 ? spec : { ...spec, common }, series: [s] });
    }
  }
  return [...groups]
    .sort(([a], [b]) => groupRank(a) - groupRank(b) || a.localeCompare(b))
    .map(([name, panels]) => ({
      name,
      panels: [...panels.values()]
        .sort((a, b) => panelRank(a.series[0]!.family) - panelRank(b.series[0]!.family))
        .map(({ spec, series: list }) => ({
          ...spec,
          title: soleTitle(spec, list),
          series: list,
        })),
    }));
}

/** A panel of one operation says which one. */
function soleTitle(spec: Omit<PanelSpec, 'series'>, series: readonly Series[]): string {
  const first = series[0];
  if (!first || series.length > 1) return capital(spec.title);
  return capital(operationName(first));
}

const capital = (text: string): string =>
  text.replace(/^(?:cpu|gpu|http|io|nfs|rpc)\b/, (word) => word.toUpperCase()).replace(/^./, (c) => c.toUpperCase());

/** What tells a series from the others of its panel: the labels in which they differ, else its operation, else its name. */
export function lineLabel(s: Series, panel: PanelSpec): string {
  const given = panel.names?.get(s.family);
  if (given !== undefined) return given;
  const labels = Object.entries(s.labels).filter(([name]) => panel.common?.has(name) !== true);
  if (labels.length > 0) {
    const telling = labels.filter(([name, value]) => panel.series.some((other) => other.labels[name] !== value));
    const shown = telling.length > 0 ? telling : labels;
    // There is little room: `36 · user`, not `cpu=36 mode=user`. Numbers beside numbers do need their names.
    const named = shown.length > 1 && shown.every(([, value]) => /^\d*$/.test(value));
    return shown.map(([name, value]) => (value === '' ? name : named ? `${name} ${value}` : value)).join(' · ');
  }
  const twin = panel.series.some((other) => other !== s && other.operation === s.operation);
  return twin ? s.name : s.operation;
}

/** A series for people, alone: `Send · calls`, `receive · bytes {interface=eth0}`. */
export function seriesLabel(s: Series): string {
  const name = operationName(s);
  const labels = Object.entries(s.labels);
  return labels.length === 0 ? name : `${name} {${labels.map(([k, v]) => `${k}=${v}`).join(', ')}}`;
}

/** How much a series moves over what is shown. `idle`: it only shows zeros, or nothing. */
export interface Activity {
  readonly idle: boolean;
  readonly size: number;
}

/** Time that one core of many did nothing: it grows fastest where there is least to see. */
const rests = (s: Series): boolean => s.labels['mode'] === 'idle' && s.labels['cpu'] !== undefined;

/**
 * The lines of a panel: those that move most, in the panel's own order, so that colours stay where they are while the
 * same lines are shown. Idle ones only on request, and then last to be chosen.
 */
export function chooseLines(
  panel: PanelSpec,
  activity: (series: Series) => Activity,
  showIdle: boolean,
): { lines: Series[]; left: number; idle: number } {
  const rated = panel.series.map((s, order) => ({ s, order, ...activity(s) }));
  const idle = rated.filter((r) => r.idle).length;
  const candidates = showIdle ? rated : rated.filter((r) => !r.idle);
  const chosen = [...candidates]
    .sort(
      (a, b) =>
        Number(a.idle) - Number(b.idle) ||
        Number(rests(a.s)) - Number(rests(b.s)) ||
        b.size - a.size ||
        a.order - b.order,
    )
    .slice(0, MOST_LINES)
    .sort((a, b) => a.order - b.order);
  return { lines: chosen.map((r) => r.s), left: candidates.length - chosen.length, idle };
}
