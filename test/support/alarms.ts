/** A real scope, an evaluator over it and a clock that ticks when told: what tests of alarms begin with. */

import { RuleSettings, type RuleSettingsInput } from '../../src/shared/api/alarms.ts';
import { Evaluator, type Change, type LoadedRule, type SourceAbout } from '../../src/engine/alarms/evaluate.ts';
import type { Source } from '../../src/engine/alarms/match.ts';
import type { TickInfo } from '../../src/engine/live/sampler.ts';
import { Scope } from '../../src/engine/live/scope.ts';

export const T0 = 1_700_000_000_000;

export function rule(id: string, settings: Partial<RuleSettingsInput> = {}): LoadedRule {
  const given: RuleSettingsInput = { name: id, scope: { kind: 'all' }, metric: 'm', ...settings };
  return { id, settings: RuleSettings.parse(given) };
}

/** NaN unsets a gauge. */
export function put(scope: Scope, name: string, value: number, kind: 'gauge' | 'counter' = 'gauge'): void {
  const place = scope.register(name, '', kind);
  if ('refused' in place) throw new Error(place.refused);
  if (kind === 'counter') scope.putCounter(place.index, value);
  else {
    const known = !Number.isNaN(value);
    scope.putGauge(place.index, Float64Array.from(known ? [value, value, 1, value] : [Infinity, -Infinity, 0, 0]));
  }
}

export function about({ id }: Pick<Source, 'id'>): SourceAbout {
  const [kind, name = ''] = id.split('/');
  if (kind === 'run') return { kind, place: `job ${name}`, jobid: name, command: './a.out', user: 'ada' };
  if (kind === 'target') return { kind, place: name, names: [name, 'rack=r1'] };
  return { kind: 'node', place: name, names: [name] };
}

/** Ticks once per second. */
export class Bench {
  evaluator: Evaluator;
  time: number;
  /** Targets that are not on the list. */
  readonly gone = new Set<string>();
  readonly #merge: (name: string) => Source | null;
  #sequence = 0;
  #first = true;

  constructor(rules: readonly LoadedRule[] = [], merge: (name: string) => Source | null = () => null, time = T0) {
    this.#merge = merge;
    this.time = time;
    this.evaluator = this.#evaluator();
    this.evaluator.setRules(rules);
  }

  #evaluator(): Evaluator {
    return new Evaluator({ about, merge: this.#merge, gone: (scope) => this.gone.has(scope) });
  }

  /** `gaps`: those of the scopes that were not watched before this tick. */
  tick(
    scopes: readonly Scope[],
    options: { ms?: number; gap?: boolean; interval?: number; gaps?: readonly Scope[] } = {},
  ): readonly Change[] {
    const { ms = 1000, gap = false } = options;
    const { interval = ms } = options;
    if (!this.#first) this.time += ms;
    const first = this.#first;
    this.#first = false;
    const info: TickInfo = {
      ...{ time: this.time, interval: first ? 0 : interval, sequence: this.#sequence++, gap: gap || first },
    };
    return this.evaluator.tick(info, scopes, new Set(options.gaps));
  }

  /** The engine stops and starts again, with what it has written. */
  restart(rules: readonly LoadedRule[]): readonly Change[] {
    const kept = [...this.evaluator.active()];
    this.evaluator = this.#evaluator();
    const changes = [...this.evaluator.setRules(rules)];
    changes.push(...this.evaluator.restore(JSON.parse(JSON.stringify(kept)), this.time));
    return changes;
  }
}

export const node = (name = 'n1'): Scope => new Scope(`node/${name}`, 'node');
export const run = (id: string): Scope => new Scope(`run/${id}`, 'run');
export const target = (id: string): Scope => new Scope(`target/${id}`, 'target');

/** `inactive→firing` and so on. */
export const moves = (changes: readonly Change[]): string[] => changes.map(({ was, state }) => `${was}→${state}`);
