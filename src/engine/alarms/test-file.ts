/**
 * Tests of rules, as `vigie alarms test` runs them: series with their values over time, and which alarms there are to be
 * at which times. The rules are evaluated by what evaluates them live, on a clock that ticks as fast as it can.
 */

import { z } from 'zod';
import { AlarmState, type RuleSettings } from '../../shared/api/alarms.ts';
import { Duration, formatDuration } from '../../shared/duration.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';
import { Evaluator } from './evaluate.ts';
import type { Instance } from './instances.ts';
import type { Source, SourceAbout } from './match.ts';
import { readRules, readYaml, RulesError, rulesOf, type ReadRule } from './yaml.ts';

/** Values of one series, and ticks of one test, at most. */
const MAX_VALUES = 1_000_000;
/** Time at which every test begins, ms since the epoch. */
const BEGIN = 1_600_000_000_000;

const ScopeName = z
  .string()
  .max(1024)
  .regex(/^(run|node|target)\/./, 'a scope is run/ID, node/HOST or target/NAME');

const Series = z.strictObject({
  metric: z.string().min(1).max(1024),
  scope: ScopeName.optional(),
  kind: z.enum(['gauge', 'counter']).optional(),
  values: z.union([z.string().max(100_000), z.number()]).transform(String),
});

const Expected = z.strictObject({
  scope: z.string().max(1024).optional(),
  metric: z.string().max(1024).optional(),
  state: AlarmState,
  value: z.number().optional(),
});

const Test = z.strictObject({
  name: z.string().max(200).default(''),
  interval: Duration.pipe(z.number().min(1)).optional(),
  /** Of series that say nothing else. */
  scope: ScopeName.default('node/test'),
  /** What patterns see of jobs and targets. */
  about: z
    .record(
      ScopeName,
      z.strictObject({
        command: z.string().optional(),
        user: z.string().optional(),
        labels: z.array(z.string()).optional(),
      }),
    )
    .default({}),
  series: z.array(Series).max(10_000),
  /** When scopes end. */
  ends: z.record(ScopeName, Duration).default({}),
  expect: z
    .array(
      z.strictObject({
        at: Duration,
        rule: z.string().max(200).optional(),
        /** All alarms at that time that are not inactive. */
        alarms: z.array(Expected).max(10_000),
      }),
    )
    .min(1),
});
type Test = z.output<typeof Test>;

const TestFile = z.strictObject({
  /** Rules, or the names of files that have some. */
  rules: z.union([z.string(), z.array(z.unknown())]),
  interval: Duration.pipe(z.number().min(1)).default(1000),
  tests: z.array(Test).min(1).max(10_000),
});

export interface TestReport {
  readonly tests: number;
  /** Times at which something was expected. */
  readonly checks: number;
  /** What was otherwise, in words. */
  readonly failures: readonly string[];
}

