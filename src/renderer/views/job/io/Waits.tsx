import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Profile } from '../../../../shared/api/profiles.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { ioWaitsOfRanks } from '../../../../shared/profiles/io-waits.ts';
import type { IoWaits, WaitNumbers, WaitRank } from '../../../../shared/profiles/io-waits.ts';
import { isLive } from '../../../data/runs.ts';
import { formatCount, formatValue, NO_VALUE } from '../../../format/units.ts';
import { useEngine } from '../../../state/engine.ts';
import { Measure } from './Measure.tsx';
import type { IoSummary } from './model.ts';
import { waitSentence } from './words.ts';

/** What the series of calls that wait are grouped as (src/shared/model/naming.ts). */
const GROUP = 'Waiting';
const QUANTITIES = ['calls', 'time'];
/** Ranks of a live run are asked for this often, ms. */
const EVERY = 2000;
const MOST_CALLS = 10;
const MOST_RANKS = 10;

function useWaitRanks(run: Run, profile: Profile | null): readonly WaitRank[] {
  const engine = useEngine();
  const live = isLive(run);
  const asked = useQuery({
    queryKey: [engine.base, 'io-waits', run.id],
    queryFn: async ({ signal }) => {
      const { series, ranks } = await engine.api.ranks(run.id, GROUP, QUANTITIES, signal);
      return ioWaitsOfRanks(series, ranks);
    },
    enabled: live,
    structuralSharing: false,
    refetchInterval: () => Math.max(EVERY, engine.live.hello?.period ?? 0),
  });
  const ended = useMemo(
    () => (live || !profile ? null : ioWaitsOfRanks(profile.series, profile.ranks)),
    [live, profile],
  );
  return ended ?? asked.data ?? [];
}

interface WaitsProps {
  readonly run: Run;
  readonly profile: Profile | null;
  readonly summary: IoSummary;
  readonly waits: IoWaits;
}

/** Time in calls that wait for I/O, which is no time of I/O: by call, and of several ranks by rank. */
export function Waits({ run, profile, summary, waits }: WaitsProps) {
  const ranks = useWaitRanks(run, profile);
  return (
    <section className="v-card" aria-labelledby="io-waits-title" data-testid="io-waits">
      <h3 id="io-waits-title">Waiting for I/O</h3>
      <p data-testid="io-waits-headline">{waitSentence(waits, summary)}</p>
      <p className="v-muted">
        A thread is in these calls until a file, pipe or socket is ready, also when it has nothing else to do. They move
        no data, so they are in no total and no share of this page.
      </p>
      <div className="v-beside v-io-columns v-io-waits">
        <CallsThatWait waits={waits} />
        {ranks.length > 1 && <RanksThatWait ranks={ranks} />}
      </div>
    </section>
  );
}

function CallsThatWait({ waits: { top } }: { readonly waits: IoWaits }) {
  const shown = top.slice(0, MOST_CALLS);
  const longest = shown[0]?.time ?? 0;
  const rest = top.length - shown.length;
  return (
    <div>
      <table className="v-numbers" data-testid="io-wait-calls">
        <caption className="v-hidden">Calls that wait, longest first</caption>
        <thead>
          <tr>
            <th scope="col">Call</th>
            <Titles />
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.call}>
              <th scope="row">
                <Measure part={longest > 0 ? (one.time ?? 0) / longest : 0} kind="wait">
                  {one.call}
                </Measure>
              </th>
              <Numbers {...one} />
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && <p className="v-muted">and {rest} more, in Series</p>}
    </div>
  );
}

function RanksThatWait({ ranks }: { readonly ranks: readonly WaitRank[] }) {
  const shown = ranks.slice(0, MOST_RANKS);
  const longest = shown[0]?.time ?? 0;
  const rest = ranks.length - shown.length;
  return (
    <div className="v-io-scroll">
      <table className="v-numbers" data-testid="io-wait-ranks">
        <caption className="v-hidden">Ranks that wait, longest first</caption>
        <thead>
          <tr>
            <th scope="col">Rank</th>
            <Titles />
            <th scope="col">Longest in</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.rank}>
              <th scope="row" title={one.node === '' ? undefined : `on ${one.node}`}>
                <Measure part={longest > 0 ? (one.time ?? 0) / longest : 0} kind="wait">
                  {String(one.rank)}
                </Measure>
              </th>
              <Numbers {...one} />
              <td>{one.most ?? NO_VALUE}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && <p className="v-muted">and {formatCount(rest)} more, that waited less</p>}
    </div>
  );
}

function Titles() {
  return (
    <>
      <th scope="col">Time</th>
      <th scope="col">Calls</th>
      <th scope="col">Per call</th>
    </>
  );
}

function Numbers({ calls, time }: WaitNumbers) {
  return (
    <>
      <td>{formatValue(time, 's')}</td>
      <td title={calls === null ? undefined : formatCount(calls)}>{formatValue(calls, '1')}</td>
      <td>{formatValue(time !== null && calls ? time / calls : null, 's')}</td>
    </>
  );
}
