import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Keep } from '../../../shared/api/store.ts';
import { useKeeps } from '../../components/useKeeps.ts';
import { formatDateTime } from '../../format/time.ts';
import type { Access } from '../../state/mayControl.ts';
import { Card } from '../../components/Card.tsx';

/** What stays at full detail whatever its age. */
export function Keeps({ access }: { readonly access: Access }) {
  const { keeps, error, more, remove } = useKeeps();
  const [busy, setBusy] = useState<number | null>(null);
  const removeOne = async (keep: Keep): Promise<void> => {
    setBusy(keep.id);
    await remove(keep, 'It is kept no longer than its age allows.');
    setBusy(null);
  };
  return (
    <Card
      title="Kept at full detail"
      aside={<span className="v-muted">whatever its age, and however little room there is</span>}
    >
      {error ? (
        <p role="alert" className="v-bad-text">
          {error.message}
        </p>
      ) : null}
      {keeps?.length === 0 ? (
        <p>Nothing yet. Pin a run on its page, or keep a window of time with the pin above its charts.</p>
      ) : null}
      {keeps && keeps.length > 0 ? (
        <div className="v-plain-scroll">
          <table className="v-plain" aria-label="Kept at full detail">
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Note</th>
                <th scope="col">Since</th>
                <th scope="col">
                  <span className="v-hidden">Action</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keeps.map((keep) => (
                <tr key={keep.id}>
                  <td>
                    <What keep={keep} />
                  </td>
                  <td className="v-fit">{formatDateTime(keep.from)}</td>
                  <td className="v-fit">{keep.to >= OPEN ? 'its end' : formatDateTime(keep.to)}</td>
                  <td className="v-wide">
                    <bdi>{keep.note}</bdi>
                  </td>
                  <td className="v-fit">{formatDateTime(keep.created)}</td>
                  <td className="v-fit">
                    {access.refusal === null ? (
                      <Button
                        size="compact-xs"
                        variant="default"
                        loading={busy === keep.id}
                        aria-label={`Remove ${nameOf(keep)}`}
                        onClick={() => void removeOne(keep)}
                      >
                        Remove
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {more ? (
        <div>
          <Button size="xs" variant="default" onClick={more}>
            Show older ones
          </Button>
        </div>
      ) : null}
    </Card>
  );
}

/** A run that goes on has no end yet. */
const OPEN = Number.MAX_SAFE_INTEGER;

const nameOf = ({ kind, scope }: Keep): string =>
  kind === 'run' ? `run ${(scope ?? '').replace(/^run\//, '')}` : `window of ${scope ?? 'everything'}`;

function What({ keep }: { readonly keep: Keep }) {
  const { kind, scope, from, to } = keep;
  const range = `?from=${Math.round(from)}&to=${Math.round(to)}`;
  if (scope?.startsWith('run/')) {
    const id = scope.slice('run/'.length);
    return (
      <>
        {kind === 'run' ? 'Run' : 'Window of run'}{' '}
        <Link className="v-link" href={`/ui/jobs/${encodeURIComponent(id)}${kind === 'run' ? '' : range}`}>
          <bdi>{id}</bdi>
        </Link>
      </>
    );
  }
  if (scope?.startsWith('node/')) {
    const host = scope.slice('node/'.length);
    return (
      <>
        Window of node{' '}
        <Link className="v-link" href={`/ui/node/${encodeURIComponent(host)}${range}`}>
          <bdi>{host}</bdi>
        </Link>
      </>
    );
  }
  return <>{scope === null ? 'Window of everything' : <bdi>{scope}</bdi>}</>;
}
