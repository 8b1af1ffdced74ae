import { Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId, useMemo, useState } from 'react';
import type { KeyboardEvent } from 'react';
import type { ConfigHost } from '../../../shared/api/connections.ts';
import { formatCount } from '../../format/units.ts';
import { useHome } from '../../state/engine.ts';

const MOST_SHOWN = 200;

interface PickerProps {
  readonly value: string;
  readonly error: string | null;
  readonly onChange: (host: string) => void;
}

/** A file of somebody's home, short. */
const shortFile = (file: string): string => file.replace(/^\/(?:home\/[^/]+|root)\//, '~/');

/** Those that begin with what is written come first. */
function select(hosts: readonly ConfigHost[], text: string): ConfigHost[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = hosts.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const begins = ({ name }: ConfigHost): boolean => name.toLowerCase().startsWith(words[0] ?? '');
  return [...found.filter(begins), ...found.filter((host) => !begins(host))];
}

/** A host as one writes it behind `ssh`; those of the configuration are offered while one types. */
export function HostPicker({ value, error, onChange }: PickerProps) {
  const { base, api } = useHome();
  const list = useId();
  const [cursor, setCursor] = useState(-1);
  const { data, error: failed } = useQuery({
    queryKey: [base, 'connections', 'hosts'],
    queryFn: ({ signal }) => api.connections.hosts(signal),
  });
  const chosen = data?.hosts.some(({ name }) => name === value.trim()) === true;
  // What was chosen is one of the list, not a search for it.
  const found = useMemo(() => (data ? select(data.hosts, chosen ? '' : value) : []), [data, value, chosen]);
  const shown = found.slice(0, MOST_SHOWN);
  const choose = (host: ConfigHost | undefined): void => {
    if (host?.connection === null) onChange(host.name);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || shown.length === 0) return;
    event.preventDefault();
    let next = cursor;
    // Those on the list already are passed over.
    do next += step;
    while (shown[next] !== undefined && shown[next]!.connection !== null);
    if (shown[next] === undefined) return;
    setCursor(next);
    choose(shown[next]);
    document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <TextInput
        size="sm"
        label="Host"
        description="as you write it behind ssh: a name of your ~/.ssh/config, or user@host"
        placeholder="login.cluster"
        data-autofocus
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls={list}
        aria-activedescendant={cursor >= 0 && shown[cursor] ? `${list}-${cursor}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        maxLength={255}
        value={value}
        error={error}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setCursor(-1);
          onChange(event.currentTarget.value);
        }}
      />
      <div className="v-hosts">
        {data === undefined && failed === null ? <Skeleton height={28} /> : null}
        <ul id={list} role="listbox" aria-label="Hosts of your ssh configuration">
          {shown.map((host, i) => (
            <li
              key={host.name}
              id={`${list}-${i}`}
              role="option"
              aria-selected={host.name === value.trim()}
              aria-disabled={host.connection !== null}
              onClick={() => choose(host)}
            >
              <bdi>{host.name}</bdi>
              <span className="v-muted" title={`${host.file}:${host.line}`}>
                {host.connection === null ? `${shortFile(host.file)}:${host.line}` : 'on the list already'}
              </span>
            </li>
          ))}
        </ul>
        {data && shown.length === 0 ? (
          <p className="v-muted">
            {data.hosts.length === 0
              ? 'Your ssh configuration names no host. Write one above, as user@host.'
              : 'No host of your ssh configuration is called so; it is taken as you write it.'}
          </p>
        ) : null}
        {found.length > shown.length ? (
          <p className="v-muted">… {formatCount(found.length - shown.length)} more</p>
        ) : null}
        {failed ? <p className="v-bad-text">{failed.message}</p> : null}
        {data?.notes.map((note) => (
          <p key={note} className="v-muted">
            {note}
          </p>
        ))}
      </div>
    </>
  );
}
