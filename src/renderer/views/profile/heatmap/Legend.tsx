import type { SeriesValue } from '../../../../shared/api/series.ts';
import { GRADIENT } from './scale.ts';
import type { Limits } from './scale.ts';
import { cellText } from './words.ts';

interface LegendProps {
  readonly limits: Limits;
  readonly series: SeriesValue;
}

/** What the colours stand for. */
export function Legend({ limits: { low, high, above }, series }: LegendProps) {
  const text = (value: number): string => cellText(value, series);
  return (
    <div className="v-heat-legend" data-testid="heatmap-legend">
      <span>{text(low)}</span>
      <span className="v-heat-scale" aria-hidden="true" style={{ backgroundImage: GRADIENT }} />
      <span>
        {above === null ? text(high) : `${text(high)} and more`}
        {above === null ? null : <span className="v-muted">, up to {text(above)}</span>}
      </span>
      <span className="v-heat-key">
        <span className="v-heat-none" aria-hidden="true" /> no sample
      </span>
      <span className="v-spacer" />
      <span className="v-muted">Drag to zoom in time; arrow keys move from cell to cell</span>
    </div>
  );
}
