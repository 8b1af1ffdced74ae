import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { NewToken } from '../../../shared/api/tokens.ts';
import type { AddedToken } from '../../../shared/api/tokens.ts';
import type { Role } from '../../../shared/model/role.ts';
import { Copy } from '../../components/Copy.tsx';
import { useEngine } from '../../state/engine.ts';

interface AddTokenProps {
  /** Id of the text that says why nothing can be added; null: it can. */
  readonly why: string | null;
  readonly onAdded: (token: AddedToken) => void;
}

/** A name, a role, and a button. */
export function AddToken({ why, onAdded }: AddTokenProps) {
  const engine = useEngine();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('view');
  const add = useMutation({ mutationFn: (token: NewToken) => engine.api.addToken(token), onSuccess: onAdded });
  const parsed = NewToken.safeParse({ name: name.trim(), role });
  const wrong = name.trim() === '' || parsed.success ? null : (parsed.error.issues[0]?.message ?? 'not a name');
  const described = why === null ? {} : { 'aria-describedby': why };
  return (
    <form
      className="v-form"
      aria-label="Add a token"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.success && !add.isPending) add.mutate(parsed.data);
      }}
    >
      <TextInput
        size="xs"
        label="Name of a new token"
        placeholder="who or what will use it"
        w={260}
        maxLength={64}
        autoComplete="off"
        value={name}
        disabled={why !== null}
        error={wrong ?? add.error?.message ?? null}
        {...described}
        onChange={(event) => {
          add.reset();
          setName(event.currentTarget.value);
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Role of the new token"
        data={['view', 'control'] satisfies Role[]}
        value={role}
        disabled={why !== null}
        onChange={(value) => setRole(value)}
      />
      <Button type="submit" size="xs" loading={add.isPending} disabled={why !== null || !parsed.success} {...described}>
        Add token
      </Button>
    </form>
  );
}

/** The new token, for the only time. */
export function ShownOnce({ added, done }: { readonly added: AddedToken; readonly done: () => void }) {
  return (
    <div className="v-once" role="status">
      <p>
        The token “<bdi>{added.name}</bdi>” ({added.role}). Copy it now: only its hash is kept, so it cannot be shown
        again.
      </p>
      <div className="v-once-token">
        <TextInput
          size="xs"
          readOnly
          aria-label="The new token"
          value={added.token}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Copy text={added.token} name="the new token" />
        <Button size="xs" onClick={done}>
          I have it
        </Button>
      </div>
      <p className="v-muted">
        It is entered where the page asks for a token, and sent by programs as <code>Authorization: Bearer TOKEN</code>.
      </p>
    </div>
  );
}
