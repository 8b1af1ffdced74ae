import { useMemo } from 'react';
import { Copy } from '../../../components/Copy.tsx';
import { formatCount } from '../../../format/units.ts';
import { distinct } from './model.ts';
import type { Comparison } from './useComparison.ts';

/** Names of runs that are told before the rest is counted. */
const MOST_NAMED = 6;
const MOST_VALUES = 12;

const FIELDS: ReadonlyMap<string, string> = new Map([
  ['command', 'Command'],
  ['size', 'Size'],
  ['state', 'State'],
  ['nodes', 'Nodes'],
  ['nodelist', 'Node list'],
  ['partition', 'Partition'],
  ['cluster', 'Cluster'],
  ['run_dir', 'Directory'],
  ['ranks', 'Ranks'],
  ['user', 'User'],
  ['tags', 'Tags'],
  ['engine', 'Engine'],
]);

const fieldName = (field: string): string => FIELDS.get(field) ?? field.charAt(0).toUpperCase() + field.slice(1);

/** What is not the same in the runs' descriptions, and what is. */
export function Descriptions({ compared, label }: Comparison) {
  const { differences, common, runs } = compared;
  const shown = useMemo(
    () =>
      differences
        // By it the runs are named beside every other value.
        .filter(({ field }) => field !== 'jobid')
        .map(({ field, values }) => ({ field, values: distinct(values) })),
    [differences],
  );
  const names = (places: readonly number[]): string => {
    const named = places.slice(0, MOST_NAMED).flatMap((i) => (runs[i] ? [label(runs[i])] : []));
    const rest = places.length - named.length;
    return `${named.join(', ')}${rest > 0 ? ` and ${formatCount(rest)} more` : ''}`;
  };
  return (
    <div className="v-sheet">
      <section className="v-card" aria-label="What differs">
        <h2>What differs</h2>
        {shown.length === 0 ? (
          <p className="v-muted">Nothing: the runs are described in the same words.</p>
        ) : (
          <dl className="v-differs" data-testid="description-differences">
            {shown.map(({ field, values }) => (
              <div key={field}>
                <dt>{fieldName(field)}</dt>
                <dd>
                  <ul>
                    {values.slice(0, MOST_VALUES).map(({ value, runs: places }) => (
                      <li key={value}>
                        <bdi className="v-value">{value === '' ? 'not told' : value.slice(0, 2000)}</bdi>
                        <span className="v-muted">
                          <bdi>{names(places)}</bdi>
                        </span>
                      </li>
                    ))}
                    {values.length > MOST_VALUES ? (
                      <li className="v-muted">and {formatCount(values.length - MOST_VALUES)} other values</li>
                    ) : null}
                  </ul>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      {common.length === 0 ? null : (
        <section className="v-card" aria-label="What is the same">
          <h2>What is the same</h2>
          <dl className="v-facts">
            {common.map(({ field, value }) => (
              <div key={field}>
                <dt>{fieldName(field)}</dt>
                <dd>
                  <bdi>{value.slice(0, 2000)}</bdi> <Copy text={value} name={field} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </div>
  );
}
