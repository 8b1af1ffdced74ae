import { Tooltip } from '@mantine/core';
import { Bar, BarChart, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { formatValue } from '../../../format/units.ts';
import type { MpiSummary } from './model.ts';
import { Hatch } from './Hatch.tsx';
import { percent } from './words.ts';

const HEIGHT = 26;

const PARTS = [
  {
    id: 'waiting',
    name: 'Only waiting',
    how: 'Time in calls that do nothing but wait: MPI_Wait and MPI_Test with their variants, MPI_Probe, MPI_Barrier.',
  },
  {
    id: 'transfer',
    name: 'Transfer and waiting',
    how: 'Time in calls that move data: point-to-point, collective, one-sided, files. Blocking receives and collectives wait for late partners, too: within one call the two cannot be told apart.',
  },
  { id: 'other', name: 'Other MPI', how: 'Start and end of MPI, and calls that a rank makes by itself.' },
  { id: 'outside', name: 'Outside MPI', how: 'The rest of the run time of all ranks.' },
] as const;

/** Where the ranks' time went, as one bar, with the same in words below. */
export function ShareBar({ summary }: { readonly summary: MpiSummary }) {
  const { parts, elapsed, rankCount, total } = summary;
  if (!parts || total.time === null) return null;
  const inside = parts.waiting + parts.transfer + parts.other;
  const all = elapsed === null ? null : Math.max(inside, elapsed * rankCount);
  const outside = all === null ? 0 : all - inside;
  const whole = all ?? inside;
  if (whole <= 0) return null;
  const values = { ...parts, outside };
  const shown = PARTS.filter(({ id }) => id !== 'outside' || all !== null);
  const text = shown.map(({ id, name }) => `${name} ${percent(values[id] / whole)}`).join(', ');
  return (
    <div className="v-mpi-share">
      <figure role="img" aria-label={`Share of the run time: ${text}`} style={{ height: HEIGHT }}>
        <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 600, height: HEIGHT }}>
          <BarChart
            data={[values]}
            layout="vertical"
            margin={{ top: 0, right: 0, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <Hatch />
            <XAxis type="number" domain={[0, whole]} hide />
            <YAxis type="category" hide />
            {shown.map(({ id }) => (
              <Bar
                key={id}
                dataKey={id}
                stackId="time"
                className={`v-mpi-${id}`}
                isAnimationActive={false}
                barSize={HEIGHT - 4}
              />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </figure>
      <ul className="v-plot-key" aria-label="Share of the run time">
        {shown.map(({ id, name, how }) => (
          <li key={id}>
            <Tooltip label={how} multiline w={320} withArrow events={{ hover: true, focus: true, touch: true }}>
              <span tabIndex={0} className="v-explained">
                <Swatch id={id} />
                {name}
              </span>
            </Tooltip>{' '}
            <b>{percent(values[id] / whole)}</b> <span className="v-muted">{formatValue(values[id], 's')}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Swatch({ id }: { readonly id: string }) {
  return (
    <svg className="v-swatch" width="12" height="12" aria-hidden="true" focusable="false">
      <rect width="12" height="12" className={`v-mpi-${id}`} rx="2" />
    </svg>
  );
}
