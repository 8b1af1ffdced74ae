import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AddedToken, TokenInfo } from '../../../shared/api/tokens.ts';
import { OWNER } from '../../../shared/model/role.ts';
import { Command } from '../../components/Copy.tsx';
import { formatDateTime } from '../../format/time.ts';
import { useEngine } from '../../state/engine.ts';
import { AddToken, ShownOnce } from './AddToken.tsx';
import { Card } from '../../components/Card.tsx';
import { RevokeToken } from './RevokeToken.tsx';
import type { Access } from '../../state/mayControl.ts';

/** Who may come in. Without control it says why nothing can be done here. */
export function Tokens({ access }: { readonly access: Access }) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [added, setAdded] = useState<AddedToken | null>(null);
  const [revoking, setRevoking] = useState<TokenInfo | null>(null);
  const { refusal } = access;
  const { data, error } = useQuery({
    queryKey: [engine.base, 'tokens'],
    queryFn: ({ signal }) => engine.api.tokens(signal),
    enabled: refusal === null,
    refetchInterval: 15_000,
  });
  const changed = (): void => {
    void queries.invalidateQueries({ queryKey: [engine.base, 'tokens'] });
    void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
  };
  const tokens = data?.tokens ?? [];
  return (
    <Card title="Tokens" aside={<span className="v-muted">view: look only · control: everything</span>}>
      {refusal === null ? null : <p id="why-no-tokens">{refusal}</p>}
      {error ? (
        <p role="alert" className="v-bad-text">
          {error.message}
        </p>
      ) : null}
      {added ? (
        <ShownOnce added={added} done={() => setAdded(null)} />
      ) : (
        <AddToken
          why={refusal === null ? null : 'why-no-tokens'}
          onAdded={(token) => {
            setAdded(token);
            changed();
          }}
        />
      )}
      {data ? <TokenTable tokens={tokens} self={access.who?.name ?? ''} onRevoke={setRevoking} /> : null}
      {data && tokens.every(({ name }) => name === OWNER) ? (
        <>
          <p>Nobody else has a token yet. Add one above, or in a shell:</p>
          <Command name="the command" text="./bin/vigie token add colleague --role view" />
        </>
      ) : null}
      {revoking ? (
        <RevokeToken
          token={revoking}
          self={access.who?.by === 'token' && access.who.name === revoking.name}
          close={() => setRevoking(null)}
          onRevoked={() => {
            notifications.show({ message: `The token “${revoking.name}” is revoked.` });
            setRevoking(null);
            changed();
          }}
        />
      ) : null}
    </Card>
  );
}

interface TableProps {
  readonly tokens: readonly TokenInfo[];
  /** Name of the token that this page uses. */
  readonly self: string;
  readonly onRevoke: (token: TokenInfo) => void;
}

function TokenTable({ tokens, self, onRevoke }: TableProps) {
  return (
    <div className="v-plain-scroll">
      <table className="v-plain" aria-label="Tokens">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="v-hidden">Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.name}>
              <td>
                <bdi>{token.name}</bdi>{' '}
                <span className="v-muted">
                  {token.name === OWNER ? 'in the token file' : ''}
                  {token.name === self ? ' (this page)' : ''}
                </span>
              </td>
              <td className="v-fit">{token.role}</td>
              <td className="v-fit">{formatDateTime(token.created)}</td>
              <td className="v-fit">{token.last_used === 0 ? 'never' : formatDateTime(token.last_used)}</td>
              <td className="v-fit">
                {token.name === OWNER ? null : (
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-label={`Revoke ${token.name}`}
                    onClick={() => onRevoke(token)}
                  >
                    Revoke…
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
