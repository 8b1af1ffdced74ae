/** What a run's MPI says, in sentences. Each part that is computed tells how. */

import { formatCount, formatValue } from '../../../format/units.ts';
import { leastWaiting } from './model.ts';
import type { MpiSummary } from './model.ts';

/** A piece of a sentence; with `how` it is a result, and that is how it came about. */
export interface Phrase {
  readonly text: string;
  readonly how?: string;
}
export type Sentence = readonly Phrase[];

/** A share of 0 to 1 as percent: 38 %, 4.2 %, < 0.1 %. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  const value = 100 * share;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`;
}

const seconds = (value: number): string => formatValue(value, 's');

function shareSentence(summary: MpiSummary): Sentence {
  const { total, share, elapsed, rankCount, calls } = summary;
  if (total.time === null) {
    if (total.calls === null)
      return [{ text: 'The program uses MPI; neither its calls nor their time were measured.' }];
    return [{ text: `The program made ${formatCount(total.calls)} MPI calls; their time was not measured.` }];
  }
  if (total.time === 0) return [{ text: 'No MPI call has returned yet.' }];
  const out: Phrase[] = [];
  if (share === null || elapsed === null) {
    out.push({
      text: `MPI took ${seconds(total.time)}`,
      how: 'Time in MPI of all ranks added up. The start of the run is not known, so its share of the run time is not either.',
    });
  } else {
    const more = share > 1 ? ' It is more than the run time where several threads are in MPI at once.' : '';
    out.push(
      {
        text: `MPI took ${percent(share)}`,
        how: `Time in MPI of all ranks, ${seconds(total.time)}, of ${formatCount(rankCount)} ${
          rankCount === 1 ? 'rank' : 'ranks'
        } × ${seconds(elapsed)} since the run began. A call counts when it returns.${more}`,
      },
      { text: ' of the run time' },
    );
  }
  const [top] = calls;
  if (top?.time) {
    out.push(
      { text: '; ' },
      {
        text: `${percent(top.time / total.time)} of that in ${top.name}`,
        how: `${seconds(top.time)} of the ${seconds(total.time)} in MPI. No other call took more.`,
      },
    );
  }
  return [...out, { text: '.' }];
}

const MOST_NAMED = 3;

function leastSentence(summary: MpiSummary): Sentence | null {
  const least = leastWaiting(summary);
  if (!least) return null;
  const how =
    'Per rank: time in calls that move data and in calls that only wait, without start and end of MPI and local calls. ' +
    'Ranks that come late to a call spend least time in it: the others are there already, and wait for them. ' +
    `The ranks’ mean is ${seconds(least.mean)}.`;
  if (!least.matters) {
    return [
      { text: 'No rank spends much less time in MPI communication than the others', how },
      { text: ': none holds them up.' },
    ];
  }
  const [first, ...more] = least.ranks;
  const waited =
    summary.elapsed === null ? seconds(least.waited) : `${seconds(least.waited)} of ${seconds(summary.elapsed)}`;
  if (more.length === 0) {
    return [
      { text: `Rank ${first} spends least time in MPI communication`, how },
      { text: ` (${waited}): the others wait for it.` },
    ];
  }
  const who =
    more.length < MOST_NAMED
      ? `Ranks ${least.ranks.slice(0, -1).join(', ')} and ${least.ranks.at(-1)} spend least time in MPI communication`
      : `Rank ${first} and ${formatCount(more.length)} others spend least time in MPI communication`;
  return [{ text: who, how }, { text: ` (${waited}): the others wait for them.` }];
}

/** Below this the ranks' own values are not all of the run's. */
const COVERED = 0.98;

/** The results first, then what is missing. */
export function sentences(summary: MpiSummary): { readonly results: Sentence[]; readonly missing: string[] } {
  const results = [shareSentence(summary)];
  const least = leastSentence(summary);
  if (least) results.push(least);
  const missing: string[] = [];
  const { covered, ranks, folded, total, parts } = summary;
  if (total.time !== null && total.time > 0 && parts === null) {
    missing.push('Only totals over all calls were measured.');
  }
  if (ranks.length === 0 && folded === 0) missing.push('No rank has values of its own.');
  else if (covered !== null && covered < COVERED) {
    missing.push(
      `The ranks’ own values hold ${percent(covered)} of the run’s time in MPI: what they did before the engine was restarted is in the run’s sums only.`,
    );
  }
  if (folded > 0) {
    missing.push(`${formatCount(folded)} ranks are folded into one and are in the run’s sums only.`);
  }
  return { results, missing };
}
