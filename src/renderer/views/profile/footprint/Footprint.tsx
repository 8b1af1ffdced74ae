import type { FootprintAxis, ProfileAnalysis } from '../../../../shared/api/profile-analysis.ts';
import { runsText } from '../../profiles/words.ts';
import { amountText, LIGHTS, relativeOf } from '../analysis/words.ts';
import { Radar } from './Radar.tsx';

/** A bar ends at this many times what is usual. */
const BAR_END = 2;
/** Fewer corners are no picture. */
const LEAST_CORNERS = 3;

/** The run against the best and the usual one of its command, with a verdict in words for each thing. */
export function Footprint({ footprint }: { readonly footprint: ProfileAnalysis['footprint'] }) {
  const { axes, compared, group } = footprint;
  const corners = axes.filter((axis) => relativeOf(axis) !== null);
  return (
    <section className="v-card" aria-labelledby="footprint-title">
      <div className="v-card-head">
        <h3 id="footprint-title">Footprint</h3>
        <span className="v-muted" title={group.slice(0, 2000)}>
          {compared === 0
            ? 'no other finished run of this command and size to hold it against'
            : `against ${runsText(compared)} of the same command and size`}
        </span>
      </div>
      {axes.length === 0 ? (
        <p className="v-muted">Nothing of this run was measured that could be held against others.</p>
      ) : (
        <div className="v-footprint">
          <div className="v-footprint-scroll">
            <FootprintTable axes={axes} />
            {corners.length > 0 ? (
              <p className="v-footprint-key v-muted">
                Bar: this run, line: usual, ring: best; the bar ends at twice the usual.
              </p>
            ) : null}
          </div>
          {corners.length >= LEAST_CORNERS ? <Radar axes={corners} /> : null}
        </div>
      )}
    </section>
  );
}

function FootprintTable({ axes }: { readonly axes: readonly FootprintAxis[] }) {
  return (
    <table className="v-footprint-table" data-testid="footprint">
      <caption className="v-hidden">The run against others of its command</caption>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Verdict</th>
          <th scope="col" className="v-num">
            This run
          </th>
          <th scope="col" className="v-num">
            Usual
          </th>
          <th scope="col" className="v-num">
            Best
          </th>
          <th scope="col">Against usual</th>
          <th scope="col">In words</th>
        </tr>
      </thead>
      <tbody>
        {axes.map((axis) => (
          <tr key={axis.id}>
            <th scope="row">{axis.name}</th>
            <td>
              <Verdict axis={axis} />
            </td>
            <td className="v-num">{amountText(axis.value, axis.unit)}</td>
            <td className="v-num">{amountText(axis.usual, axis.unit)}</td>
            <td className="v-num">{amountText(axis.best, axis.unit)}</td>
            <td>
              <Bullet axis={axis} />
            </td>
            <td className="v-footprint-words">{axis.words}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Verdict({ axis: { verdict } }: { readonly axis: FootprintAxis }) {
  const { sign, word } = LIGHTS[verdict];
  return (
    <span className={`v-verdict v-verdict-${verdict}`}>
      <span aria-hidden="true">{sign}</span> {word}
    </span>
  );
}

/** The value as a bar, the usual one as a line, the best one as a ring. The numbers stand beside it. */
function Bullet({ axis }: { readonly axis: FootprintAxis }) {
  const { value, usual, best } = axis;
  if (value === null || usual === null || !(usual > 0) || !(value >= 0)) return null;
  const at = (one: number): string => `${Math.min(100, (100 * one) / usual / BAR_END)}%`;
  return (
    <span className="v-bullet" aria-hidden="true">
      <span className={`v-bullet-value v-verdict-${axis.verdict}`} style={{ width: at(value) }} />
      <span className="v-bullet-usual" style={{ left: at(usual) }} />
      {best !== null && best >= 0 ? <span className="v-bullet-best" style={{ left: at(best) }} /> : null}
    </span>
  );
}
