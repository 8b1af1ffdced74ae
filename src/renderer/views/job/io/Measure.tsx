interface MeasureProps {
  /** 0 to 1. */
  readonly part: number;
  readonly kind: 'io' | 'read' | 'write' | 'wait';
  readonly children: string;
}

/** A cell with a bar behind its text. */
export function Measure({ part, kind, children }: MeasureProps) {
  return (
    <span className="v-io-measure">
      <i className={`v-io-mark-${kind}`} style={{ width: `${(100 * part).toFixed(1)}%` }} aria-hidden="true" />
      <span>{children}</span>
    </span>
  );
}
