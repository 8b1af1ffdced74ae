/** Which commands would be one group under other rules. */

import type { GroupPreview, GroupRule } from '../../shared/api/profiles.ts';
import { Normaliser, patternFault } from '../store/profiles/normalise.ts';
import type { CommandCount } from '../store/profiles/profile-store.ts';

/** The newest runs are looked at. */
export const PREVIEW_RUNS = 2000;
/** Of a step, ms. */
const STEP = 5;
const MOST_GROUPS = 100;
const MOST_COMMANDS = 5;
/** Of a command so much is told, UTF-16 code units. */
const TOLD = 500;

/** In steps: patterns may be made so that they take long. */
export async function previewGroups(
  commands: readonly CommandCount[],
  rules: readonly GroupRule[],
): Promise<GroupPreview> {
  const errors = rules.flatMap(({ pattern }, rule) => {
    const message = pattern === '' ? 'it is empty' : patternFault(pattern);
    return message === null ? [] : [{ rule, message }];
  });
  const normaliser = new Normaliser(rules);
  const groups = new Map<string, CommandCount[]>();
  let until = performance.now() + STEP;
  for (const counted of commands) {
    const group = normaliser.group(counted.command);
    const known = groups.get(group);
    if (known) known.push(counted);
    else groups.set(group, [counted]);
    if (performance.now() < until) continue;
    await new Promise((resolve) => void setImmediate(resolve));
    until = performance.now() + STEP;
  }
  const counted = Array.from(groups, ([group, all]) => ({
    group,
    runs: all.reduce((sum, { runs }) => sum + runs, 0),
    commands: all
      .toSorted((a, b) => b.runs - a.runs)
      .slice(0, MOST_COMMANDS)
      .map(({ command, runs }) => ({ command: command.slice(0, TOLD).toWellFormed(), runs })),
    different: all.length,
  }));
  counted.sort((a, b) => b.runs - a.runs || (a.group < b.group ? -1 : 1));
  return {
    errors,
    runs: commands.reduce((sum, { runs }) => sum + runs, 0),
    groups: counted.slice(0, MOST_GROUPS),
  };
}
