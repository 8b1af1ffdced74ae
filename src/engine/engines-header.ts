/**
 * Which engines' numbers an answer has: `x-vigie-engines: ID, ID, …`, the one that answers first. The type of a target
 * does not tell that an engine is behind it: its text of metrics and the old routes can be read like any exporter's.
 */

export const ENGINES_HEADER = 'x-vigie-engines';

/** So many fit into the headers that any reader takes. */
const MOST = 100;

/** `own` first, then those of its targets. */
export function writeEngines(own: string, behind: Iterable<readonly string[]>): string {
  const engines = new Set([own]);
  for (const some of behind) {
    for (const engine of some) {
      if (engines.size >= MOST) return [...engines].join(', ');
      engines.add(engine);
    }
  }
  return [...engines].join(', ');
}

/** What is no id is left out: whoever answers may say anything. */
export const readEngines = (header: string | readonly string[] | undefined): string[] =>
  typeof header === 'string'
    ? header
        .split(',', MOST)
        .map((id) => id.trim())
        .filter((id) => /^[0-9a-f]{32}$/.test(id))
    : [];
