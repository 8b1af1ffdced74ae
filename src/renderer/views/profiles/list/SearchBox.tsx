import { ActionIcon, Autocomplete, Popover } from '@mantine/core';
import { useMemo } from 'react';
import type { Ref } from 'react';
import { Icon } from '../../../components/Icon.tsx';
import { engineNow } from '../../../state/connection.ts';
import { CHOICES } from '../choices.ts';
import { complete, KEYWORD_HELP, showSearch, without } from './searchModel.ts';
import type { KnownValues } from './searchModel.ts';

interface SearchBoxProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly known: KnownValues;
  readonly ref?: Ref<HTMLInputElement>;
}

/** The search with keywords: offers them while one types. Escape leaves it. */
export function SearchBox({ value, onChange, known, ref }: SearchBoxProps) {
  const options = useMemo(() => complete(value, known), [value, known]);
  const byText = useMemo(() => new Map(options.map((option) => [option.text, option])), [options]);
  return (
    <div className="v-searchbox">
      <Autocomplete
        ref={ref ?? null}
        size="xs"
        className="v-search-wide"
        leftSection={<Icon name="search" size={14} />}
        placeholder="lulesh tag:slow from:7d size:>=64"
        aria-label="Search profiles"
        spellCheck={false}
        autoComplete="off"
        value={value}
        onChange={onChange}
        data={options.map(({ text }) => text)}
        filter={({ options: all }) => all}
        {...CHOICES}
        comboboxProps={{ withinPortal: false, width: 300, position: 'bottom-start' }}
        renderOption={({ option }) => {
          const shown = byText.get(option.value);
          return (
            <span className="v-completion">
              <code>{shown?.label ?? option.value}</code> <span className="v-muted">{shown?.hint}</span>
            </span>
          );
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.preventDefault();
          event.currentTarget.blur();
        }}
      />
      <Help />
    </div>
  );
}

function Help() {
  return (
    <Popover position="bottom-start" width={420} withArrow trapFocus withinPortal={false}>
      <Popover.Target>
        <ActionIcon size={30} variant="default" aria-label="How to search">
          <span aria-hidden="true">?</span>
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label="How to search">
        <div className="v-search-help" tabIndex={-1} data-autofocus>
          <p>
            Words are looked for in job id, command, nodes, cluster, user, tags and note. All of them have to be met; a
            minus before one says not; quotes keep words together.
          </p>
          <dl className="v-facts">
            {Object.entries(KEYWORD_HELP).map(([keyword, [what, example]]) => (
              <div key={keyword}>
                <dt>
                  <code>{example}</code>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** The terms with a keyword, each to be taken out, and what is wrong with the others. Nothing without either. */
export function SearchTerms({ value, onChange }: Pick<SearchBoxProps, 'value' | 'onChange'>) {
  const { chips, errors } = useMemo(() => showSearch(value, engineNow()), [value]);
  const terms = chips.filter(({ keyword, negated }) => keyword !== null || negated);
  if (terms.length === 0 && errors.length === 0) return null;
  return (
    <div className="v-terms">
      {terms.length === 0 ? null : (
        <ul className="v-chips" aria-label="Terms of the search">
          {terms.map((chip) => (
            <li key={chip.start} className={chip.negated ? 'v-term v-not' : 'v-term'}>
              <bdi>{chip.text}</bdi>
              <button
                type="button"
                aria-label={`Take ${chip.text} out of the search`}
                onClick={() => onChange(without(value, chip))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {errors.length === 0 ? null : (
        <div role="alert" className="v-bad-text">
          {errors.map(({ text, message }) => (
            <p key={`${text} ${message}`}>
              <code>{text}</code> {message}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}
