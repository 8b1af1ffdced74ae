/** Other engines whose profiles are kept here. */

import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createContext, useMemo } from 'react';
import { useEngine } from '../../../state/engine.ts';

/** Names by the engines' ids. */
export const EngineNames = createContext<ReadonlyMap<string, string>>(new Map());

/** Whose profiles the list shows, as {@link EngineChoice} has it. */
export const ShownEngine = createContext<string | null>(null);

/** Those of which there are profiles here; empty while it is not known. */
export function useKeptEngines(): ReadonlyMap<string, string> {
  const engine = useEngine();
  const { data } = useQuery({
    queryKey: [engine.base, 'engines'],
    queryFn: ({ signal }) => engine.api.profiles.engines(signal),
    staleTime: 30_000,
    retry: false,
  });
  return useMemo(
    () =>
      new Map(
        (data?.engines ?? [])
          .filter(({ connection, profiles }) => connection !== null && profiles > 0)
          .map(({ id, name }) => [id, name]),
      ),
    [data],
  );
}

interface EngineChoiceProps {
  readonly engines: ReadonlyMap<string, string>;
  /** Null: this one. */
  readonly value: string | null;
  readonly onChange: (engine: string | null) => void;
}

/** Whose profiles are shown; nothing where there are only this engine's own. */
export function EngineChoice({ engines, value, onChange }: EngineChoiceProps) {
  if (engines.size === 0 && value === null) return null;
  const named = [...engines].map(([id, name]) => ({ value: id, label: name }));
  const unknown = value !== null && value !== 'all' && !engines.has(value);
  return (
    <NativeSelect
      size="xs"
      aria-label="Engine"
      value={value ?? ''}
      onChange={({ currentTarget }) => onChange(currentTarget.value === '' ? null : currentTarget.value)}
      data={[
        { value: '', label: 'This engine' },
        { value: 'all', label: 'All engines' },
        ...named,
        ...(unknown ? [{ value, label: `engine ${value.slice(0, 8)}` }] : []),
      ]}
    />
  );
}
