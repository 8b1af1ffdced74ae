interface MarkProps {
  readonly cx: number;
  readonly cy: number;
  /** Classes of the run. */
  readonly look: string;
}

/** The baseline is a square, a regression a triangle, any other run round. */
export function Mark({ cx, cy, look }: MarkProps) {
  const className = `${look} v-opens`;
  if (look.includes('v-base')) return <rect className={className} x={cx - 5} y={cy - 5} width={10} height={10} />;
  if (look.includes('v-slow')) {
    return <path className={className} d={`M${cx} ${cy - 6}L${cx + 6} ${cy + 5}H${cx - 6}Z`} />;
  }
  return <circle className={className} cx={cx} cy={cy} r={4.5} />;
}
