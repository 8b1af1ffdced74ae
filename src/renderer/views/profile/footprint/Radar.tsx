import { PolarAngleAxis, PolarGrid, PolarRadiusAxis, Radar as Shape, RadarChart, ResponsiveContainer } from 'recharts';
import type { FootprintAxis } from '../../../../shared/api/profile-analysis.ts';
import { threeDigits } from '../../../format/units.ts';
import { relativeOf } from '../analysis/words.ts';

const SIZE = 230;
/** What is further out than this many times the usual stands at the edge. */
const EDGE = 2;

/** The run's shape over the usual one: what sticks out is worse. */
export function Radar({ axes }: { readonly axes: readonly FootprintAxis[] }) {
  const data = axes.map((axis) => {
    const { value, best } = relativeOf(axis)!;
    return { name: axis.name, value: Math.min(EDGE, value), usual: 1, best: Math.min(EDGE, best ?? 1), exact: value };
  });
  const text = data.map(({ name, exact }) => `${name} ${threeDigits(exact)} ×`).join(', ');
  return (
    <div className="v-radar">
      <div role="img" aria-label={`Against usual, more is worse: ${text}`} data-testid="radar">
        <ResponsiveContainer width="100%" height={SIZE} initialDimension={{ width: 400, height: SIZE }}>
          <RadarChart data={data} outerRadius="74%" accessibilityLayer={false}>
            <PolarGrid stroke="var(--v-line)" />
            <PolarAngleAxis dataKey="name" tick={{ fill: 'var(--v-text)', fontSize: 11 }} />
            <PolarRadiusAxis domain={[0, EDGE]} tick={false} axisLine={false} />
            <Shape dataKey="value" className="v-radar-value" isAnimationActive={false} />
            <Shape dataKey="usual" className="v-radar-usual" isAnimationActive={false} />
            <Shape dataKey="best" className="v-radar-best" isAnimationActive={false} />
          </RadarChart>
        </ResponsiveContainer>
      </div>
      <p className="v-muted">
        <span className="v-radar-key v-radar-key-value" /> this run
        <span className="v-radar-key v-radar-key-usual" /> usual
        <span className="v-radar-key v-radar-key-best" /> best; further out is worse
      </p>
    </div>
  );
}
