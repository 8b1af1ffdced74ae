import { SegmentedControl, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Profile } from '../../../../shared/api/profiles.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { Figures } from '../../../components/Figures.tsx';
import type { Figure } from '../../../components/Figures.tsx';
import { Failure } from '../../../components/Message.tsx';
import { isLive } from '../../../data/runs.ts';
import { formatCount, formatValue, NO_VALUE } from '../../../format/units.ts';
import { useEngine } from '../../../state/engine.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { percent } from '../mpi/words.ts';
import { Bandwidth } from './Bandwidth.tsx';
import './io.css';
import { Measure } from './Measure.tsx';
import { summarizeIo } from './model.ts';
import type { IoLayerSummary, IoMount, IoShares, IoSummary, SizeClass } from './model.ts';
import { Waits } from './Waits.tsx';
import { ioSentences, sizeName } from './words.ts';

/** A live run is asked for this often, ms. */
const EVERY = 1000;
const MOST_CALLS = 15;
const LAYERS = [
  { value: 'io', label: 'I/O functions' },
  { value: 'system', label: 'System calls' },
] as const;

function useIo(run: Run, profile: Profile | null) {
  const engine = useEngine();
  const live = isLive(run);
  const asked = useQuery({
    queryKey: [engine.base, 'io', run.id],
    queryFn: async ({ signal }) => {
      const { series, time } = await engine.api.series(run.scope, signal);
      return summarizeIo(run, time, series);
    },
    enabled: live,
    structuralSharing: false,
    refetchInterval: () => Math.max(EVERY, engine.live.hello?.period ?? 0),
  });
  const ended = useMemo(
    () => (live || !profile ? null : summarizeIo(profile.run, profile.run.end_time, profile.series)),
    [live, profile],
  );
  return { data: ended ?? asked.data ?? null, error: asked.error, retry: () => void asked.refetch() };
}

/** A run's I/O as people read it: share of the run time, bandwidth, where, in which sizes, by which calls. */
export function IoTab({ run, profile }: { readonly run: Run; readonly profile: Profile | null }) {
  const { data, error, retry } = useIo(run, profile);
  const [params, setParams] = useUrlQuery();
  if (!data) return error ? <Failure error={error} retry={retry} /> : <Skeleton height={300} m={14} />;
  const there = LAYERS.filter(({ value }) => data.layers.has(value));
  const chosen = there.find(({ value }) => value === params.get('layer')) ?? there[0];
  const layer = chosen && data.layers.get(chosen.value);
  const waits = data.waits && <Waits run={run} profile={profile} summary={data} waits={data.waits} />;
  if (!chosen || !layer) {
    const nothing = <p className="v-muted v-none">Nothing was measured of this run’s I/O.</p>;
    return waits ? <div className="v-sheet">{waits}</div> : nothing;
  }
  return (
    <div className="v-sheet" data-testid="io">
      <h2 className="v-hidden">I/O of {run.jobid}</h2>
      <section className="v-card" aria-label="I/O in short">
        {ioSentences(data).map((sentence, i) => (
          <p key={sentence} data-testid={i === 0 ? 'io-headline' : undefined}>
            {sentence}
          </p>
        ))}
        {data.shares && <Shares shares={data.shares} />}
        <Figures figures={figuresOf(data, layer)} />
      </section>
      <section className="v-card" aria-labelledby="io-bandwidth-title">
        <h3 id="io-bandwidth-title">Bandwidth</h3>
        <Bandwidth run={run} layer={layer} />
        <ul className="v-plot-key">
          <li>
            <i className="v-swatch v-io-mark-read" /> Read
          </li>
          <li>
            <i className="v-swatch v-io-mark-write" /> Written
          </li>
        </ul>
      </section>
      <div className="v-beside v-io-columns">
        <section className="v-card" aria-labelledby="io-calls-title">
          <div className="v-card-head">
            <h3 id="io-calls-title">Calls by time</h3>
            <span className="v-spacer" />
            {there.length > 1 && (
              <SegmentedControl
                size="xs"
                aria-label="What is measured"
                value={chosen.value}
                onChange={(next) => setParams({ layer: next === 'io' ? null : next })}
                data={[...there]}
              />
            )}
          </div>
          <Calls layer={layer} />
        </section>
        <section className="v-card" aria-labelledby="io-sizes-title">
          <h3 id="io-sizes-title">Sizes of calls that move data</h3>
          <Sizes sizes={data.sizes} />
        </section>
      </div>
      <section className="v-card" aria-labelledby="io-mounts-title">
        <h3 id="io-mounts-title">Where</h3>
        <Mounts mounts={data.mounts} />
      </section>
      {waits}
    </div>
  );
}

const PARTS = [
  { id: 'io', name: 'I/O' },
  { id: 'mpi', name: 'MPI' },
  { id: 'other', name: 'Other' },
] as const;

