import { useQuery } from '@tanstack/react-query';
import type { Status } from '../../../shared/api/status.ts';
import { parseDuration } from '../../../shared/duration.ts';
import { Fact } from '../../components/Fact.tsx';
import { formatCount, formatValue } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import type { Access } from '../../state/mayControl.ts';
import { Card } from '../../components/Card.tsx';
import { RetentionForm } from './RetentionForm.tsx';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What is stored grows slowly. */
const REFRESH_MS = 30_000;

/** `14d` for people: `14 days`. */
function ageText(duration: string): string {
  const ms = parseDuration(duration) ?? 0;
  const [count, unit] = ms >= 2 * DAY ? [ms / DAY, 'day'] : [ms / HOUR, 'hour'];
  return `${formatCount(count)} ${unit}${Math.round(count) === 1 ? '' : 's'}`;
}

interface RetentionProps {
  readonly retention: Status['retention'];
  /** On disk, where it can be changed. */
  readonly stored: boolean;
  readonly access: Access;
}

/** How long what is kept, what it takes and will take. */
export function Retention({ retention, stored, access }: RetentionProps) {
  const { samples, bytes, runs, profiles, audit } = retention;
  const most = (count: number | null): string =>
    count === null ? 'until they are deleted' : `the newest ${formatCount(count)}`;
  return (
    <Card title="Retention" aside={<span className="v-muted">what the store keeps, and for how long</span>}>
      <dl className="v-facts">
        <Fact name="Samples">
          {ageText(samples)}
          {stored || bytes === null ? '' : `, and at most ${formatValue(bytes, 'B')} with all else`}
        </Fact>
        <Fact name="Ended runs">{most(runs)}</Fact>
        <Fact name="Profiles">{most(profiles)}</Fact>
        <Fact name="Audit log">the newest {formatCount(audit)} entries</Fact>
      </dl>
      {stored ? <Stored access={access} /> : null}
    </Card>
  );
}

function Stored({ access }: { readonly access: Access }) {
  const engine = useEngine();
  const { data, error } = useQuery({
    queryKey: [engine.base, 'retention'],
    queryFn: ({ signal }) => engine.api.retention(signal),
    refetchInterval: REFRESH_MS,
  });
  if (data) return <RetentionForm state={data} access={access} />;
  if (!error) return <div className="v-retention-wait" role="status" aria-label="Loading what is kept" />;
  return (
    <p role="alert" className="v-bad-text">
      {error.message}
    </p>
  );
}
