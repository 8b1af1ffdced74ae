import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Check } from '../../../shared/api/diagnosis.ts';
import { formatClock } from '../../format/time.ts';
import { useConnection } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { pageChecks, worstFirst } from './pageChecks.ts';

/** How often the checks are made anew while they are looked at. */
const AGAIN_MS = 60_000;

/** The version this page was built with. */
const ownVersion = (): string | null =>
  document.querySelector<HTMLMetaElement>('meta[name="vigie-version"]')?.content ?? null;

/** What the engine and this page find: what needs somebody first, the rest on request. */
export function Checks() {
  const engine = useEngine();
  const [all, setAll] = useState(false);
  const version = useConnection((s) => s.status?.version ?? null);
  // To the second: it wavers with each status.
  const skew = useConnection((s) => Math.round(s.skew / 1000) * 1000);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: [engine.base, 'diagnosis'],
    queryFn: ({ signal }) => engine.api.diagnosis(signal),
    refetchInterval: AGAIN_MS,
  });
  const own = version === null ? [] : pageChecks({ page: ownVersion(), engine: version, skew });
  const checks = worstFirst([...own, ...(data?.checks ?? [])]);
  const good = checks.filter((check) => check.level === 'ok').length;
  const shown = all ? checks : checks.filter((check) => check.level !== 'ok');
  return (
    <section className="v-card" aria-labelledby="checks-title">
      <div className="v-card-head">
        <h2 id="checks-title">Checks</h2>
        {data ? (
          <span className="v-muted" data-testid="checks-summary">
            {summary(checks)}, at {formatClock(data.time)}
          </span>
        ) : null}
        <span className="v-spacer" />
        {good > 0 ? (
          <Button size="compact-xs" variant="default" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Hide' : 'Show'} {good} that are in order
          </Button>
        ) : null}
        <Button
          size="compact-xs"
          variant="default"
          loading={isFetching && data !== undefined}
          onClick={() => void refetch()}
        >
          Check again
        </Button>
      </div>
      {error ? (
        <p role="alert" className="v-bad-text">
          {error.message}
        </p>
      ) : null}
      {data === undefined && !error ? <p className="v-muted">Looking…</p> : null}
      {data && shown.length === 0 ? <p>Everything is in order.</p> : null}
      {shown.length > 0 ? (
        <ul className="v-checks" aria-label="Checks">
          {shown.map((check, i) => (
            <OneCheck key={`${check.id} ${i}`} check={check} />
          ))}
        </ul>
      ) : null}
    </section>
  );
}

const TONES = { ok: 'good', warning: 'warn', problem: 'bad' } as const;

function OneCheck({ check }: { readonly check: Check }) {
  return (
    <li>
      <span className="v-check-level">
        <span className={`v-dot v-${TONES[check.level]}`} aria-hidden="true" /> {check.level}
      </span>
      <span>
        <bdi>{check.found}</bdi>
        {check.advice === null ? null : (
          <>
            <br />
            <span className="v-muted">
              What to do: <bdi>{check.advice}</bdi>
            </span>
          </>
        )}
      </span>
    </li>
  );
}

function summary(checks: readonly Check[]): string {
  const of = (level: Check['level']): number => checks.filter((check) => check.level === level).length;
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${plural(of('problem'), 'problem')}, ${plural(of('warning'), 'warning')}, ${of('ok')} in order`;
}