/** `read` gives the text of a file that is named in this one. Throws {@link RulesError} where the file is no test. */
export async function runTestFile(text: string, read: (name: string) => Promise<string>): Promise<TestReport> {
  const parsed = TestFile.safeParse(await readYaml(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RulesError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { rules: given, interval, tests } = parsed.data;
  const rules = await rulesFrom(given, read);
  const failures: string[] = [];
  let checks = 0;
  for (const [i, test] of tests.entries()) {
    const name = test.name === '' ? `test ${i + 1}` : test.name;
    checks += test.expect.length;
    for (const failure of runTest(test, rules, test.interval ?? interval)) failures.push(`${name}: ${failure}`);
  }
  return { tests: tests.length, checks, failures };
}

async function rulesFrom(
  given: string | readonly unknown[],
  read: (name: string) => Promise<string>,
): Promise<RuleSettings[]> {
  const found: ReadRule[] = [];
  if (typeof given === 'string') found.push(...(await readRules(await read(given))));
  else {
    const files = given.filter((one): one is string => typeof one === 'string');
    for (const file of files) found.push(...(await readRules(await read(file))));
    found.push(...rulesOf(given.filter((one) => typeof one !== 'string')));
  }
  return found.map(({ name, settings, reason }) => {
    if (!settings) throw new RulesError(`rule ${JSON.stringify(name)}: ${reason}`);
    return settings;
  });
}

/** What is played of one scope. */
class Played implements Source {
  readonly id: string;
  counterCount = 0;
  gaugeCount = 0;
  counters: Float64Array = new Float64Array(0);
  gauges: Float64Array = new Float64Array(0);
  readonly table = {
    key: (kind: Kind, i: number) => this.#names[kind][i]!,
    name: (kind: Kind, i: number) => this.#names[kind][i]!,
  };
  readonly #names: Record<Kind, string[]> = { counter: [], gauge: [] };
  readonly #values: Record<Kind, Float64Array[]> = { counter: [], gauge: [] };

  constructor(id: string) {
    this.id = id;
  }

  add(metric: string, kind: Kind, values: Float64Array): void {
    this.#names[kind].push(parseMetric(metric).key);
    this.#values[kind].push(values);
    this.counterCount = this.#names.counter.length;
    this.gaugeCount = this.#names.gauge.length;
    this.counters = new Float64Array(this.counterCount);
    this.gauges = new Float64Array(GAUGE_WIDTH * this.gaugeCount);
  }

  seek(tick: number): void {
    for (const [i, values] of this.#values.counter.entries()) this.counters[i] = values[tick] ?? NaN;
    for (const [i, values] of this.#values.gauge.entries()) {
      const value = values[tick] ?? NaN;
      this.gauges.set(value === value ? [value, value, 1, value] : [Infinity, -Infinity, 0, 0], GAUGE_WIDTH * i);
    }
  }
}

function aboutOf({ about }: Test, id: string): SourceAbout {
  const kind = id.slice(0, id.indexOf('/')) as SourceAbout['kind'];
  const name = id.slice(kind.length + 1);
  const { command = '', user = '', labels = [] } = about[id] ?? {};
  if (kind === 'run') return { kind, place: name, jobid: name, command, user };
  return { kind, place: name, names: [name, ...labels] };
}

function runTest(test: Test, settings: readonly RuleSettings[], interval: number): string[] {
  const scopes = new Map<string, Played>();
  for (const { metric, scope = test.scope, kind, values } of test.series) {
    const played = scopes.get(scope) ?? new Played(scope);
    scopes.set(scope, played);
    played.add(metric, kind ?? (/_total(\{|$)/.test(metric) ? 'counter' : 'gauge'), parseValues(values));
  }
  const rules = settings.map((rule, i) => ({ id: String(i), settings: rule }));
  const evaluator = new Evaluator({ about: ({ id }) => aboutOf(test, id) });
  evaluator.setRules(rules);
  const last = Math.max(...test.expect.map(({ at }) => at));
  const ticks = Math.floor(last / interval);
  if (ticks > MAX_VALUES) throw new RulesError(`${formatDuration(last)} are more than ${MAX_VALUES} ticks`);
  const ends = new Map(Object.entries(test.ends));
  const failures: string[] = [];
  for (let tick = 0; tick <= ticks; tick++) {
    const elapsed = tick * interval;
    for (const [scope, at] of ends) {
      if (at > elapsed || !scopes.delete(scope)) continue;
      evaluator.ended(scope, BEGIN + elapsed);
    }
    for (const scope of scopes.values()) scope.seek(tick);
    const info = { time: BEGIN + elapsed, interval: tick === 0 ? 0 : interval, sequence: tick, gap: tick === 0 };
    evaluator.tick(info, scopes.values());
    for (const expected of test.expect) {
      if (Math.floor(expected.at / interval) === tick) failures.push(...differences(expected, settings, evaluator));
    }
  }
  return failures;
}

function differences(
  { at, rule, alarms: expected }: Test['expect'][number],
  settings: readonly RuleSettings[],
  evaluator: Evaluator,
): string[] {
  if (rule !== undefined && !settings.some(({ name }) => name === rule))
    return [`there is no rule ${JSON.stringify(rule)}`];
  const when = `at ${formatDuration(at)}${rule === undefined ? '' : ` ${rule}`}`;
  const left = [...evaluator.active()].filter(
    (alarm) => rule === undefined || settings[Number(alarm.rule)]!.name === rule,
  );
  const failures: string[] = [];
  for (const one of expected) {
    const found = left.findIndex((alarm) => isMeant(one, alarm));
    if (found >= 0) left.splice(found, 1);
    else failures.push(`${when}: expected ${describe(one)}; there is none`);
  }
  for (const alarm of left) failures.push(`${when}: unexpected ${describe(alarm)}`);
  return failures;
}

type Expected = z.output<typeof Expected>;

const isMeant = ({ scope, metric, state, value }: Expected, alarm: Instance): boolean =>
  state === alarm.state &&
  (scope === undefined || scope === alarm.scope) &&
  (metric === undefined || parseMetric(metric).key === alarm.metric) &&
  (value === undefined ||
    (alarm.value !== null && Math.abs(value - alarm.value) <= 1e-9 * Math.max(1, Math.abs(value))));

function describe({
  state,
  scope,
  metric,
  value,
}: Omit<Expected, 'value'> & { readonly value?: number | null | undefined }): string {
  const of = metric === undefined || metric === '' ? '' : ` ${metric}`;
  const where = scope === undefined || scope === '' ? '' : ` of ${scope}`;
  return `${state}${of}${where}${value === undefined || value === null ? '' : ` with ${value}`}`;
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
/** `5`, `5x3`, `1+2x3`, `1-2x3`. */
const RUN = new RegExp(`^(${NUMBER})(?:([-+])(${NUMBER.replace('[-+]?', '')}))?(?:x(\\d{1,7}))?$`);
/** `_`, `_x3`. */
const NOTHING = /^(?:_|stale)(?:x(\d{1,7}))?$/;

/**
 * Values as promtool has them: `1+2x3` is 1 3 5 7, `5x3` is 5 5 5 5, `_x3` three times nothing. NaN stands for nothing.
 * Throws {@link RulesError}.
 */
export function parseValues(text: string): Float64Array {
  const values: number[] = [];
  for (const word of text.trim().split(/\s+/)) {
    if (word === '') continue;
    const nothing = NOTHING.exec(word);
    const run = nothing ? null : RUN.exec(word);
    if (!nothing && (!run || (run[2] !== undefined && run[4] === undefined))) {
      throw new RulesError(`${JSON.stringify(word)} is no value; expected such as 5, 5x3, 1+2x3, _ or _x3`);
    }
    const times = nothing ? Number(nothing[1] ?? 1) : Number(run![4] ?? 0) + 1;
    if (values.length + times > MAX_VALUES) throw new RulesError(`a series has at most ${MAX_VALUES} values`);
    const first = nothing ? NaN : Number(run![1]);
    const by = run?.[2] === undefined ? 0 : Number(`${run[2]}${run[3]}`);
    for (let i = 0; i < times; i++) values.push(first + i * by);
  }
  return Float64Array.from(values);
}
