/** Rules as text: what `export` writes and `import` reads. Text comes from strangers: size, nesting and aliases are bounded. */

import { z } from 'zod';
import { MAX_RULES, RuleSettings, type RuleSettingsInput } from '../../shared/api/alarms.ts';
import { formatDuration } from '../../shared/duration.ts';
import { refuseRule } from './refuse.ts';

/** Longest text, in UTF-16 code units. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Longest one that is read at once: some 100 ms. */
const MAX_PIECE = 64 * 1024;
/** Longer ones are taken apart where they can be. */
const MIN_SPLIT = 8 * 1024;
/** Deepest nesting of a text that can be a list of rules, with much to spare. */
const MAX_DEPTH = 64;
/** Aliases (`*name`) that are resolved: one that stands for a thousand others is no rule. */
const MAX_ALIASES = 100;

/** Not rules, in words for people. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
}

/** A rule of a text, or why it is none. */
export interface ReadRule {
  /** As far as it can be told; else its place, such as `rule 3`. */
  readonly name: string;
  readonly settings: RuleSettings | null;
  readonly reason: string | null;
}

/** Reads any YAML or JSON that is not long. Throws {@link RulesError}. */
export async function readYaml(text: string): Promise<unknown> {
  if (depthOf(text) > MAX_DEPTH) throw new RulesError('the text is nested too deeply');
  try {
    if (/^\s*[[{]/.test(text) && text.length <= MAX_TEXT) return JSON.parse(text) as unknown;
  } catch {
    // YAML has brackets, too.
  }
  if (text.length > MAX_PIECE) throw new RulesError(`the text is longer than ${MAX_PIECE / 1024} KiB`);
  // Loaded when needed: most engines never read any.
  const { parse } = await import('yaml');
  try {
    // Looking for keys that stand twice takes the square of their number.
    return parse(text, { maxAliasCount: MAX_ALIASES, logLevel: 'error', uniqueKeys: false }) as unknown;
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new RulesError(`this is neither YAML nor JSON: ${first}`, { cause: error });
  }
}

/**
 * The items of a list below `rules:`, each as a text of its own, so that a long list can be read bit by bit: reading YAML
 * takes 3 ms per kB. Null: it is written in another way.
 */
function itemsOf(text: string): string[] | null {
  const lines = text.split('\n');
  const head = lines.findIndex((line) => /^\S/.test(line) && !/^(?:#|---)/.test(line));
  if (head < 0 || !/^rules:\s*(?:#.*)?$/.test(lines[head]!)) return null;
  const first = lines.findIndex((line, i) => i > head && /^ *- /.test(line));
  if (first < 0) return null;
  const dash = `${' '.repeat(lines[first]!.indexOf('-'))}- `;
  const items: string[][] = [];
  for (const line of lines.slice(head + 1)) {
    // What is less indented is no item any more; what is more belongs to one.
    if (line.startsWith(dash)) items.push([line]);
    else if (line.trim() !== '' && !/^\s*#/.test(line) && !line.startsWith(`${dash.slice(0, -2)} `)) return null;
    else items.at(-1)?.push(line);
  }
  return items.map((item) => item.join('\n'));
}

/** An upper bound: brackets that are open, and dashes and indentation that begin nested lists. */
function depthOf(text: string): number {
  let [open, deepest] = [0, 0];
  for (const line of text.split('\n')) {
    const lead = /^[ \t]*(?:[-?:][ \t]+)*/.exec(line)![0];
    const nested = (lead.match(/[-?:]/g)?.length ?? 0) + open;
    deepest = Math.max(deepest, nested);
    // In a text in quotes brackets mean nothing; a line of one hardly has dozens that are not closed.
    for (let i = lead.length; i < line.length; i++) {
      const c = line.charCodeAt(i);
      if (c === 91 || c === 123) deepest = Math.max(deepest, ++open);
      else if ((c === 93 || c === 125) && open > 0) open--;
    }
    if (deepest > MAX_DEPTH) return deepest;
    open = isFlow(line) ? open : 0;
  }
  return Math.max(deepest, indentDepth(text));
}

/** A line that can go on with what its brackets opened. */
const isFlow = (line: string): boolean => /[[{,]\s*(?:#.*)?$/.test(line) || /^\s*[\]}]/.test(line);

/** How often lines are indented further than the line before, at most. */
function indentDepth(text: string): number {
  const open: number[] = [];
  let deepest = 0;
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (indent < 0) continue;
    while (open.length > 0 && open.at(-1)! >= indent) open.pop();
    open.push(indent);
    deepest = Math.max(deepest, open.length);
    if (deepest > MAX_DEPTH) return deepest;
  }
  return deepest;
}

const Outer = z.union([z.strictObject({ rules: z.array(z.unknown()) }), z.array(z.unknown())]);

/** The list of a text. Throws {@link RulesError} when it is no list of rules. */
function listOf(value: unknown): unknown[] {
  const outer = Outer.safeParse(value);
  if (!outer.success) throw new RulesError('expected a mapping with `rules:` and a list below it, and nothing else');
  const list = Array.isArray(outer.data) ? outer.data : outer.data.rules;
  if (list.length > MAX_RULES) throw new RulesError(`these are more than ${MAX_RULES} rules`);
  return list;
}

/** Each is checked by itself. */
function* checked(list: readonly unknown[]): Generator<ReadRule, void> {
  const names = new Set<string>();
  for (const [i, given] of list.entries()) {
    const parsed = RuleSettings.safeParse(given);
    if (!parsed.success) {
      yield { name: nameOf(given) ?? `rule ${i + 1}`, settings: null, reason: reasonOf(parsed.error) };
      continue;
    }
    const { data } = parsed;
    const reason = names.has(data.name) ? 'another rule of this text has the same name' : refuseRule(data);
    names.add(data.name);
    yield { name: data.name, settings: reason === null ? data : null, reason };
  }
}

/** What can be read of a list of rules that was read already. Throws {@link RulesError} when it is none. */
export const rulesOf = (value: unknown): ReadRule[] => [...checked(listOf(value))];

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A list of any length; others are let in between. Throws {@link RulesError}. */
export async function readRules(text: string): Promise<ReadRule[]> {
  if (text.length > MAX_TEXT) throw new RulesError(`the text is longer than ${MAX_TEXT / 1024 / 1024} MiB`);
  const items = text.length > MIN_SPLIT ? itemsOf(text) : null;
  const list = items === null ? listOf(await readYaml(text)) : [];
  if ((items?.length ?? 0) > MAX_RULES) throw new RulesError(`these are more than ${MAX_RULES} rules`);
  for (const item of items ?? []) {
    const [rule] = z
      .tuple([z.unknown()])
      .catch([null])
      .parse(await readYaml(item));
    list.push(rule);
    await turn();
  }
  const rules: ReadRule[] = [];
  for (const rule of checked(list)) if (rules.push(rule) % 50 === 0) await turn();
  return rules;
}

const nameOf = (given: unknown): string | null => {
  const name = typeof given === 'object' && given !== null && 'name' in given ? given.name : null;
  return typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, 200) : null;
};

function reasonOf({ issues }: z.ZodError): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}

/** A rule as people write it: durations as text, without what is so anyway. Reading it gives the same rule. */
export function plainRule(rule: RuleSettings): RuleSettingsInput {
  const { measure } = rule;
  const written: Record<string, unknown> = {
    ...rule,
    measure: {
      ...measure,
      ...('window' in measure ? { window: formatDuration(measure.window) } : {}),
      ...('after' in measure ? { after: formatDuration(measure.after) } : {}),
    },
    for: formatDuration(rule.for),
    keep_firing_for: formatDuration(rule.keep_firing_for),
    no_data_after: formatDuration(rule.no_data_after),
  };
  for (const [name, field] of Object.entries(RuleSettings.shape)) {
    if (!(field instanceof z.ZodDefault)) continue;
    const usual: unknown = field.parse(undefined);
    // What the operator is says much of a rule.
    if (name !== 'op' && JSON.stringify(rule[name as keyof RuleSettings]) === JSON.stringify(usual))
      delete written[name];
  }
  return written as RuleSettingsInput;
}

/** Reading it gives the same rules. */
export async function writeRules(rules: Iterable<RuleSettings>): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify({ rules: Array.from(rules, plainRule) }, { lineWidth: 0, aliasDuplicateObjects: false });
}
