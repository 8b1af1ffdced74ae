import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { AuditEntry } from '../../../shared/api/audit.ts';
import { Copy } from '../../components/Copy.tsx';
import { toCsv } from '../../format/csv.ts';
import { formatDateTime } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { Card } from '../../components/Card.tsx';
import type { Access } from '../../state/mayControl.ts';

const PAGE = 50;

/** Whom an entry names, in words. */
function whoText({ by, name }: AuditEntry['who']): string {
  switch (by) {
    case 'token':
      return `token ${name}`;
    case 'socket':
      return `socket, ${name}`;
    case 'compat':
      return `no token, from ${name}`;
    case 'file':
      return `edited in ${name}`;
  }
}

const outcomeText = ({ outcome, status }: AuditEntry): string =>
  outcome === 'done' || status === 0 ? outcome : `${outcome} (${status})`;

function csvOf(entries: readonly AuditEntry[]): string {
  const head = ['time', 'last', 'count', 'who', 'what', 'parameters', 'outcome', 'status'];
  const iso = (ms: number): string => new Date(ms).toISOString();
  return toCsv([
    head,
    ...entries.map((each) => [
      iso(each.time),
      iso(each.last),
      each.count,
      whoText(each.who),
      each.what,
      each.summary,
      each.outcome,
      each.status,
    ]),
  ]);
}

/** Who changed what, newest first. */
export function Audit({ access }: { readonly access: Access }) {
  const engine = useEngine();
  const { refusal } = access;
  const { data, error, isFetching, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: [engine.base, 'audit'],
    queryFn: ({ pageParam, signal }) => engine.api.audit(pageParam, PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: refusal === null,
  });
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Card
      title="Audit log"
      aside={
        <>
          <span className="v-muted">who changed what</span>
          <span className="v-spacer" />
          {entries.length > 0 ? <Copy text={csvOf(entries)} name="the shown entries as CSV" /> : null}
          <Button
            size="compact-xs"
            variant="default"
            disabled={refusal !== null}
            loading={isFetching && data !== undefined}
            onClick={() => void refetch()}
          >
            Refresh
          </Button>
        </>
      }
    >
      {refusal === null ? null : <p>{refusal}</p>}
      {error ? (
        <p role="alert" className="v-bad-text">
          {error.message}
        </p>
      ) : null}
      {data && entries.length === 0 ? (
        <p>Nothing was changed yet. Tokens that are added or revoked appear here, and counters set over HTTP.</p>
      ) : null}
      {entries.length > 0 ? <AuditTable entries={entries} /> : null}
      {hasNextPage ? (
        <div>
          <Button size="xs" variant="default" loading={isFetching} onClick={() => void fetchNextPage()}>
            Show older ones
          </Button>
        </div>
      ) : null}
    </Card>
  );
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <div className="v-plain-scroll">
      <table className="v-plain" aria-label="Audit log">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Parameters</th>
            <th scope="col" className="v-num">
              Times
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td className="v-fit" title={`last ${formatDateTime(entry.last)}`}>
                {formatDateTime(entry.time)}
              </td>
              <td>
                <bdi>{whoText(entry.who)}</bdi>
              </td>
              <td>{entry.what}</td>
              <td className="v-wide">
                <bdi>{entry.summary}</bdi>
              </td>
              <td className="v-num">{formatCount(entry.count)}</td>
              <td className={entry.outcome === 'done' ? 'v-fit' : 'v-fit v-bad-text'}>{outcomeText(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
