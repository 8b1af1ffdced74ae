/**
 * /alarms of the old proxies: one metric of one job against one number. Those made here are rules as all others; what is
 * told here of the rest are those that these words can say: a value, more or less than or equal to a number.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RuleSettings, type Comparison, type RuleScope } from '../../../shared/api/alarms.ts';
import { ApiError } from '../../../shared/errors.ts';
import { MAIN_JOB, NODE_JOB_PREFIX } from '../../../shared/model/job.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { compare } from '../../alarms/rule.ts';
import type { RuleRecord } from '../../alarms/rules.ts';
import type { EngineContext } from '../../context.ts';
import type { Sample } from '../../live/merges.ts';
import type { App } from '../app.ts';
import { changingRoute, compatRoute, compatType, oneText, refuse, succeed } from './answer.ts';
import { jobIds, jobSamples } from './jobs.ts';

interface CompatAlarm {
  readonly name: string;
  readonly metric: string;
  /** `More`, `Less` or `Equal`, with the number. */
  readonly operator: Readonly<Record<string, number>>;
  readonly current: number;
  readonly active: boolean;
  readonly pretty: string;
}

const NAMES = { '>': 'More', '<': 'Less', '=': 'Equal' } as const;
type Sign = keyof typeof NAMES;
const isSign = (op: string): op is Sign => Object.hasOwn(NAMES, op);

const Threshold = z
  .union([z.number(), z.string().regex(/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i)], 'must be a number')
  .transform(Number);
const text = (most: number) => z.string('is missing').min(1, 'must not be empty').max(most, 'is too long');
const Add = z.object({
  name: text(200),
  target: text(1024),
  metric: text(1024),
  operation: text(16),
  value: Threshold,
});

/** Names of a job on the old routes are data: what a pattern would read as `*` and `?` must mean itself. */
function scopeOf(target: string): RuleScope | null {
  if (target === MAIN_JOB || target.startsWith(NODE_JOB_PREFIX)) return { kind: 'merge', name: target };
  return /[*?]/.test(target) ? null : { kind: 'run', jobid: target };
}

