import { useComputedColorScheme } from '@mantine/core';
import type { Phase } from '../../../../shared/api/profile-analysis.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { lineColour } from '../../../charts/colours.ts';
import { fitSpan, rangeParams } from '../../../charts/range.ts';
import { formatElapsed } from '../../../format/time.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { runTime } from '../../profiles/words.ts';
import { amountText, kindName, kindsOf, stretchOf } from './words.ts';

/** More of them in a list help nobody. */
const MOST_LISTED = 60;
const MOST_SERIES = 3;

interface PhasesProps {
  readonly phases: readonly Phase[];
  readonly run: Run;
}

/** The run's time as stretches in which it did the same kind of thing; each leads to its charts. */
export function Phases({ phases, run }: PhasesProps) {
  const [, setParams] = useUrlQuery();
  const scheme = useComputedColorScheme('light');
  const kinds = kindsOf(phases);
  const whole = { from: run.start_time, to: Math.max(run.end_time, run.start_time + 1000) };
  const zoom = ({ from, to }: Phase): void =>
    setParams({ tab: null, ...rangeParams({ kind: 'fixed', ...fitSpan({ from, to }, whole) }) }, true);
  const listed = phases.slice(0, MOST_LISTED);
  return (
    <section className="v-card" aria-labelledby="phases-title">
      <div className="v-card-head">
        <h3 id="phases-title">Phases</h3>
        <span className="v-muted">a phase leads to the charts of its time</span>
      </div>
      {phases.length === 0 ? (
        <p className="v-muted">There is no history of the run to tell phases from.</p>
      ) : (
        <>
          <div className="v-phases" aria-hidden="true" data-testid="phases-strip">
            {listed.map((phase, i) => {
              const { left, width } = stretchOf(phase, whole);
              return (
                <button
                  key={phase.from}
                  type="button"
                  tabIndex={-1}
                  title={phase.words}
                  style={{ left: `${left}%`, width: `${width}%`, background: lineColour(scheme, kinds[i]!) }}
                  onClick={() => zoom(phase)}
                >
                  {kindName(kinds[i]!)}
                </button>
              );
            })}
          </div>
          <div className="v-phases-ends v-muted">
            <span>0:00</span>
            <span>{formatElapsed(whole.to - whole.from)}</span>
          </div>
          <ol className="v-phases-list" data-testid="phases-list">
            {listed.map((phase, i) => (
              <li key={phase.from}>
                <span
                  className="v-phases-kind"
                  aria-hidden="true"
                  style={{ background: lineColour(scheme, kinds[i]!) }}
                >
                  {kindName(kinds[i]!)}
                </span>
                <button type="button" className="v-profile-rank" onClick={() => zoom(phase)}>
                  {formatElapsed(Math.max(0, phase.from - whole.from))} –{' '}
                  {formatElapsed(Math.max(0, phase.to - whole.from))}
                </button>
                <span className="v-muted">{runTime(phase.to - phase.from)}</span>
                <span>
                  <bdi>{phase.words}</bdi>
                  <Top phase={phase} />
                </span>
              </li>
            ))}
          </ol>
          {phases.length > listed.length ? (
            <p className="v-muted">{phases.length - listed.length} more phases are not listed.</p>
          ) : null}
        </>
      )}
    </section>
  );
}

/** The series that tell a phase from the others. */
function Top({ phase: { top } }: { readonly phase: Phase }) {
  if (top.length === 0) return null;
  const parts = top.slice(0, MOST_SERIES).map(({ name, unit, rate }) => `${name} ${amountText(rate, unit, true)}`);
  return (
    <span className="v-muted">
      : <bdi>{parts.join(', ')}</bdi>
    </span>
  );
}