/** Where the ranks' time went, as one bar, with the same in words below. */
function Shares({ shares }: { readonly shares: IoShares }) {
  const parts = PARTS.flatMap(({ id, name }) => {
    const value = shares[id];
    return value === null ? [] : [{ id, name, value, share: percent(value / shares.whole) }];
  });
  return (
    <>
      <div
        className="v-io-bar"
        role="img"
        aria-label={`Share of the run time: ${parts.map(({ name, share }) => `${name} ${share}`).join(', ')}`}
      >
        {parts.map(({ id, value }) => (
          <i key={id} className={`v-io-mark-${id}`} style={{ flexGrow: value / shares.whole }} />
        ))}
      </div>
      <ul className="v-plot-key" aria-label="Share of the run time">
        {parts.map(({ id, name, value, share }) => (
          <li key={id}>
            <i className={`v-swatch v-io-mark-${id}`} /> {name} <b>{share}</b>{' '}
            <span className="v-muted">{formatValue(value, 's')}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function figuresOf(summary: IoSummary, layer: IoLayerSummary): Figure[] {
  const { elapsed, metadata } = summary;
  const rate = (value: number | null | undefined, unit: 'B' | '1') =>
    value === null || value === undefined || elapsed === null ? NO_VALUE : formatValue(value / elapsed, unit, true);
  const facts: Figure[] = [
    ['Read', formatValue(layer.read, 'B'), 'Bytes, of all ranks'],
    ['Written', formatValue(layer.write, 'B'), 'Bytes, of all ranks'],
    ['Read/s', rate(layer.read, 'B'), 'Mean over the run'],
    ['Written/s', rate(layer.write, 'B'), 'Mean over the run'],
    ['Calls', formatValue(layer.calls, '1'), 'Calls of all ranks'],
    ['Calls/s', rate(layer.calls, '1'), 'Mean over the run'],
  ];
  if (metadata) {
    facts.push(
      ['Metadata', formatValue(metadata.calls, '1'), 'Calls that move no data: open, close, stat, lseek, readdir, …'],
      ['Metadata/s', rate(metadata.calls, '1'), 'Mean over the run'],
    );
  }
  return facts;
}

function Calls({ layer }: { readonly layer: IoLayerSummary }) {
  const shown = layer.top.slice(0, MOST_CALLS);
  const longest = shown[0]?.time ?? 0;
  const rest = layer.top.length - shown.length;
  if (shown.length === 0) return <p className="v-muted v-none">No call yet.</p>;
  return (
    <>
      <table className="v-numbers" data-testid="io-calls">
        <thead>
          <tr>
            <th>Call</th>
            <th>Time</th>
            <th>Calls</th>
            <th>Per call</th>
            <th>Bytes</th>
            <th>Size/call</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ call, calls, time, bytes }) => {
            const each = (value: number | null) => (value !== null && calls ? value / calls : null);
            return (
              <tr key={call}>
                <th scope="row">
                  <Measure part={longest > 0 ? (time ?? 0) / longest : 0} kind="io">
                    {call}
                  </Measure>
                </th>
                <td>{formatValue(time, 's')}</td>
                <td title={calls === null ? undefined : formatCount(calls)}>{formatValue(calls, '1')}</td>
                <td>{formatValue(each(time), 's')}</td>
                <td>{formatValue(bytes, 'B')}</td>
                <td>{formatValue(each(bytes), 'B')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rest > 0 && <p className="v-muted">and {rest} more, in Series</p>}
    </>
  );
}

function Sizes({ sizes }: { readonly sizes: readonly SizeClass[] }) {
  const most = Math.max(0, ...sizes.flatMap(({ reads, writes }) => [reads, writes]));
  if (most === 0) return <p className="v-muted v-none">Not measured: it is with vigie-run -e io.</p>;
  return (
    <table className="v-numbers" data-testid="io-sizes">
      <thead>
        <tr>
          <th>Bytes per call</th>
          <th>Reads</th>
          <th>Writes</th>
        </tr>
      </thead>
      <tbody>
        {sizes.map((one) => (
          <tr key={one.below}>
            <th scope="row">{sizeName(one)}</th>
            <td title={formatCount(one.reads)}>
              <Measure part={one.reads / most} kind="read">
                {formatValue(one.reads, '1')}
              </Measure>
            </td>
            <td title={formatCount(one.writes)}>
              <Measure part={one.writes / most} kind="write">
                {formatValue(one.writes, '1')}
              </Measure>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Mounts({ mounts }: { readonly mounts: readonly IoMount[] }) {
  const longest = Math.max(0, ...mounts.map(({ time }) => time));
  if (mounts.length === 0) return <p className="v-muted v-none">Not measured: it is with vigie-run -e io.</p>;
  return (
    <div className="v-io-scroll">
      <table className="v-numbers" data-testid="io-mounts">
        <thead>
          <tr>
            <th>Mounted at</th>
            <th>File system</th>
            <th>Time</th>
            <th>Read</th>
            <th>Reads</th>
            <th>Written</th>
            <th>Writes</th>
            <th>Metadata</th>
            <th>Its time</th>
          </tr>
        </thead>
        <tbody>
          {mounts.map(({ mount, type, time, read, write, metadata }) => (
            <tr key={`${mount}\n${type}`}>
              <th scope="row" title={mount}>
                <Measure part={longest > 0 ? time / longest : 0} kind="io">
                  {mount}
                </Measure>
              </th>
              <td>{type === '' ? NO_VALUE : type}</td>
              <td>{formatValue(time, 's')}</td>
              <td>{formatValue(read.bytes, 'B')}</td>
              <td>{formatValue(read.calls, '1')}</td>
              <td>{formatValue(write.bytes, 'B')}</td>
              <td>{formatValue(write.calls, '1')}</td>
              <td>{formatValue(metadata.calls, '1')}</td>
              <td>{formatValue(metadata.time, 's')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
