import { Button } from '@mantine/core';
import { Link, useLocation } from 'wouter';
import { Icon } from '../../../components/Icon.tsx';
import { rulesText, seriesText } from '../words.ts';

interface NoAlarmsProps {
  /** Rules that are on; null: not known yet. */
  readonly rules: number | null;
  /** Series that they watch. */
  readonly series: number;
  readonly channels: number | null;
  /** Why nothing can be changed; null: it can. */
  readonly refusal: string | null;
}

/** Nothing fires: either all is well, and it is said what is watched, or nobody watches yet, and how to begin. */
export function NoAlarms({ rules, series, channels, refusal }: NoAlarmsProps) {
  const [, navigate] = useLocation();
  if (rules === null) return null;
  if (rules === 0) {
    return (
      <section className="v-card v-first" aria-labelledby="no-alarms">
        <h2 id="no-alarms">Nothing is watched yet</h2>
        <p>
          An alarm watches a number, such as the free space of a disk or the calls that a job makes, and says so when it
          leaves what you allow for as long as you say.
        </p>
        {refusal === null ? (
          <div className="v-toolbar v-flush">
            <Button size="xs" onClick={() => navigate('/ui/alarms/rules?dialog=packs')}>
              Switch on ready-made rules
            </Button>
            <Button
              size="xs"
              variant="default"
              leftSection={<Icon name="plus" size={14} />}
              onClick={() => navigate('/ui/alarms/rules/new')}
            >
              Make a rule
            </Button>
          </div>
        ) : (
          <p>{refusal}</p>
        )}
        <p className="v-muted">Or open the plot of a job or a node, and set the threshold there.</p>
      </section>
    );
  }
  return (
    <section className="v-card v-first" aria-labelledby="no-alarms">
      <h2 id="no-alarms">
        <span className="v-dot v-good" aria-hidden="true" /> Nothing fires
      </h2>
      <p>
        <Link href="/ui/alarms/rules" className="v-link">
          {rulesText(rules)}
        </Link>{' '}
        {rules === 1 ? 'watches' : 'watch'} {seriesText(series)}. What happened before is in the{' '}
        <Link href="/ui/alarms/history" className="v-link">
          history
        </Link>
        .
      </p>
      {channels === 0 ? (
        <p>
          Nobody is told when something fires:{' '}
          <Link href="/ui/alarms/channels" className="v-link">
            {refusal === null ? 'add a channel' : 'there is no channel'}
          </Link>
          {refusal === null ? ', such as e-mail or a desktop notification.' : '.'}
        </p>
      ) : null}
    </section>
  );
}
