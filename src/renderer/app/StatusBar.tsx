import { Popover, UnstyledButton } from '@mantine/core';
import { memo } from 'react';
import { Link } from 'wouter';
import type { Status } from '../../shared/api/status.ts';
import type { LiveState } from '../data/live.ts';
import { AlarmStatus } from './AlarmSigns.tsx';
import { storeState } from '../format/store.ts';
import { formatCount, formatValue } from '../format/units.ts';
import { useConnection } from '../state/connection.ts';

const PHASES: Readonly<Record<LiveState['phase'], readonly [word: string, tone: string]>> = {
  connecting: ['connecting', 'warn'],
  open: ['live', 'good'],
  waiting: ['not reachable', 'bad'],
  refused: ['refused', 'bad'],
};

export function StatusBar() {
  const phase = useConnection((s) => s.state.phase);
  const status = useConnection((s) => s.status);
  const [word, tone] = PHASES[phase];
  return (
    <footer className="v-status" aria-label="Engine status">
      <span className="v-status-item">
        <span className={`v-dot v-${tone}`} aria-hidden="true" /> Engine {status ? status.engine.host : ''} {word}
      </span>
      {status ? <Figures status={status} reachable={phase === 'open'} /> : null}
    </footer>
  );
}

function Figures({ status, reachable }: { readonly status: Status; readonly reachable: boolean }) {
  const store = storeState(status, reachable);
  return (
    <>
      <span className="v-status-item">
        <b>{formatValue(status.ingest.rate, '1', true)}</b> messages
      </span>
      <Dropped counts={countsOf(status)} />
      <span className="v-status-item">store {store.notable ? <b>{store.text}</b> : store.text}</span>
      <AlarmStatus />
      <span className="v-spacer" />
      <Warnings text={status.warnings.join('\n')} />
      <span className="v-status-item">
        period <b>{status.period}</b>
      </span>
      <Link href="/ui/diagnostics" className="v-status-item v-status-button">
        Diagnostics
      </Link>
      <span className="v-status-item v-status-spare">Vigie {status.version}</span>
    </>
  );
}

interface Counts {
  readonly refused: readonly (readonly [reason: string, count: number])[];
  readonly memoryFull: boolean;
  readonly rejected: readonly (readonly [reason: string, count: number])[];
  readonly ticks: number;
  readonly frames: number;
  readonly late: number;
}

/** As text, so that the popover renders only when a count changes, not with each status. */
const countsOf = ({ ingest, store, live, sampler, refused, memory_full }: Status): string =>
  JSON.stringify({
    rejected: largestFirst(ingest.rejected),
    refused: largestFirst(refused),
    memoryFull: memory_full,
    ticks: store.dropped,
    frames: live.skipped_frames,
    late: sampler.late,
  } satisfies Counts);

const largestFirst = (counts: Readonly<Record<string, number>>): [reason: string, count: number][] =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1]);

const Dropped = memo(function Dropped({ counts }: { readonly counts: string }) {
  const { rejected: reasons, refused, memoryFull, ticks, frames, late } = JSON.parse(counts) as Counts;
  const rejected = reasons.reduce((sum, [, n]) => sum + n, 0);
  const lost = ticks + frames;
  return (
    <Popover position="top" withArrow shadow="md">
      <Popover.Target>
        <UnstyledButton className="v-status-item v-status-button">
          {rejected + lost > 0 || memoryFull ? <span className="v-dot v-warn" aria-hidden="true" /> : null}
          <b>{formatCount(rejected)}</b> rejected{lost > 0 ? `, ${formatCount(lost)} dropped` : ''}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Rejected and dropped">
        {reasons.length === 0 ? <p>No message was rejected.</p> : null}
        {memoryFull ? <p>The engine has no memory for new series and runs. What is there goes on.</p> : null}
        <dl className="v-facts v-tight">
          {reasons.map(([reason, n]) => (
            <div key={reason}>
              <dt>{reason.replaceAll('_', ' ')}</dt>
              <dd>{formatCount(n)}</dd>
            </div>
          ))}
          {refused.map(([reason, n]) => (
            <div key={`refused ${reason}`}>
              <dt>refused: {reason.replaceAll('_', ' ')}</dt>
              <dd>{formatCount(n)}</dd>
            </div>
          ))}
          <div>
            <dt>ticks the store had no room for</dt>
            <dd>{formatCount(ticks)}</dd>
          </div>
          <div>
            <dt>frames skipped for slow readers</dt>
            <dd>{formatCount(frames)}</dd>
          </div>
          <div>
            <dt>late ticks</dt>
            <dd>{formatCount(late)}</dd>
          </div>
        </dl>
      </Popover.Dropdown>
    </Popover>
  );
});

const Warnings = memo(function Warnings({ text }: { readonly text: string }) {
  if (text === '') return null;
  const warnings = text.split('\n');
  return (
    <Popover position="top-end" withArrow shadow="md" width={420}>
      <Popover.Target>
        <UnstyledButton className="v-status-item v-status-button">
          <span className="v-dot v-warn" aria-hidden="true" />
          {warnings.length} {warnings.length === 1 ? 'warning' : 'warnings'}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Warnings">
        <ul className="v-warnings">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
});
