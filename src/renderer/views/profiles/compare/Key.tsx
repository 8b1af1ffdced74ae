import type { ReactNode } from 'react';
import { formatCount } from '../../../format/units.ts';
import type { RunChartProps } from './chartParts.tsx';
import { Mark } from './Mark.tsx';

interface KeyProps extends Pick<RunChartProps, 'runs' | 'base' | 'focus' | 'label'> {
  readonly kind: 'bars' | 'thin' | 'points';
}

/** What the looks of bars and points mean, of those that are there. */
export function Key({ runs, base, focus, label, kind }: KeyProps) {
  const [baseline, looked] = [runs[base], focus === null ? undefined : runs[focus]];
  const slow = runs.filter(({ regression }) => regression !== null).length;
  return (
    <ul className="v-plot-key" aria-label="Marks">
      {baseline ? (
        <li>
          <Sign kind={kind} look="v-base" /> baseline <bdi>{label(baseline)}</bdi>
        </li>
      ) : null}
      {slow > 0 ? (
        <li>
          <Sign kind={kind} look="v-slow" /> {slow === 1 ? '1 regression' : `${formatCount(slow)} regressions`}
        </li>
      ) : null}
      {looked ? (
        <li>
          <Sign kind={kind} look="v-focus" /> looked at: <bdi>{label(looked)}</bdi>
        </li>
      ) : null}
    </ul>
  );
}

function Sign({ kind, look }: { readonly kind: KeyProps['kind']; readonly look: string }) {
  const className = `v-compare-bar ${look}`;
  let sign: ReactNode = <rect className={className} x={2} y={1} width={10} height={12} />;
  if (kind === 'points') sign = <Mark cx={7} cy={7} look={className} />;
  else if (kind === 'thin' && look === 'v-focus') sign = <path className="v-focus-mark" d="M7 12l-5 -8h10Z" />;
  return (
    <svg className={kind === 'bars' ? '' : 'v-thin'} width="14" height="14" aria-hidden="true" focusable="false">
      {sign}
    </svg>
  );
}
