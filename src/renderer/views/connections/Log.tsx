import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Connection, ConnectionLog } from '../../../shared/api/connections.ts';
import { Card } from '../../components/Card.tsx';
import { Copy } from '../../components/Copy.tsx';
import { download, fileStamp } from '../../components/download.ts';
import { SearchField } from '../../components/SearchField.tsx';
import { sayFailure } from '../../components/undo.tsx';
import { formatClock } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useHome } from '../../state/engine.ts';
import { logText } from './words.ts';

/** Looked at this often while it is on the screen, ms. */
const EVERY_MS = 2000;

type Line = ConnectionLog['lines'][number];

function select(lines: readonly Line[], search: string): Line[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
}

/** What the connection did, to read and to send to whoever helps. */
export function Log({ connection }: { readonly connection: Connection }) {
  const { base, api } = useHome();
  const [search, setSearch] = useState('');
  const { data, error } = useQuery({
    queryKey: [base, 'connections', connection.id, 'log'],
    queryFn: ({ signal }) => api.connections.log(connection.id, signal),
    refetchInterval: EVERY_MS,
  });
  const all = useMemo(() => data?.lines ?? [], [data]);
  const lines = useMemo(() => select(all, search), [all, search]);
  const save = (): void => {
    const name = `vigie-connection-${connection.host.replaceAll(/[^\w.-]+/g, '_')}-${fileStamp(engineNow())}.txt`;
    download(logText(all), 'text/plain', name).catch((failure: unknown) => sayFailure('It was not saved', failure));
  };
  return (
    <Card
      title="Log"
      className="v-wide"
      aside={
        <>
          <SearchField label="Search the log" placeholder="Host, phase, error" value={search} onChange={setSearch} />
          <span className="v-muted">
            {lines.length === all.length
              ? `${formatCount(all.length)} lines`
              : `${formatCount(lines.length)} of ${formatCount(all.length)} lines`}
          </span>
          <span className="v-spacer" />
          <Copy text={logText(lines)} name="what is shown of the log" />
          <Button size="compact-xs" variant="default" disabled={all.length === 0} onClick={save}>
            Download to send to support
          </Button>
        </>
      }
    >
      <Lines lines={lines} />
      {error ? <p className="v-bad-text">{error.message}</p> : null}
      <p className="v-muted v-small">
        Passwords and other answers are not in it. Names of hosts and users are: look through it before you send it.
      </p>
    </Card>
  );
}

/** At its end as long as one has not scrolled away from it. */
function Lines({ lines }: { readonly lines: readonly Line[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    if (element && follows.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={scroller}
      className="v-log"
      role="log"
      aria-label="What this connection did"
      aria-live="off"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        follows.current = scrollTop + clientHeight >= scrollHeight - 8;
      }}
    >
      {lines.length === 0 ? <span className="v-muted">Nothing yet.</span> : null}
      {lines.map(({ time, text }, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- the same words come again
        <div key={`${time} ${i}`}>
          <time dateTime={new Date(time).toISOString()}>{formatClock(time)}</time>
          <span>{text}</span>
        </div>
      ))}
    </div>
  );
}