/** A metric by its name, labels and all. */
function selectorOf(name: string): string {
  const { family, labels, key } = parseMetric(name);
  // A name that no selector spells: its text as a whole.
  if (/[{}"\s]/.test(family)) return `{__name__=${JSON.stringify(family)}}`;
  return labels.length === 0 ? family : key;
}

/** The job of the old routes that a rule is about, and what it is called there; null: they have no words for it. */
function compatName({ settings, compat }: RuleRecord): { target: string; name: string } | null {
  if (!settings.enabled || settings.measure.kind !== 'value' || !isSign(settings.op)) return null;
  if (compat) return compat;
  const { scope, name } = settings;
  if (scope.kind === 'merge') return { target: scope.name, name };
  const isOne = scope.kind === 'run' && scope.jobid !== undefined && !/[*?]/.test(scope.jobid);
  return isOne && scope.command === undefined && scope.user === undefined ? { target: scope.jobid!, name } : null;
}

/** The series that a rule is about, by canonical key; null: a pattern is. */
function keyOf({ settings, compat }: RuleRecord): string | null {
  const named = /^\{__name__=(".*")\}$/s.exec(settings.metric)?.[1];
  if (compat && named !== undefined) return JSON.parse(named) as string;
  return /[=!]~|!=/.test(settings.metric) ? null : parseMetric(settings.metric).key;
}

const gaugeMean = ({ gauge }: Sample): number => (gauge && gauge.hits > 0 ? gauge.total / gauge.hits : 0);

/** As the old proxy writes it, the time of a counter's last change included. */
function prettyOf(name: string, sample: Sample, test: string): string {
  const { doc, kind, counter, gauge, changed } = sample;
  const type = compatType(kind, counter, gauge, changed);
  const before = `${name} : ${sample.name} (${doc}) = `;
  if ('Counter' in type) return `${before}${type.Counter.ts} ${type.Counter.value} COUNTER ${test}`;
  const { min, max, hits, total } = type.Gauge;
  const parts = `(Min: ${min}, Max : ${max}, Hits: ${hits}, Total : ${total})`;
  return `${before}${gaugeMean(sample)} ${parts} GAUGE ${test}`;
}

/** Without a sample: there is no such metric, perhaps not yet. */
function describe({ settings }: RuleRecord, name: string, sample: Sample | undefined): CompatAlarm {
  const { op, raise } = settings;
  const test = `${op} ${raise}`;
  const operator = { [NAMES[op as Sign]]: raise };
  if (!sample) {
    const { metric } = settings;
    return {
      name,
      metric,
      operator,
      current: 0,
      active: false,
      pretty: `${name} : ${metric} () = nothing yet ${test}`,
    };
  }
  const current = sample.kind === 'counter' ? sample.counter : gaugeMean(sample);
  const active = compare(op, current, raise);
  return { name, metric: sample.name, operator, current, active, pretty: prettyOf(name, sample, test) };
}

interface Wanted {
  readonly rule: RuleRecord;
  readonly name: string;
  readonly key: string;
}

/** All alarms by job; each job has a list. `firing`: only those whose condition holds now. */
function list(engine: EngineContext, firing: boolean): Record<string, CompatAlarm[]> {
  const out = new Map<string, CompatAlarm[]>(jobIds(engine).map((jobid) => [jobid, []]));
  const wanted = new Map<string, Wanted[]>();
  for (const rule of engine.alarms.rules) {
    const about = compatName(rule);
    const key = about && keyOf(rule);
    if (!about || key === null) continue;
    const of = wanted.get(about.target) ?? [];
    wanted.set(about.target, of);
    of.push({ rule, name: about.name, key });
  }
  for (const [target, rules] of wanted) {
    const samples = samplesOf(engine, target, rules);
    const alarms = rules.map(({ rule, name, key }) => describe(rule, name, samples.get(key)));
    const shown = alarms.filter(({ active }) => active || !firing);
    // A job that does not run is on the list while there are rules for it.
    if (out.has(target) || shown.length > 0) out.set(target, shown);
  }
  // fromEntries makes own properties of any name, `__proto__` too.
  return Object.fromEntries(out);
}

function samplesOf(engine: EngineContext, target: string, rules: readonly Wanted[]): Map<string, Sample> {
  const keys = new Set(rules.map(({ key }) => key));
  const samples = new Map<string, Sample>();
  for (const sample of jobSamples(engine, target) ?? []) if (keys.has(sample.key)) samples.set(sample.key, sample);
  return samples;
}

const isCalled = (rule: RuleRecord, target: string, name: string): boolean =>
  rule.compat?.target === target && rule.compat.name === name;

/** Rules have one name each; on the old routes each job has names of its own. */
function freeName({ rules }: EngineContext['alarms'], name: string, target: string): string {
  for (const free of [name, `${name} (${target})`.slice(0, 200)]) if (!rules.named(free)) return free;
  return `${name.slice(0, 150)} (${target.slice(0, 30)}) ${Date.now().toString(36)}`;
}

const problems = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [...path, message].join(' ')).join('; ');

async function add(engine: EngineContext, body: unknown, reply: FastifyReply): Promise<unknown> {
  const { alarms } = engine;
  const parsed = Add.safeParse(body);
  if (!parsed.success) return refuse(reply, `Error parsing parameters: ${problems(parsed.error)}`);
  const { name, target, metric, operation, value } = parsed.data;
  if ([...alarms.rules].some((rule) => isCalled(rule, target, name))) {
    return refuse(reply, `Alarm ${name} is already defined`);
  }
  if (!isSign(operation)) return refuse(reply, `No operator for ${operation} only has = < and >`);
  const scope = scopeOf(target);
  if (!scope) return refuse(reply, `No alarm for ${target}: a job id with * or ? would be a pattern`);
  const settings = RuleSettings.safeParse({
    ...{ name: freeName(alarms, name, target), scope, metric: selectorOf(metric) },
    ...{ op: operation satisfies Comparison, raise: value },
  });
  if (!settings.success) return refuse(reply, `Error parsing parameters: ${problems(settings.error)}`);
  await alarms.desk.add({ settings: settings.data, origin: 'compat', compat: { target, name } });
  return succeed('alarm registered');
}

const Del = z.object({ name: z.string(), target: z.string() });

async function remove({ alarms }: EngineContext, given: z.infer<typeof Del>, reply: FastifyReply): Promise<unknown> {
  const { name, target } = given;
  const rule = [...alarms.rules].find((one) => isCalled(one, target, name));
  // Only what was made here: the others belong to those who have a token.
  if (!rule) return refuse(reply, `Failed to delete Failed to remove alarm ${name.slice(0, 200)}`);
  await alarms.desk.remove(rule.id);
  return succeed(`Deleted ${name} from ${target}`);
}

/** Refusals in the old shape: who asks here knows no other. */
async function inWords(reply: FastifyReply, work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return refuse(reply, error.message);
    throw error;
  }
}

const changing = {
  ...changingRoute,
  config: { ...changingRoute.config, tells: ['name', 'target', 'targetjob', 'metric'] },
} as const;

export function registerCompatAlarms(app: App, engine: EngineContext): void {
  app.get('/alarms', compatRoute, async () => list(engine, true));
  app.get('/alarms/list', compatRoute, async () => list(engine, false));
  app.post('/alarms/add', changing, async ({ body }: FastifyRequest, reply) =>
    inWords(reply, () => add(engine, body, reply)),
  );
  app.get('/alarms/add', compatRoute, async (_request, reply) => refuse(reply, 'POST the alarm as a JSON object'));
  app.post('/alarms/del', changing, async ({ body, query }: FastifyRequest, reply) => {
    const given = Del.safeParse(body ?? query);
    if (!given.success) return refuse(reply, `Error parsing parameters: ${problems(given.error)}`);
    return inWords(reply, () => remove(engine, given.data, reply));
  });
  app.get('/alarms/del', changing, async ({ query }: FastifyRequest, reply) => {
    const given = query as Readonly<Record<string, unknown>>;
    const [target, name] = [oneText(given['targetjob']), oneText(given['name'])];
    if (target === '') return refuse(reply, "Missing 'targetjob' GET parameter");
    if (name === '') return refuse(reply, "Missing 'name' GET parameter");
    return inWords(reply, () => remove(engine, { name, target }, reply));
  });
  app.get('/alarms/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}
