import { useRef } from 'react';

interface ThresholdLineProps {
  readonly label: string;
  /** The value as people read it. */
  readonly text: string;
  readonly value: number;
  readonly axis: readonly [number, number];
  /** Height of the drawing area, px. */
  readonly height: number;
  readonly className: string;
  /** Null: it cannot be moved. */
  readonly onChange: ((value: number, done: boolean) => void) | null;
}

/** A level across a plot that is dragged, or moved by the arrow keys. */
export function ThresholdLine({ label, text, value, axis, height, className, onChange }: ThresholdLineProps) {
  const [low, high] = axis;
  const span = high - low || 1;
  const top = Math.max(0, Math.min(height, height * (1 - (value - low) / span)));
  const grip = useRef<{ y: number; value: number } | null>(null);
  const move = (y: number, done: boolean): void => {
    const held = grip.current;
    if (!held || !onChange) return;
    const next = held.value - ((y - held.y) / height) * span;
    onChange(Math.max(low, Math.min(high, next)), done);
  };
  const STEPS: Readonly<Record<string, number>> = {
    ArrowUp: 0.01,
    ArrowDown: -0.01,
    PageUp: 0.1,
    PageDown: -0.1,
  };
  return (
    <div
      role="slider"
      tabIndex={onChange ? 0 : -1}
      aria-label={label}
      aria-orientation="vertical"
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={value}
      aria-valuetext={text}
      aria-disabled={onChange === null}
      className={`v-threshold ${className}`}
      style={{ top }}
      onPointerDown={(event) => {
        if (!onChange || event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.focus();
        event.currentTarget.setPointerCapture(event.pointerId);
        grip.current = { y: event.clientY, value };
      }}
      onPointerMove={(event) => move(event.clientY, false)}
      onPointerUp={(event) => {
        move(event.clientY, true);
        grip.current = null;
      }}
      onPointerCancel={() => {
        if (grip.current) onChange?.(grip.current.value, true);
        grip.current = null;
      }}
      onKeyDown={(event) => {
        const step = STEPS[event.key];
        if (event.key === 'Escape' && grip.current) {
          onChange?.(grip.current.value, true);
          grip.current = null;
          event.stopPropagation();
        }
        if (step === undefined || !onChange) return;
        event.preventDefault();
        event.stopPropagation();
        onChange(value + step * span, true);
      }}
    >
      <span className="v-threshold-text">
        {label} <b>{text}</b>
      </span>
    </div>
  );
}
