import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { lineColour } from './colours.ts';

interface SparklineProps {
  readonly values: readonly (number | null)[];
  readonly label: string;
  /** CSS pixels. */
  readonly width?: number;
  /** Least value at the upper edge, so that lines beside each other can be compared. */
  readonly top?: number;
}

const USUAL_WIDTH = 104;
const HEIGHT = 20;

/** A line without axes, from zero up. Draws when its values change. */
export function Sparkline({ values, label, width = USUAL_WIDTH, top = 0 }: SparklineProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    // A canvas without points stays as it was made: empty, and without a bitmap.
    if (canvas.current && values.length > 1) drawSparkline(canvas.current, values, lineColour(scheme, 0), width, top);
  }, [values, scheme, width, top]);
  return <canvas ref={canvas} className="v-spark" role="img" aria-label={label} style={{ width, height: HEIGHT }} />;
}

function drawSparkline(
  canvas: HTMLCanvasElement,
  values: readonly (number | null)[],
  colour: string,
  width: number,
  least: number,
): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  context.clearRect(0, 0, width, HEIGHT);
  let top = least;
  for (const value of values) if (value !== null && value > top) top = value;
  if (values.length < 2) return;
  context.beginPath();
  let down = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined || !Number.isFinite(value)) {
      down = false;
      continue;
    }
    const x = 1 + (i / (values.length - 1)) * (width - 2);
    const y = HEIGHT - 2 - (top > 0 ? Math.max(0, value) / top : 0) * (HEIGHT - 4);
    if (down) context.lineTo(x, y);
    else context.moveTo(x, y);
    down = true;
  }
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.lineJoin = 'round';
  context.stroke();
}
