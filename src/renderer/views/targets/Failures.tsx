import type { Target } from '../../../shared/api/targets.ts';
import { formatDateTime } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';

/** A target's last failures and what of its answers was left out. */
export function Failures({ target }: { readonly target: Target }) {
  const refused = Object.entries(target.refused).filter(([, count]) => count > 0);
  return (
    <div className="v-target-tab">
      {target.errors.length === 0 ? (
        <p className="v-muted">No scrape has failed since this engine started.</p>
      ) : (
        <table className="v-plain" aria-label="Last failures">
          <thead>
            <tr>
              <th scope="col">Last at</th>
              <th scope="col">State</th>
              <th scope="col" className="v-num">
                In a row
              </th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {target.errors.map((one) => (
              <tr key={`${one.time} ${one.reason}`}>
                <td className="v-fit">{formatDateTime(one.time)}</td>
                <td className="v-fit">{one.state}</td>
                <td className="v-num">{formatCount(one.count)}</td>
                <td className="v-wide">{one.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {refused.length === 0 ? null : (
        <section aria-label="Samples left out">
          <h3>Samples left out</h3>
          <dl className="v-facts">
            {refused.map(([reason, count]) => (
              <div key={reason}>
                <dt>{reason.replaceAll('_', ' ')}</dt>
                <dd>{formatCount(count)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </div>
  );
}
