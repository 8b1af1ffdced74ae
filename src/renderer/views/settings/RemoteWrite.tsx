import type { Status } from '../../../shared/api/status.ts';
import { formatShortSpan } from '../../format/time.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import { Card } from '../../components/Card.tsx';

/** Other stores that samples are sent to, and how that goes. Nothing where there are none. */
export function RemoteWrite({ destinations }: { readonly destinations: Status['remote_write'] }) {
  if (destinations.length === 0) return null;
  return (
    <Card title="Sent to other stores" aside={<span className="v-muted">remote_write: in the configuration file</span>}>
      <div className="v-plain-scroll">
        <table className="v-plain" aria-label="Sent to other stores">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Address</th>
              <th scope="col" className="v-num">
                Samples sent
              </th>
              <th scope="col" className="v-num">
                Behind
              </th>
              <th scope="col" className="v-num">
                Waiting
              </th>
              <th scope="col" className="v-num">
                Not sent
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {destinations.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <bdi>{one.name}</bdi>
                </th>
                <td className="v-wide">
                  <bdi>{one.url}</bdi>
                </td>
                <td className="v-num">{formatCount(one.sent)}</td>
                <td className="v-num">{formatShortSpan(one.lag_ms)}</td>
                <td className="v-num">{formatValue(one.queued_bytes, 'B')}</td>
                <td className="v-num" title={droppedText(one.dropped)}>
                  {formatCount(Object.values(one.dropped).reduce((sum, count) => sum + count, 0))}
                </td>
                <td className={one.error === null ? 'v-fit' : 'v-wide v-bad-text'}>
                  <bdi>{one.error ?? 'works'}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

const droppedText = (dropped: Readonly<Record<string, number>>): string =>
  Object.entries(dropped)
    .map(([reason, count]) => `${reason}: ${formatCount(count)}`)
    .join(', ') || 'nothing was lost';
