import { Button, Loader } from '@mantine/core';
import { Link } from 'wouter';
import type { ProbeResult } from '../../../shared/api/targets.ts';
import { dayBytesAt } from '../../data/targets.ts';
import { formatShortSpan } from '../../format/time.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import type { ProbeState } from './useProbe.ts';
import { shortUrl, typeName } from './words.ts';

const MOST_METRICS = 8;

interface ProbeAnswerProps {
  readonly probe: ProbeState;
  /** Period that is typed in the form: what a day costs follows it. */
  readonly period: string;
  /** Nothing was typed that could be asked. */
  readonly idle: string;
  /** Trust the certificate that could not be verified. */
  readonly onPin: (fingerprint: string) => void;
}

/** What the engine found at the address, while one still types. */
export function ProbeAnswer({ probe, period, idle, onPin }: ProbeAnswerProps) {
  const { asking, result, error } = probe;
  return (
    <div className="v-probe" role="status" aria-label="What is there" aria-busy={asking}>
      {asking ? (
        <p className="v-muted">
          <Loader size={12} aria-hidden="true" /> Looking what is there…
        </p>
      ) : error ? (
        <p className="v-bad-text">{error.message}</p>
      ) : result === null ? (
        <p className="v-muted">{idle}</p>
      ) : result.reason !== null ? (
        <Wrong result={result} again={probe.again} onPin={onPin} />
      ) : (
        <Found result={result} cost={dayBytesAt(result.day_bytes, probe.period, period)} />
      )}
    </div>
  );
}

function Found({ result, cost }: { readonly result: ProbeResult; readonly cost: number | null }) {
  const shown = result.metrics.slice(0, MOST_METRICS);
  const left = result.kept - shown.reduce((sum, metric) => sum + metric.series, 0);
  return (
    <>
      <p>
        <span className="v-dot v-good" aria-hidden="true" /> <b>{typeName(result.type)}</b> at{' '}
        <bdi className="v-address">{result.url}</bdi>, answered in {formatShortSpan(result.duration)}
        {result.known === null ? null : (
          <>
            {' '}
            – it is <Link href={`/ui/targets/${encodeURIComponent(result.known)}`}>on the list already</Link>
          </>
        )}
      </p>
      <dl className="v-figures">
        <div>
          <dt>series</dt>
          <dd>
            {result.kept === result.series
              ? formatCount(result.series)
              : `${formatCount(result.kept)} of ${formatCount(result.series)} stay`}
          </dd>
        </div>
        <div>
          <dt>a scrape</dt>
          <dd>{formatValue(result.bytes, 'B')}</dd>
        </div>
        <div>
          <dt>a day on disk</dt>
          <dd>{cost === null ? '–' : `about ${formatValue(cost, 'B')}`}</dd>
        </div>
      </dl>
      {result.kept === 0 && result.series > 0 ? (
        <p className="v-bad-text">The filter leaves nothing of it.</p>
      ) : shown.length === 0 ? null : (
        <ul className="v-metrics" aria-label="First metrics">
          {shown.map((metric) => (
            <li key={metric.name} title={metric.doc}>
              <code>{metric.name}</code>
              <span className="v-muted">
                {metric.kind}
                {metric.series === 1 ? '' : `, ${formatCount(metric.series)} series`}
              </span>
            </li>
          ))}
          {left > 0 ? <li className="v-muted">and {formatCount(left)} more series</li> : null}
        </ul>
      )}
      {result.notes.map((note) => (
        <p key={note} className="v-muted">
          {note}
        </p>
      ))}
    </>
  );
}

interface WrongProps {
  readonly result: ProbeResult;
  readonly again: () => void;
  readonly onPin: (fingerprint: string) => void;
}

/** What was tried; what is wrong stands beside the address. */
function Wrong({ result, again, onPin }: WrongProps) {
  const { fingerprint } = result;
  // What stands beside the address need not be said again.
  const tried = result.tried.filter((one) => one.reason !== result.reason);
  return (
    <>
      {fingerprint === null ? null : (
        <div className="v-pin">
          <p>
            Compare the fingerprint with what the target’s owner tells you; if it is the same, trust this certificate:
          </p>
          <code>{fingerprint}</code>
          <Button size="compact-xs" variant="default" onClick={() => onPin(fingerprint)}>
            Trust this certificate
          </Button>
        </div>
      )}
      {tried.length === 0 ? null : (
        <ul className="v-tried" aria-label="What was tried">
          {tried.map((one) => (
            <li key={`${one.url} ${one.type}`}>
              <bdi>{shortUrl(one.url)}</bdi> as {typeName(one.type)}: {one.reason}
            </li>
          ))}
        </ul>
      )}
      <div className="v-toolbar v-flush">
        <Button size="compact-xs" variant="default" onClick={again}>
          Look again
        </Button>
        <span className="v-muted">It can be added all the same: it is tried again and again.</span>
      </div>
    </>
  );
}
