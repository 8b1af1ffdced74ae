import { TextInput } from '@mantine/core';
import type { Ref } from 'react';
import { Icon } from './Icon.tsx';

interface SearchFieldProps {
  /** What it searches, for those who do not see it. */
  readonly label: string;
  /** What of it is looked at. */
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly onEnter?: () => void;
  readonly ref?: Ref<HTMLInputElement>;
}

/** The search above a table. Escape leaves it. */
export function SearchField({ label, placeholder, value, onChange, onEnter, ref }: SearchFieldProps) {
  return (
    <TextInput
      ref={ref ?? null}
      type="search"
      size="xs"
      className="v-search"
      leftSection={<Icon name="search" size={14} />}
      placeholder={placeholder}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        // The browser would clear the field; leaving it is what the row keys need.
        if (event.key === 'Escape') {
          event.preventDefault();
          event.currentTarget.blur();
        }
        if (event.key === 'Enter') onEnter?.();
      }}
    />
  );
}
