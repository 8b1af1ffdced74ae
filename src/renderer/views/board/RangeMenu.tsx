import { Button, Popover, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Board } from '../../charts/board.ts';
import { LEAST_RANGE_MS, WINDOWS } from '../../charts/range.ts';
import { parseWhen, writeWhen } from '../../charts/when.ts';
import { Copy } from '../../components/Copy.tsx';
import { Icon } from '../../components/Icon.tsx';
import { engineNow } from '../../state/connection.ts';
import type { BoardQuery } from './boardQuery.ts';
import type { Zoom } from './useZoom.ts';

interface RangeMenuProps {
  readonly board: Board;
  readonly query: BoardQuery;
  readonly zoom: Zoom;
  /** Samples still come: the last minutes or days can be followed. */
  readonly live: boolean;
}

/** Every window to choose from, and a range to write. */
export function RangeMenu(props: RangeMenuProps) {
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      withArrow
      trapFocus
      returnFocus
      withinPortal={false}
      width={340}
    >
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          rightSection={<Icon name={opened ? 'up' : 'down'} size={12} />}
          onClick={() => setOpened(!opened)}
        >
          Range
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Range">
        {opened ? <RangeForm {...props} done={() => setOpened(false)} /> : null}
      </Popover.Dropdown>
    </Popover>
  );
}

/** What is wrong with the end of a range; null: nothing. */
function wrongEnd(from: number | null, to: number | null, text: string): string | null {
  if (to === null) return text.trim() === '' ? 'An end is needed.' : HOW;
  return from !== null && to - from < LEAST_RANGE_MS ? 'It must be at least a second after the start.' : null;
}

const HOW = 'Write it as 2026-11-20 08:15, 08:15:30, now or -2h.';

function RangeForm({ board, query, zoom, live, done }: RangeMenuProps & { readonly done: () => void }) {
  const [written, setWritten] = useState(() => {
    const { from, to } = board.shown();
    // Thousandths only where they are seen.
    const write = (ms: number): string => writeWhen(to - from > 60_000 ? Math.round(ms / 1000) * 1000 : ms);
    return { from: write(from), to: write(to) };
  });
  const [tried, setTried] = useState(false);
  const now = engineNow();
  const from = parseWhen(written.from, now);
  const to = parseWhen(written.to, now);
  const wrongFrom = from === null ? (written.from.trim() === '' ? 'A start is needed.' : HOW) : null;
  const wrongTo = wrongEnd(from, to, written.to);
  const { range } = query;
  return (
    <>
      {live ? (
        <div className="v-presets" role="group" aria-label="Follow the last">
          {WINDOWS.map(([name, window, label]) => {
            const chosen = range.kind === 'live' && range.window === window;
            return (
              <Button
                key={name}
                size="compact-xs"
                variant={chosen ? 'filled' : 'default'}
                aria-pressed={chosen}
                onClick={() => {
                  zoom.to({ kind: 'live', window });
                  done();
                }}
              >
                {label}
              </Button>
            );
          })}
        </div>
      ) : null}
      <form
        className="v-rangeform"
        aria-label="A range from and to"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (from === null || to === null || wrongFrom !== null || wrongTo !== null) return;
          zoom.to({ kind: 'fixed', ...query.fit({ from, to }) });
          done();
        }}
      >
        <TextInput
          size="xs"
          label="From"
          autoComplete="off"
          spellCheck={false}
          value={written.from}
          error={tried ? wrongFrom : null}
          onChange={(event) => setWritten({ ...written, from: event.currentTarget.value })}
          data-autofocus
        />
        <TextInput
          size="xs"
          label="To"
          autoComplete="off"
          spellCheck={false}
          value={written.to}
          error={tried ? wrongTo : null}
          onChange={(event) => setWritten({ ...written, to: event.currentTarget.value })}
        />
        <p className="v-muted">Local time, as 2026-11-20 08:15 or 08:15:30, or -2h before now.</p>
        <div className="v-rangeform-end">
          <Button type="submit" size="xs">
            Show
          </Button>
          <span className="v-spacer" />
          <span className="v-muted">Link to this view</span>
          <Copy text={linkTo(board)} name="the link to this view and range" />
        </div>
      </form>
    </>
  );
}

/** The address of what is shown, with its range also where it moves. */
function linkTo(board: Board): string {
  const url = new URL(window.location.href);
  const { from, to } = board.shown();
  url.searchParams.set('from', String(Math.round(from)));
  url.searchParams.set('to', String(Math.round(to)));
  url.searchParams.delete('last');
  url.hash = '';
  return url.href;
}
