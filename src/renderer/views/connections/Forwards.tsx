import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Connection, Forward, NewForward } from '../../../shared/api/connections.ts';
import { MAX_FORWARDS } from '../../../shared/api/connections.ts';
import { Card } from '../../components/Card.tsx';
import { Copy } from '../../components/Copy.tsx';
import { readFar, readPort } from '../../data/connections.ts';
import { formatCount } from '../../format/units.ts';
import { useHome } from '../../state/engine.ts';
import type { ConnectionActions } from './useConnectionActions.tsx';
import { listenText } from './words.ts';

interface ForwardsProps {
  readonly connection: Connection;
  readonly may: boolean;
  readonly actions: ConnectionActions;
}

/** Ports of this machine that lead over there: only those that somebody asked for. */
export function Forwards({ connection, may, actions }: ForwardsProps) {
  const { forwards } = connection;
  return (
    <Card title="Forwards" aside={<span className="v-muted">ports of this machine that lead over there</span>}>
      {forwards.length === 0 ? (
        <p className="v-muted">None is open, and this console needs none.</p>
      ) : (
        <table className="v-list" aria-label="Forwards">
          <thead>
            <tr>
              <th scope="col">Here</th>
              <th scope="col">Over there</th>
              <th scope="col">In use</th>
              <th scope="col">
                <span className="v-hidden">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {forwards.map((forward) => (
              <Row
                key={forward.id}
                forward={forward}
                may={may}
                close={() => void actions.removeForward(connection, forward)}
              />
            ))}
          </tbody>
        </table>
      )}
      {may && forwards.length < MAX_FORWARDS ? <AddForward id={connection.id} /> : null}
      <p className="v-muted v-small">
        A forward listens on 127.0.0.1 only. On a shared machine every user who is logged in there can use the port.
      </p>
    </Card>
  );
}

interface RowProps {
  readonly forward: Forward;
  readonly may: boolean;
  readonly close: () => void;
}

function Row({ forward, may, close }: RowProps) {
  const { to, open, listening, problem } = forward;
  const here = listenText(forward);
  return (
    <>
      <tr>
        <td>
          <span className="v-with-copy">
            <code>{here}</code>
            {listening ? <Copy text={here} name={`the address ${here}`} /> : null}
          </span>
        </td>
        <td>
          <code>{to}</code>
        </td>
        <td className="v-muted">{!listening ? 'not open' : open === 0 ? 'no' : `${formatCount(open)} open`}</td>
        <td className="v-num">
          <Button size="compact-xs" variant="default" disabled={!may} aria-label={`Close ${here}`} onClick={close}>
            Close
          </Button>
        </td>
      </tr>
      {problem === null ? null : (
        <tr>
          <td colSpan={4} className="v-bad-text v-words">
            {problem}
          </td>
        </tr>
      )}
    </>
  );
}

function AddForward({ id }: { readonly id: string }) {
  const { api } = useHome();
  const [port, setPort] = useState('');
  const [far, setFar] = useState('');
  const [tried, setTried] = useState(false);
  const add = useMutation({
    mutationFn: (body: NewForward) => api.connections.addForward(id, body),
    onSuccess: () => {
      setPort('');
      setFar('');
      setTried(false);
    },
  });
  const here = readPort(port);
  const to = readFar(far);
  const wrongFar = typeof to === 'string' && (tried || far !== '') ? to : null;
  return (
    <form
      className="v-add-forward"
      aria-label="Open a forward"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (typeof here === 'number' && typeof to !== 'string' && !add.isPending) add.mutate({ port: here, to });
      }}
    >
      <TextInput
        size="xs"
        label="Over there"
        placeholder="8888, node7:8888 or /path/of/a.socket"
        spellCheck={false}
        autoComplete="off"
        maxLength={1024}
        value={far}
        error={wrongFar ?? add.error?.message}
        onChange={(event) => {
          add.reset();
          setFar(event.currentTarget.value);
        }}
      />
      <TextInput
        size="xs"
        label="Port here"
        placeholder="any free one"
        inputMode="numeric"
        autoComplete="off"
        maxLength={6}
        value={port}
        error={typeof here === 'string' ? here : null}
        onChange={(event) => {
          add.reset();
          setPort(event.currentTarget.value);
        }}
      />
      <Button type="submit" size="xs" variant="default" loading={add.isPending}>
        Open
      </Button>
    </form>
  );
}
