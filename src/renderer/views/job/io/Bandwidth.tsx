import { useQuery } from '@tanstack/react-query';
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Run } from '../../../../shared/api/runs.ts';
import { BINARY_STEPS, ticksTo } from '../../../charts/ticks.ts';
import { isLive } from '../../../data/runs.ts';
import { formatClock } from '../../../format/time.ts';
import { formatValue } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { useEngine } from '../../../state/engine.ts';
import type { IoLayerSummary } from './model.ts';

const HEIGHT = 190;
const POINTS = 240;
/** A live run is asked for this often, ms. */
const EVERY = 5000;

interface Point {
  readonly time: number;
  readonly read: number | null;
  readonly write: number | null;
}

/** Bytes per second that the run has read and written, over all of it. */
export function Bandwidth({ run, layer }: { readonly run: Run; readonly layer: IoLayerSummary }) {
  const engine = useEngine();
  const { readKey, writeKey } = layer;
  const live = isLive(run);
  const points = useQuery({
    queryKey: [engine.base, 'io-bandwidth', run.id, readKey, writeKey],
    queryFn: async ({ signal }): Promise<Point[]> => {
      const series = [readKey, writeKey].filter((key) => key !== null);
      const to = live ? engineNow() : Math.max(run.end_time, run.start_time + 1000);
      const range = { scope: run.scope, series, from: run.start_time, to, maxPoints: POINTS };
      const { times, series: found } = await engine.api.query(range, signal);
      const of = (key: string | null) => found.find((one) => one.key === key)?.avg ?? [];
      const [read, write] = [of(readKey), of(writeKey)];
      return times.map((time, i) => ({ time, read: read[i] ?? null, write: write[i] ?? null }));
    },
    enabled: readKey !== null || writeKey !== null,
    refetchInterval: live ? EVERY : false,
    structuralSharing: false,
  });
  const data = points.data ?? [];
  if (points.error && data.length === 0) return <p className="v-muted">{points.error.message}</p>;
  if (data.length < 2) return <p className="v-muted v-none">{points.isPending ? 'Asking …' : 'No history yet.'}</p>;
  const peak = (part: 'read' | 'write') => Math.max(...data.map((one) => one[part] ?? 0));
  const [read, write] = [peak('read'), peak('write')];
  const rate = (value: number) => formatValue(value, 'B', true);
  const ticks = ticksTo(Math.max(read, write), BINARY_STEPS);
  return (
    <figure
      role="img"
      aria-label={`Bytes per second over the run: at most ${rate(read)} read, ${rate(write)} written`}
      style={{ height: HEIGHT }}
      data-testid="io-bandwidth"
    >
      <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 600, height: HEIGHT }}>
        <AreaChart data={data} margin={{ top: 4, right: 8, bottom: 0, left: 4 }} accessibilityLayer={false}>
          <CartesianGrid stroke="var(--v-line-soft)" vertical={false} />
          <XAxis
            dataKey="time"
            type="number"
            domain={['dataMin', 'dataMax']}
            tickFormatter={(time: number) => formatClock(time)}
            tick={{ fill: 'var(--v-muted)', fontSize: 11 }}
            height={20}
            minTickGap={48}
          />
          <YAxis
            width={76}
            ticks={ticks}
            domain={[0, ticks.at(-1) ?? 1]}
            tickLine={false}
            axisLine={false}
            tickFormatter={rate}
            tick={{ fill: 'var(--v-muted)', fontSize: 11 }}
          />
          <Tooltip content={Tip} isAnimationActive={false} />
          <Area dataKey="read" name="Read" className="v-io-area-read" isAnimationActive={false} />
          <Area dataKey="write" name="Written" className="v-io-area-write" isAnimationActive={false} />
        </AreaChart>
      </ResponsiveContainer>
    </figure>
  );
}

interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly { readonly payload?: unknown }[];
}

function Tip({ active, payload }: TipProps) {
  const point = payload?.[0]?.payload as Point | undefined;
  if (!active || !point) return null;
  return (
    <div className="v-plot-tip">
      <b>{formatClock(point.time)}</b>
      <span>read {formatValue(point.read, 'B', true)}</span>
      <span>written {formatValue(point.write, 'B', true)}</span>
    </div>
  );
}
