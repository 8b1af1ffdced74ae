import { Card } from '../../components/Card.tsx';
import type { Connection } from '../../../shared/api/connections.ts';
import { Sparkline } from '../../charts/Sparkline.tsx';
import { ratesOf } from '../../data/connections.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import { useSecond } from '../../state/clock.ts';
import { useConnection } from '../../state/connection.ts';
import { useHome } from '../../state/engine.ts';

const STEP_MS = 2000;

/** What goes over the connection now, and what went over it. */
export function Traffic({ connection }: { readonly connection: Connection }) {
  const { connections } = useHome();
  const second = useSecond();
  const skew = useConnection((s) => s.skew);
  // What was heard has the times of this machine.
  const rates = ratesOf(connections.trail(connection.id), second - skew, STEP_MS);
  const { in: received, out: sent } = connection.traffic;
  return (
    <Card
      title="Traffic"
      aside={
        <span className="v-muted">
          {formatCount(connection.channels)} {connection.channels === 1 ? 'channel' : 'channels'} open
        </span>
      }
    >
      <dl className="v-traffic">
        <Way name="received" rates={rates.in} total={received} />
        <Way name="sent" rates={rates.out} total={sent} />
      </dl>
    </Card>
  );
}

interface WayProps {
  readonly name: string;
  readonly rates: readonly (number | null)[];
  readonly total: number;
}

function Way({ name, rates, total }: WayProps) {
  // The last step is not over yet.
  const rate = rates.at(-2) ?? rates.at(-1) ?? null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Sparkline
          values={rates.slice(0, -1)}
          width={150}
          top={1024}
          label={`Bytes ${name} per second, last two minutes`}
        />
      </dd>
      <dd>
        <b>{formatValue(rate, 'B', true)}</b>
      </dd>
      <dd className="v-muted">{formatValue(total, 'B')} in all</dd>
    </div>
  );
}
