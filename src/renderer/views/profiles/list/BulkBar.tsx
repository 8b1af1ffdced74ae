import { Button } from '@mantine/core';
import { formatCount } from '../../../format/units.ts';
import { MOST_COMPARED } from './selection.ts';

interface BulkBarProps {
  readonly count: number;
  /** This page may change things. */
  readonly may: boolean;
  readonly inTrash: boolean;
  readonly on: Readonly<
    Record<'compare' | 'tags' | 'pin' | 'unpin' | 'export' | 'remove' | 'restore' | 'clear', () => void>
  >;
}

/** What can be done with all runs that are selected. */
export function BulkBar({ count, may, inTrash, on }: BulkBarProps) {
  return (
    <div className="v-bulk" role="group" aria-label="Selected runs">
      <b>{formatCount(count)} selected</b>
      {inTrash ? (
        <Button size="compact-xs" disabled={!may} onClick={on.restore}>
          Restore
        </Button>
      ) : (
        <>
          <Button
            size="compact-xs"
            disabled={count < 2 || count > MOST_COMPARED}
            title={count > MOST_COMPARED ? `At most ${MOST_COMPARED} at once` : undefined}
            onClick={on.compare}
          >
            Compare
          </Button>
          <Button size="compact-xs" variant="default" disabled={!may} onClick={on.tags}>
            Tag…
          </Button>
          <Button size="compact-xs" variant="default" disabled={!may} onClick={on.pin}>
            Pin
          </Button>
          <Button size="compact-xs" variant="default" disabled={!may} onClick={on.unpin}>
            Unpin
          </Button>
          <Button size="compact-xs" variant="default" disabled={count > MOST_COMPARED} onClick={on.export}>
            Export…
          </Button>
          <Button size="compact-xs" variant="default" disabled={!may} onClick={on.remove}>
            Delete
          </Button>
        </>
      )}
      <Button size="compact-xs" variant="subtle" color="gray" onClick={on.clear}>
        Clear
      </Button>
    </div>
  );
}
