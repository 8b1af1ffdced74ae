import { TagsInput } from '@mantine/core';
import { useState } from 'react';
import { MAX_TAG, MAX_TAGS } from '../../../shared/api/profiles.ts';
import { CHOICES } from './choices.ts';

interface TagsFieldProps {
  readonly label: string;
  readonly description?: string;
  readonly autofocus?: boolean;
  readonly value: string[];
  readonly error: string | null;
  /** Tags that are in use. */
  readonly offered: readonly string[];
  readonly onChange: (tags: string[]) => void;
}

/** Tags, each ended with Enter or a comma. Others are offered while one is typed: an open list would lie over the buttons. */
export function TagsField({ label, description, autofocus = false, value, error, offered, onChange }: TagsFieldProps) {
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const text = typed.trim().toLowerCase();
  const shown = text === '' ? [] : offered.filter((tag) => !value.includes(tag) && tag.toLowerCase().includes(text));
  return (
    <TagsInput
      {...CHOICES}
      size="xs"
      label={label}
      {...(description === undefined ? {} : { description })}
      {...(autofocus ? { 'data-autofocus': true } : {})}
      maxLength={MAX_TAG}
      maxTags={MAX_TAGS}
      data={shown}
      // A list without a choice is closed: Escape belongs to the dialog then.
      dropdownOpened={open && shown.length > 0}
      onDropdownOpen={() => setOpen(true)}
      onDropdownClose={() => setOpen(false)}
      searchValue={typed}
      onSearchChange={setTyped}
      value={value}
      error={error}
      onChange={onChange}
    />
  );
}
