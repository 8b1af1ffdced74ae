import { Tooltip } from '@mantine/core';
import { Figures } from '../../../components/Figures.tsx';
import type { Figure } from '../../../components/Figures.tsx';
import { formatCount, formatValue } from '../../../format/units.ts';
import { balanceOf } from './model.ts';
import type { MpiSummary } from './model.ts';
import { rateOf } from './steady.ts';
import type { Sample } from './steady.ts';
import { sentences } from './words.ts';
import type { Phrase } from './words.ts';

function Piece({ phrase }: { readonly phrase: Phrase }) {
  if (phrase.how === undefined) return <>{phrase.text}</>;
  return (
    <Tooltip label={phrase.how} multiline w={360} withArrow events={{ hover: true, focus: true, touch: true }}>
      <b tabIndex={0} className="v-explained">
        {phrase.text}
      </b>
    </Tooltip>
  );
}

/** The result in words, and the run's figures. */
export function Headline({ summary, samples }: { readonly summary: MpiSummary; readonly samples: readonly Sample[] }) {
  const { results, missing } = sentences(summary);
  return (
    <div className="v-mpi-words">
      {results.map((sentence, i) => (
        <p key={i} data-testid={i === 0 ? 'mpi-headline' : 'mpi-least'}>
          {sentence.map((phrase, n) => (
            <Piece key={n} phrase={phrase} />
          ))}
        </p>
      ))}
      {missing.map((text) => (
        <p key={text} className="v-muted">
          {text}
        </p>
      ))}
      <Figures figures={figuresOf(summary, samples)} />
    </div>
  );
}

function figuresOf(summary: MpiSummary, samples: readonly Sample[]): Figure[] {
  const { total, elapsed, rankCount, calls } = summary;
  const rate = callRate(summary, samples);
  const sized = calls.filter((row) => (row.bytes ?? 0) > 0);
  const sizedCalls = sized.reduce((sum, row) => sum + (row.calls ?? 0), 0);
  const balance = rankCount > 1 ? balanceOf(summary.ranks, 'time') : null;
  const facts: Figure[] = [
    ['Ranks', formatCount(rankCount), 'Ranks that have called MPI'],
    ['Run time', elapsed === null ? '–' : formatValue(elapsed, 's'), 'From the start of the run to these values'],
    ['Calls', formatValue(total.calls, '1'), 'Calls of all ranks'],
    ['Calls/s', formatValue(rate, '1', true), samples.length > 1 ? 'Over the last seconds' : 'Mean over the run'],
    ['Bytes', formatValue(total.bytes, 'B'), 'Bytes given to and taken from calls, of all ranks'],
    [
      'Size per call',
      sizedCalls > 0 ? formatValue(sized.reduce((sum, row) => sum + (row.bytes ?? 0), 0) / sizedCalls, 'B') : '–',
      'Mean over the calls that have a size',
    ],
  ];
  if (balance?.ratio) {
    facts.push([
      'Imbalance',
      balance.ratio.toFixed(2),
      'Largest time in MPI of a rank, divided by the mean: 1 is even',
    ]);
  }
  return facts;
}

/** Calls of all kinds per second: over the last seconds of a live run, else over all of it. */
function callRate({ calls, total, elapsed }: MpiSummary, samples: readonly Sample[]): number | null {
  const rates = calls.map((row) => rateOf(samples, row.call)).filter((rate) => rate !== null);
  if (rates.length > 0) return rates.reduce((sum, rate) => sum + rate, 0);
  return total.calls !== null && elapsed !== null ? total.calls / elapsed : null;
}
